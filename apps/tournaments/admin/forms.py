"""What staff are asked for when they create, change and steer tournaments."""

from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms

from apps.core.admin import OperationForm, ReasonForm
from apps.ledger.models import Asset, Rail
from apps.ledger.money import to_amount
from apps.operators.models import Game, Operator
from apps.tournaments.models import EntryMode, Funding, StartMode, TiePolicy, Tournament, TournamentType
from apps.tournaments.services.creation import NewTournament, TournamentChanges

UNITS: Any = {"max_digits": 36, "decimal_places": 18, "min_value": Decimal(0)}


class SharesField(forms.CharField):
    """Percentages by place: "50, 30, 20"."""

    def clean(self, value: Any) -> Any:
        """Return exact decimals, first place first."""
        text = super().clean(value) or ""
        try:
            shares = tuple(Decimal(part) for part in text.replace("%", " ").replace(",", " ").split())
        except InvalidOperation as problem:
            raise forms.ValidationError("Numbers with commas between them: 50, 30, 20.") from problem
        if not all(share.is_finite() for share in shares):
            raise forms.ValidationError("Numbers with commas between them: 50, 30, 20.")
        return shares


class NewTournamentForm(OperationForm):
    """A draft. It is out of everybody's sight until it is published."""

    name = forms.CharField(max_length=200)
    game = forms.ModelChoiceField(Game.objects.none(), to_field_name="slug")
    external_id = forms.CharField(max_length=128, required=False, help_text="The operator's own id, unique.")
    tournament_type = forms.ChoiceField(choices=TournamentType.choices, initial=TournamentType.POINTS_BASED)
    start_mode = forms.ChoiceField(choices=StartMode.choices, initial=StartMode.AT_TIME, label="Start")
    starts_at = forms.DateTimeField(required=False, help_text="UTC.")
    ends_at = forms.DateTimeField(required=False, help_text="UTC. Empty: ended by call or by its last round.")
    registration_opens_at = forms.DateTimeField(required=False, help_text="UTC. Empty: as soon as it is published.")
    min_players = forms.IntegerField(min_value=1, initial=2)
    max_players = forms.IntegerField(min_value=1, required=False, help_text="Empty: unlimited.")
    enforce_min_players = forms.BooleanField(
        required=False, help_text="Cancel with full refunds instead of starting with too few players."
    )
    entry_mode = forms.ChoiceField(choices=EntryMode.choices, initial=EntryMode.OPEN, label="Who may enter")
    asset = forms.ModelChoiceField(Asset.objects.none(), to_field_name="code", label="Currency")
    entry_fee = forms.DecimalField(**UNITS, initial=0)
    funding = forms.ChoiceField(choices=Funding.choices, initial=Funding.CLEARING, label="Fees come from")
    guarantee = forms.DecimalField(**UNITS, initial=0, help_text="The operator tops the prize pool up to this.")
    percentages = SharesField(initial="50, 30, 20", label="Prizes, percent", help_text="By place, first place first.")
    tie_policy = forms.ChoiceField(choices=TiePolicy.choices, label="Ties")
    rake_percent = forms.DecimalField(
        min_value=0, max_value=50, decimal_places=2, required=False, help_text="Empty: the operator's preference."
    )
    rail = forms.ChoiceField(choices=Rail.choices, initial=Rail.CLEARING, label="Prizes go to")
    needs_approval = forms.BooleanField(required=False, help_text="Payouts wait until staff have approved them.")
    rebuy_enabled = forms.BooleanField(required=False, label="Rebuys")
    rebuy_fee = forms.DecimalField(**UNITS, required=False, help_text="Empty: the entry fee.")
    max_entries = forms.IntegerField(
        min_value=1, max_value=1000, required=False, label="Entries per player", help_text="The first included."
    )
    rebuy_minutes = forms.IntegerField(
        min_value=0,
        max_value=525_600,
        initial=30,
        help_text="Rebuys and late registration end this long after the start.",
    )
    late_registration = forms.BooleanField(required=False)

    groups = (
        ("What", ("name", "game", "external_id", "tournament_type")),
        ("When", ("start_mode", "starts_at", "ends_at", "registration_opens_at")),
        ("Who", ("entry_mode", "min_players", "max_players", "enforce_min_players")),
        ("Money", ("asset", "entry_fee", "funding", "rake_percent")),
        ("Prizes", ("guarantee", "percentages", "tie_policy", "rail", "needs_approval")),
        ("Rebuys", ("rebuy_enabled", "rebuy_fee", "max_entries", "rebuy_minutes", "late_registration")),
    )

    def prepare(self) -> None:
        """Offer the games and currencies of the operator that was chosen before, and start from its preferences."""
        operator: Operator = self.request.podium_operator  # type: ignore[attr-defined]
        self.operator = operator
        games = Game.objects.for_operator(operator.pk).filter(enabled=True).order_by("display_name")
        assets = Asset.objects.for_operator(operator.pk).filter(enabled=True).order_by("code")
        self.fields["game"].queryset = games  # type: ignore[attr-defined]
        self.fields["asset"].queryset = assets  # type: ignore[attr-defined]
        wishes = operator.settings
        self.fields["asset"].initial = operator.currency
        self.fields["tie_policy"].initial = wishes.tie_policy
        self.fields["enforce_min_players"].initial = wishes.enforce_min_players
        self.fields["late_registration"].initial = wishes.features.allow_late_registration
        self.fields["needs_approval"].initial = wishes.approval.always
        self.fields["rake_percent"].widget.attrs["placeholder"] = str(wishes.rake_percent)

    def arguments(self) -> dict[str, Any]:
        """Return the draft."""
        said = super().arguments()
        game, asset = said.pop("game"), said.pop("asset")
        said["external_id"] = said["external_id"] or None
        new = NewTournament(game_slug=game.slug, currency=asset.code, draft=True, **said)
        return {"operator": self.operator, "new": new}


