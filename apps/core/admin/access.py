"""Who sees and may change what: the tenant filter and the permission questions of every admin page."""

from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from apps.core.admin import tenancy
from apps.core.admin.filters import OperatorFilter


class TenantAccess:
    """Narrows rows to the person's operators and asks for permissions with the row's operator.

    Read-only unless a subclass says otherwise: `editable_fields` may be edited by who may change the row,
    `addable` lets those add one who have the permission with some operator. Nothing is ever deleted.
    """

    # The path from a row to the id of its operator. Empty: the rows belong to no operator, and superusers see them.
    tenant = "operator_id"
    editable_fields: tuple[str, ...] = ()
    # Fields that are given when a row is added and fixed from then on.
    given_once: tuple[str, ...] = ()
    addable = False

    opts: Any
    model: Any

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows that the person sees. Another operator's row is as good as missing everywhere."""
        rows: QuerySet[Any] = super().get_queryset(request)  # type: ignore[misc]
        if not self.tenant:
            return rows if request.user.is_superuser else rows.none()
        return tenancy.narrow(rows, request.user, self.tenant)

    def operators_for(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the operators whose rows the person sees, for filters and forms."""
        return tenancy.narrow(self.operator_model().objects.all(), request.user, "pk")

    def operator_model(self) -> Any:
        """Return the model of operators, found along the tenant path, because core knows none by name."""
        model = self.model
        for step in self.tenant.removesuffix("_id").split("__"):
            model = model if step == "pk" else model._meta.get_field(step).related_model  # noqa: SLF001 - Django's documented API
        return model

    def may(self, request: HttpRequest, permission: str, row: Model | None = None) -> bool:
        """Answer a permission question: about a row with its operator, without a row with any."""
        if row is None or not self.tenant:
            return request.user.has_perm(permission)
        user: Any = request.user  # has_perm wants a row; what counts of it is its operator
        return bool(user.has_perm(permission, tenancy.tenant_of(row, self.tenant)))

    def allowing(self, request: HttpRequest, permission: str) -> QuerySet[Any]:
        """Return the operators with which the person has a permission."""
        operators = self.operators_for(request)
        if request.user.is_superuser:
            return operators
        ids = list(operators.values_list("pk", flat=True))
        return operators.filter(pk__in=tenancy.operators_allowing(request.user, permission, ids))

    def _permission(self, verb: str) -> str:
        return f"{self.opts.app_label}.{verb}_{self.opts.model_name}"

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Seeing is a permission of its own; every role has it for its operators."""
        return self.may(request, self._permission("view"), obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only rows with editable fields can be changed by form; all else moves by operations."""
        return bool(self.editable_fields) and self.may(request, self._permission("change"), obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Adding by form is for configuration."""
        return self.addable and self.may(request, self._permission("add"))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is deleted in the admin: money, results and facts refer to almost everything."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Everything that is shown and not named as editable."""
        shown = [name for _, options in self.get_fieldsets(request, obj) for name in _flat(options["fields"])]  # type: ignore[attr-defined]
        may_edit = {*self.editable_fields, *(self.given_once if obj is None else ())}
        return tuple(name for name in shown if name not in may_edit)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer only the person's own rows; operators only where the person may add or change."""
        related = db_field.remote_field.model
        if "queryset" not in kwargs:
            if related is self.operator_model():
                kwargs["queryset"] = self.allowing(request, self._permission("add"))
            else:
                kwargs["queryset"] = tenancy.narrow(related.objects.all(), request.user, "operator_id")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """Put the operator first, for those who see several."""
        filters = list(super().get_list_filter(request))  # type: ignore[misc]
        if not self.tenant or self.tenant == "pk":
            return filters
        by_operator = type("ByOperator", (OperatorFilter,), {"tenant_path": self.tenant})
        return [by_operator, *filters]


def _flat(fields: Any) -> list[str]:
    return [name for item in fields for name in (item if isinstance(item, list | tuple) else [item])]
