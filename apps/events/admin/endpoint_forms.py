"""What staff are asked for about webhook endpoints."""

from typing import Any

from django import forms

from apps.core.admin import OperationForm
from apps.events.admin.patterns import PatternsField
from apps.events.models import Format
from apps.events.services import endpoints
from apps.operators.models import Operator

OVERLAPS = [(0, "None: the old secret stops now"), (3600, "1 hour"), (86_400, "1 day"), (604_800, "7 days")]
# The game platform's endpoint makes itself.
FORMATS = [
    (Format.STANDARD, "Standard Webhooks"),
    (Format.CASINO, "Casino: the envelope of the casino dialect"),
]
OTHERS = {Format.PLATFORM: "Game platform notices", Format.RUMBLE: "Rumble application"}


class EndpointForm(OperationForm):
    """What can be said of an endpoint at any time."""

    url = forms.CharField(max_length=2000, label="Address", help_text="https://…")
    description = forms.CharField(max_length=200, required=False, help_text="Who or what receives there.")
    events = PatternsField(initial="*")
    format = forms.ChoiceField(choices=FORMATS, initial=Format.STANDARD)
    ordered = forms.BooleanField(
        required=False,
        label="Strictly ordered",
        help_text="One at a time, by number: a delivery that fails holds back all that follow.",
    )
    token = forms.CharField(
        required=False,
        label="Bearer token",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Sent as Authorization: Bearer. Stored encrypted and never shown.",
    )

    def told(self) -> dict[str, str]:
        """Leave the token out of the history."""
        said = super().told()
        said.pop("bearer token", None)
        return said


class NewEndpointForm(EndpointForm):
    """A new endpoint."""

    operator = forms.ModelChoiceField(Operator.objects.none())

    field_order = ("operator",)


class EditForm(EndpointForm):
    """An endpoint as it is."""

    forget_token = forms.BooleanField(required=False, label="Send no bearer token any more")

    def prepare(self) -> None:
        """Start from what it is; the token stays unless another one is typed."""
        row: Any = self.row
        for name in ("url", "description", "format", "ordered"):
            self.fields[name].initial = getattr(row, name)
        self.fields["events"].initial = "\n".join(row.events)
        self.fields["token"].help_text = "Empty: it stays as it is."
        if not row.token:
            del self.fields["forget_token"]

    def arguments(self) -> dict[str, Any]:
        """Return the changes; no token typed is no change of it."""
        said = super().arguments()
        forget = said.pop("forget_token", False)
        said["token"] = "" if forget else said["token"] or None
        return {"changes": endpoints.EndpointChanges(**said)}


class RotateForm(OperationForm):
    """How long both secrets sign."""

    overlap_seconds = forms.TypedChoiceField(
        label="Overlap",
        choices=OVERLAPS,
        coerce=int,
        initial=86_400,
        help_text="How long the old secret signs beside the new one.",
    )
