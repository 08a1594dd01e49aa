"""What staff are asked for when they steer a match or register a client."""

from typing import Any

from django import forms

from apps.core.admin import OperationForm, ReasonForm
from apps.matches.models import Delivery, Mode, ScoreOrder, TiePolicy
from apps.matches.services import disputing
from apps.matches.services.clients import PLATFORMS, ClientChanges
from apps.operators.models import Operator

OVERLAPS = [(0, "None: the old secret stops now"), (3600, "1 hour"), (86_400, "1 day"), (604_800, "7 days")]


class FirstPlaceForm(ReasonForm):
    """Which teams are in first place."""

    leaders = forms.MultipleChoiceField(
        required=False,
        label="First place",
        widget=forms.CheckboxSelectMultiple,
        help_text="One team: it wins. Several: they tie. None: every stake goes back.",
    )
    field_order: tuple[str, ...] = ("leaders", "reason")

    def prepare(self) -> None:
        """Offer the match's teams."""
        if self.row is not None:
            teams = self.row.teams.order_by("wire_id").values_list("wire_id", flat=True)  # type: ignore[attr-defined]
            self.fields["leaders"].choices = [(name, name) for name in teams]  # type: ignore[attr-defined]


class BlindForm(FirstPlaceForm):
    """The same, told to nobody before a second person has said it too."""

    def prepare(self) -> None:
        """Say that not even the reason shows before."""
        super().prepare()
        self.fields["reason"].help_text = "Kept with the record. It shows once both have entered theirs."

    def told(self) -> dict[str, str]:
        """Keep result and reason out of the history: whoever comes second must not read them there."""
        return {name: text for name, text in super().told().items() if name not in {"first place", "reason"}}


class DecisionForm(FirstPlaceForm):
    """What becomes of a disputed result."""

    decision = forms.ChoiceField(
        choices=[
            (disputing.STANDS, "The result stands and is paid"),
            (disputing.REFUND, "Every stake goes back"),
            (disputing.OTHER, "Another result, chosen below"),
        ]
    )
    field_order = ("decision", "leaders", "reason")

    def prepare(self) -> None:
        """Say when the teams are asked for."""
        super().prepare()
        self.fields["leaders"].help_text = "Only for another result. One team: it wins. Several: they tie."

    def clean(self) -> dict[str, Any]:
        """Another result names who is first."""
        said = super().clean() or {}
        if said.get("decision") == disputing.OTHER and not said.get("leaders"):
            self.add_error("leaders", "Choose who is in first place.")
        if said.get("decision") != disputing.OTHER and said.get("leaders"):
            self.add_error("leaders", "Only for another result.")
        return said


class ForfeitForm(ReasonForm):
    """Which team gives up."""

    team_id = forms.ChoiceField(label="Team")
    field_order = ("team_id", "reason")

    def prepare(self) -> None:
        """Offer the teams that are still in."""
        if self.row is not None:
            teams = self.row.teams.filter(forfeited_at=None).order_by("wire_id")  # type: ignore[attr-defined]
            choices = [(name, name) for name in teams.values_list("wire_id", flat=True)]
            self.fields["team_id"].choices = choices  # type: ignore[attr-defined]


class ClientForm(OperationForm):
    """How a client works."""

    name = forms.CharField(max_length=120, required=False)
    mode = forms.ChoiceField(choices=Mode.choices, initial=Mode.SYNC, label="Results")
    delivery = forms.ChoiceField(choices=Delivery.choices, initial=Delivery.PUSH, label="Hears of matches by")
    webhook_url = forms.CharField(max_length=500, required=False, label="Webhook URL", help_text="Needed for push.")
    browser = forms.CharField(
        max_length=500, required=False, label="Launch URL, browser", help_text="{match-token} is filled in."
    )
    android = forms.CharField(max_length=500, required=False, label="Launch URL, Android")
    ios = forms.CharField(max_length=500, required=False, label="Launch URL, iOS")
    steam = forms.CharField(max_length=500, required=False, label="Launch URL, Steam")
    fee_bps = forms.IntegerField(
        min_value=0, max_value=10_000, initial=0, label="Fee, basis points", help_text="Of the pot; 1000 is 10 %."
    )
    score_order = forms.ChoiceField(choices=ScoreOrder.choices, initial=ScoreOrder.HIGHER, label="Scores")
    tie_policy = forms.ChoiceField(choices=TiePolicy.choices, initial=TiePolicy.REFUND, label="Ties")
    strict_200 = forms.BooleanField(required=False, initial=True, label="Only 200 counts")
    send_delete = forms.BooleanField(required=False, label="Send DELETE for aborted matches")
    aborts_on_first_failure = forms.BooleanField(required=False, label="No retries")
    hold_minutes = forms.IntegerField(min_value=0, initial=0, help_text="Results wait this long before they are paid.")
    confirm_hours = forms.IntegerField(min_value=1, initial=24)
    result_hours = forms.IntegerField(min_value=1, initial=24)
    gone_minutes = forms.IntegerField(min_value=1, initial=10)

    groups = (
        ("Client", ("operator", "client_id", "name")),
        ("Matches", ("mode", "score_order", "tie_policy", "fee_bps", "hold_minutes")),
        (
            "How the game hears of them",
            ("delivery", "webhook_url", "strict_200", "aborts_on_first_failure", "send_delete"),
        ),
        ("Launch links", PLATFORMS),
        ("Deadlines", ("confirm_hours", "result_hours", "gone_minutes")),
    )

    def prepare(self) -> None:
        """Begin with what holds now."""
        if self.row is not None:
            urls = self.row.launch_urls  # type: ignore[attr-defined]
            for name, field in self.fields.items():
                if name != "ticket":
                    field.initial = urls.get(name, "") if name in PLATFORMS else getattr(self.row, name, field.initial)

    def arguments(self) -> dict[str, Any]:
        """Return what the service takes."""
        said = super().arguments()
        chosen = {platform: said.pop(platform) for platform in PLATFORMS}
        kept: dict[str, Any] = {name: said.pop(name) for name in ("operator", "client_id") if name in said}
        changes = ClientChanges(**said, launch_urls={name: url for name, url in chosen.items() if url})
        return {**kept, "changes": changes}


class NewClientForm(ClientForm):
    """A new client."""

    operator = forms.ModelChoiceField(Operator.objects.none())
    client_id = forms.CharField(max_length=64, label="Client id", help_text="Letters, digits, . _ - only.")


class NewSecretForm(OperationForm):
    """How long both secrets work."""

    overlap_seconds = forms.TypedChoiceField(
        label="Overlap",
        choices=OVERLAPS,
        coerce=int,
        initial=86_400,
        help_text="How long the old secret works beside the new one.",
    )