class ChangesForm(OperationForm):
    """What may still be changed before the start. Money only while nobody is registered."""

    name = forms.CharField(max_length=200)
    starts_at = forms.DateTimeField(required=False, help_text="UTC.")
    ends_at = forms.DateTimeField(required=False, help_text="UTC.")
    min_players = forms.IntegerField(min_value=1)
    max_players = forms.IntegerField(min_value=1, required=False, help_text="Empty: unlimited.")
    entry_fee = forms.DecimalField(**UNITS, help_text="Only while nobody is registered.")
    guarantee = forms.DecimalField(**UNITS, help_text="Only while nobody is registered.")
    percentages = SharesField(label="Prizes, percent", help_text="By place. Only while nobody is registered.")

    def prepare(self) -> None:
        """Start from what holds."""
        row: Tournament = self.row  # type: ignore[assignment]
        scale = row.asset.scale
        for name in ("name", "starts_at", "ends_at", "min_players", "max_players"):
            self.fields[name].initial = getattr(row, name)
        self.fields["entry_fee"].initial = to_amount(row.fee_units, scale)
        self.fields["guarantee"].initial = to_amount(row.guarantee_units, scale)
        self.fields["percentages"].initial = ", ".join(row.prize_rules[-1]["percentages"]) if row.prize_rules else ""

    def arguments(self) -> dict[str, Any]:
        """Return what was changed and only that."""
        said = {name: self.cleaned_data[name] for name in self.changed_data if name != "ticket"}
        unlimited = "max_players" in said and said["max_players"] is None
        return {"changes": TournamentChanges(unlimited=unlimited, **said)}


class CancelForm(ReasonForm):
    """Why it is called off; players and the operator's systems are told."""

    reason = forms.CharField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="The operator's systems are told, and players may be.",
    )


class RemovalForm(ReasonForm):
    """How and why a player leaves."""

    how = forms.ChoiceField(
        choices=[("voluntary_exit", "Leaves of their own accord"), ("elimination", "Is eliminated")],
        help_text="Before the start a leaving player is refunded in full. After it nobody is; they stay ranked.",
    )

    field_order = ("how", "reason")

    def arguments(self) -> dict[str, Any]:
        """Return what the service takes: its reason is ours of how, its details are ours of why."""
        return {"reason": self.cleaned_data["how"], "details": self.cleaned_data["reason"]}


class RebuyForm(ReasonForm):
    """How many more entries."""

    additional_entries = forms.IntegerField(min_value=1, max_value=100, initial=1)
    payment_id = forms.CharField(max_length=128, required=False, help_text="The operator's reference of the payment.")

    field_order = ("additional_entries", "payment_id", "reason")


class ScoreForm(ReasonForm):
    """What the points are to be."""

    points = forms.DecimalField(max_digits=24, decimal_places=6, help_text="Replaces the points there are now.")

    field_order = ("points", "reason")

    def prepare(self) -> None:
        """Start from the points there are."""
        if self.row is not None:
            self.fields["points"].initial = self.row.points.normalize()  # type: ignore[attr-defined]
