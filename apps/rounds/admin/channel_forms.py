"""What staff are asked for about channels: the fields of each kind. Secrets are written and never read."""

from collections.abc import Callable, Mapping
from typing import Any

from django import forms

from apps.core.admin import OperationForm, ReasonForm
from apps.operators.models import Credential, CredentialKind, Operator
from apps.rounds.models import Channel, ChannelKind
from apps.rounds.services.channels import FIELDS, OF_TRANSACTIONS

Fields = Mapping[str, Callable[[], forms.Field]]

RABBIT: Fields = {
    "host": lambda: forms.CharField(max_length=253, help_text="Of the broker, yours or the client's."),
    "port": lambda: forms.IntegerField(min_value=1, max_value=65535, initial=5671, help_text="5671 with TLS."),
    "tls": lambda: forms.BooleanField(required=False, initial=True, label="TLS"),
    "virtual_host": lambda: forms.CharField(max_length=200, initial="/"),
    "username": lambda: forms.CharField(max_length=200, initial="guest"),
    "queue": lambda: forms.CharField(
        max_length=200, required=False, help_text="Durable. Empty: gamity.{integration}.rounds"
    ),
    "dead_queue": lambda: forms.CharField(
        max_length=200, required=False, label="Dead-letter queue", help_text="Empty: the queue's name with .dead"
    ),
    "declare": lambda: forms.BooleanField(
        required=False,
        initial=True,
        label="Create the queues",
        help_text="Off: they are there already, and the queue dead-letters what is rejected.",
    ),
    "prefetch": lambda: forms.IntegerField(
        min_value=1, max_value=5000, initial=200, help_text="Messages that are taken together."
    ),
}
KAFKA: Fields = {
    "servers": lambda: forms.CharField(max_length=1000, help_text="host:port, with commas between several."),
    "security": lambda: forms.ChoiceField(
        choices=[(word, word) for word in ("SASL_SSL", "SSL", "SASL_PLAINTEXT", "PLAINTEXT")], initial="SASL_SSL"
    ),
    "mechanism": lambda: forms.ChoiceField(
        choices=[(word, word) for word in ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")],
        initial="PLAIN",
        label="SASL mechanism",
    ),
    "username": lambda: forms.CharField(max_length=200, required=False),
    "topic": lambda: forms.CharField(max_length=200, required=False, help_text="Empty: gamity.{integration}.rounds"),
    "group": lambda: forms.CharField(
        max_length=200, required=False, label="Consumer group", help_text="Empty: gamity-{integration}"
    ),
    "dead_topic": lambda: forms.CharField(
        max_length=200, required=False, label="Dead-letter topic", help_text="Empty: the topic's name with .dead"
    ),
    "start": lambda: forms.ChoiceField(
        choices=[("earliest", "All that is there"), ("latest", "Only what comes from now on")],
        initial="earliest",
        label="A new group reads",
    ),
}
PULL: Fields = {
    "url": lambda: forms.CharField(
        max_length=1000, label="URL", help_text="Called as URL?after={cursor}&limit={limit}."
    ),
    "key_header": lambda: forms.CharField(max_length=80, initial="X-API-Key", label="Header of the key"),
    "after_parameter": lambda: forms.CharField(max_length=80, initial="after", label="Parameter of the cursor"),
    "limit_parameter": lambda: forms.CharField(max_length=80, initial="limit", label="Parameter of the page's size"),
    "limit": lambda: forms.IntegerField(min_value=1, max_value=5000, initial=500, label="Rounds a page"),
    "items": lambda: forms.CharField(
        max_length=200,
        required=False,
        label="Where the rounds are",
        help_text="A path such as data.rounds. Empty: the answer itself is the array.",
    ),
    "following": lambda: forms.CharField(
        max_length=200,
        required=False,
        label="Where the next cursor is",
        help_text="A path such as paging.next. Empty: the id of the page's last round.",
    ),
    "seconds": lambda: forms.FloatField(
        min_value=0.1,
        max_value=3600,
        initial=1,
        label="Seconds between calls",
        help_text="A full page is followed by the next at once. After failures the pause doubles, up to a minute.",
    ),
}
OF_KIND: Mapping[str, Fields] = {ChannelKind.RABBITMQ: RABBIT, ChannelKind.KAFKA: KAFKA, ChannelKind.PULL: PULL}
ENTRY = ("username", "password", "key_header", "security", "mechanism")


class MappingField(forms.CharField):
    """Lines such as `roundId = transaction.id`."""

    widget = forms.Textarea

    def clean(self, value: Any) -> Any:
        """Return a dictionary; the service says what is wrong with its words."""
        lines = [line.partition("=") for line in (super().clean(value) or "").splitlines() if line.strip()]
        if not all(equals for _, equals, _ in lines):
            raise forms.ValidationError("One field a line: roundId = transaction.id")
        return {field.strip(): path.strip() for field, _, path in lines}


class TransactionsField(MappingField):
    """Lines such as `bets = BET, DEBIT`."""

    def clean(self, value: Any) -> Any:
        """Return what the service takes."""
        lines = super().clean(value)
        return {name: said if name == "seconds" else _words(said) for name, said in lines.items()}


def _words(said: str) -> list[str]:
    return [word.strip() for word in said.split(",") if word.strip()]


def _lines(known: Mapping[str, Any]) -> str:
    told = ((name, ", ".join(said) if isinstance(said, list) else f"{said:g}") for name, said in known.items())
    return "\n".join(f"{name} = {said}" for name, said in told if said)


class ChannelForm(OperationForm):
    """How a channel is reached and read. Which fields there are depends on its kind."""

    kind: str

    def prepare(self) -> None:
        """Offer the fields of the kind, beginning with what is stored."""
        row: Channel | None = self.row  # type: ignore[assignment]
        self.kind = row.kind if row is not None else self.request.GET.get("kind", "")
        stored = row.configuration if row is not None else {}
        for name, make in OF_KIND[self.kind].items():
            self.fields[name] = make()
            if name in stored:
                self.fields[name].initial = stored[name]
        self.fields["password"] = forms.CharField(
            max_length=500,
            required=False,
            label="Key" if self.kind == ChannelKind.PULL else "Password",
            widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
            help_text="Empty: it stays as it is." if row is not None else "Stored encrypted and never shown.",
        )
        self.fields["mapping"] = MappingField(
            required=False,
            label="Fields in the client's own words",
            widget=forms.Textarea(attrs={"rows": 4, "placeholder": 'roundId = transaction.id\nroundType = "REGULAR"'}),
            help_text=f"Only where they differ from ours: {', '.join(FIELDS)}. Text in quotes is taken as it is.",
            initial="\n".join(f"{field} = {path}" for field, path in row.mapping.items()) if row is not None else "",
        )
        self.fields["transactions"] = TransactionsField(
            required=False,
            label="Bets and wins that come apart",
            widget=forms.Textarea(
                attrs={"rows": 4, "placeholder": "bets = BET\nwins = WIN, JACKPOT\nends = ROUND_END\nseconds = 60"}
            ),
            help_text="Empty: each message is a whole round. Else the words of transactionType, and after how many "
            "seconds without another transaction a round is closed. A transaction has no betAmount and winAmount, but "
            f"{', '.join(OF_TRANSACTIONS)}; the end is told by one of the words or by roundEnded.",
            initial=_lines(row.transactions) if row is not None and row.transactions else "",
        )
        names = tuple(OF_KIND[self.kind])
        self.groups = (
            *((("Channel", ("operator", "name", "integration")),) if row is None else ()),
            ("Where", tuple(name for name in names if name not in ENTRY)),
            ("Access", tuple(name for name in (*names, "password") if name in ENTRY)),
            ("Messages", ("mapping", "transactions")),
        )

    def arguments(self) -> dict[str, Any]:
        """Return what the service takes."""
        said = super().arguments()
        configuration = {name: said.pop(name) for name in OF_KIND[self.kind]}
        secret = said.pop("password")
        return {**said, "configuration": configuration, "secret": secret or (None if self.row is not None else "")}


class NewChannelForm(ChannelForm):
    """A new channel."""

    operator = forms.ModelChoiceField(Operator.objects.none())
    name = forms.RegexField(
        r"^[a-z0-9][a-z0-9._-]*$",
        max_length=80,
        help_text="Small letters, digits, dots, - and _. `consume_rounds --channel` goes by it.",
    )
    integration = forms.CharField(
        max_length=120, help_text="Whose rounds these are. The same round by HTTP and from here counts once."
    )

    def prepare(self) -> None:
        """Suggest the integrations that have keys."""
        super().prepare()
        known = Credential.objects.filter(kind=CredentialKind.INTEGRATION, revoked_at=None)
        if not self.request.user.is_superuser:
            known = known.filter(operator__memberships__user=self.request.user)
        first = known.order_by("-pk").values_list("ref", flat=True).first()
        if first:
            self.fields["integration"].widget.attrs["placeholder"] = first

    def arguments(self) -> dict[str, Any]:
        """Name the kind as well."""
        return super().arguments() | {"kind": self.kind}


class RewindForm(ReasonForm):
    """Where to go on."""

    cursor = forms.CharField(
        max_length=500, required=False, help_text="The next page comes after it. Empty: the first."
    )

    field_order = ("cursor", "reason")

    def prepare(self) -> None:
        """Start from where it is."""
        self.fields["cursor"].initial = self.row.cursor  # type: ignore[union-attr]
