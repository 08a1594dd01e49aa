"""What staff are asked for when they register an application or change one."""

from decimal import Decimal
from typing import Any

from django import forms

from apps.core.admin import OperationForm
from apps.operators.models import Operator
from apps.rumble.models import Application, Signing
from apps.rumble.services.applications import ApplicationChanges
from apps.rumble.words import percentage

OVERLAPS = [(0, "None: the old key stops now"), (3600, "1 hour"), (86_400, "1 day"), (604_800, "7 days")]


class ApplicationForm(OperationForm):
    """How an application works, and on what terms."""

    name = forms.CharField(max_length=120)
    description = forms.CharField(max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 2}))
    logo_url = forms.CharField(max_length=500, required=False, label="Logo URL")
    developer_eos_id = forms.CharField(
        max_length=60, required=False, label="Developer's EOS id", help_text="Empty: the operator gets the fee."
    )
    platform_fee_percentage = forms.DecimalField(
        min_value=0, max_value=75, decimal_places=2, initial=Decimal(5), label="Platform fee, percent"
    )
    signing = forms.ChoiceField(choices=Signing.choices, initial=Signing.AUTO, label="Payments are signed")
    expiration_hours = forms.IntegerField(min_value=1, initial=24, label="Lifetime of containers, hours")
    webhook_url = forms.CharField(max_length=500, required=False, label="Webhook URL")
    webhook_token = forms.CharField(
        max_length=500, required=False, label="Webhook access token", help_text="Empty: as it is."
    )

    groups = (
        ("Application", ("operator", "name", "description", "logo_url")),
        ("Terms", ("developer_eos_id", "platform_fee_percentage", "signing", "expiration_hours")),
        ("Webhook", ("webhook_url", "webhook_token")),
    )

    def prepare(self) -> None:
        """Begin with what holds now; the token is never shown."""
        if isinstance(self.row, Application):
            for name in ("name", "description", "logo_url", "developer_eos_id", "signing", "expiration_hours"):
                self.fields[name].initial = getattr(self.row, name)
            self.fields["platform_fee_percentage"].initial = percentage(self.row.platform_bps)
            endpoint = self.row.endpoint
            self.fields["webhook_url"].initial = endpoint.url if endpoint is not None and endpoint.enabled else ""

    def arguments(self) -> dict[str, Any]:
        """Return what the service takes."""
        said = super().arguments()
        kept = {"operator": said.pop("operator")} if "operator" in said else {}
        said["webhook_token"] = said["webhook_token"] or None
        return {**kept, "changes": ApplicationChanges(**said)}


class NewApplicationForm(ApplicationForm):
    """A new application."""

    operator = forms.ModelChoiceField(Operator.objects.none())


class NewKeyForm(OperationForm):
    """How long both keys work."""

    overlap_seconds = forms.TypedChoiceField(
        coerce=int, choices=OVERLAPS, initial=0, label="Old and new key both work for"
    )
