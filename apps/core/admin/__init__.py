"""What every area's admin is built from. The theme is imported here and nowhere else."""

from apps.core.admin import formats
from apps.core.admin.contributions import Section, add_operation, changes, owing, owing_subjects, section_of
from apps.core.admin.dashboard import Panel, panel
from apps.core.admin.filters import DaysFilter, OperatorFilter, OwnRelatedFilter
from apps.core.admin.operations import Operation, OperationForm, Preview, ReasonForm, actor_of, always
from apps.core.admin.pages import TenantAdmin
from apps.core.admin.tenancy import Tenant, narrow, operators_of
from apps.core.admin.theme import ChoicesDropdownFilter, DropdownFilter, TextFilter, display, dress

__all__ = [
    "ChoicesDropdownFilter",
    "DaysFilter",
    "DropdownFilter",
    "Operation",
    "OperationForm",
    "OperatorFilter",
    "OwnRelatedFilter",
    "Panel",
    "Preview",
    "ReasonForm",
    "Section",
    "Tenant",
    "TenantAdmin",
    "TextFilter",
    "actor_of",
    "add_operation",
    "always",
    "changes",
    "display",
    "dress",
    "formats",
    "narrow",
    "operators_of",
    "owing",
    "owing_subjects",
    "panel",
    "section_of",
]
