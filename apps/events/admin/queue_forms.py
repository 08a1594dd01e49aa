"""What staff are asked for about queues. Secrets are written and never read."""

from typing import Any

from django import forms

from apps.core.admin import OperationForm
from apps.events.admin.patterns import PatternsField
from apps.events.services.queues import Access
from apps.operators.models import Operator

ACCESS = ("name", "url", "region", "endpoint_url", "access_key_id", "secret")


class InboundForm(OperationForm):
    """How a queue is reached."""

    name = forms.CharField(max_length=80, help_text="What people here call it.")
    url = forms.CharField(
        max_length=500, required=False, label="Queue URL", help_text="Empty: create it afterwards with “Create queues”."
    )
    region = forms.CharField(max_length=40, initial="eu-central-1")
    endpoint_url = forms.CharField(
        max_length=500, required=False, label="Endpoint", help_text="Of an SQS-compatible server. Empty: AWS."
    )
    access_key_id = forms.CharField(max_length=128, required=False, label="Access key id")
    secret = forms.CharField(
        max_length=500,
        required=False,
        label="Secret access key",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Stored encrypted and never shown.",
    )

    def prepare(self) -> None:
        """Start from what it is; the secret stays unless another one is typed."""
        if self.row is not None:
            for name in ("name", "url", "region", "endpoint_url", "access_key_id"):
                self.fields[name].initial = getattr(self.row, name)
            self.fields["secret"].help_text = "Empty: it stays as it is."

    def told(self) -> dict[str, str]:
        """Leave the secret out of the history."""
        said = super().told()
        said.pop("secret access key", None)
        return said

    def arguments(self) -> dict[str, Any]:
        """Return what the service takes."""
        said = super().arguments()
        access = {name: said.pop(name) for name in ACCESS}
        access["secret"] = access["secret"] or None
        return {"access": Access(**access), **said}


class QueueForm(InboundForm):
    """How a queue is reached, and what it wants."""

    events = PatternsField(initial="*")

    def prepare(self) -> None:
        """Start from what it is."""
        super().prepare()
        if self.row is not None:
            self.fields["events"].initial = "\n".join(self.row.events)  # type: ignore[attr-defined]


class NewQueueForm(QueueForm):
    """A new queue."""

    operator = forms.ModelChoiceField(Operator.objects.none())

    field_order = ("operator",)


class NewInboundForm(InboundForm):
    """A new queue to read from."""

    operator = forms.ModelChoiceField(Operator.objects.none(), help_text="Whose tournaments its messages may reach.")
    every_operator = forms.BooleanField(
        required=False, label="Of the platform", help_text="Its messages reach every operator's tournaments."
    )

    field_order = ("operator", "every_operator")

    def prepare(self) -> None:
        """Only the platform reads for everybody."""
        super().prepare()
        if self.request.user.is_superuser:
            self.fields["operator"].required = False
        else:
            del self.fields["every_operator"]

    def clean(self) -> dict[str, Any]:
        """One operator, or all of them on purpose."""
        said = super().clean() or {}
        if bool(said.get("operator")) == bool(said.get("every_operator")) and "operator" not in self.errors:
            self.add_error("operator", "Choose an operator, or say that it is the platform's.")
        return said

    def arguments(self) -> dict[str, Any]:
        """Return what the service takes."""
        said = super().arguments()
        said.pop("every_operator", None)
        return said


class CreateForm(OperationForm):
    """What the provider is to call it."""

    queue_name = forms.CharField(max_length=70, label="Name at the provider", help_text="Without .fifo.")

    def prepare(self) -> None:
        """Start from the name it has."""
        row: Any = self.row
        known = row.url.rpartition("/")[2].removesuffix(".fifo")
        self.fields["queue_name"].initial = known or f"podium-{row.pk}"
