"""The form of a tournament that is scored by game rounds: the whole policy, for a new one and for a draft."""

import csv
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any

from django import forms

from apps.core.admin import OperationForm
from apps.ledger.models import Asset
from apps.ledger.money import to_amount
from apps.operators.models import Brand, Game, Operator
from apps.tournaments import scoring
from apps.tournaments.admin.prize_text import EXAMPLE, PrizesField, written
from apps.tournaments.models import Tournament
from apps.tournaments.scoring import Method, OptIn, Ratio, RoundsRail, TieBreak
from apps.tournaments.services.creation import NewTournament

UNITS: Any = {"max_digits": 36, "decimal_places": 18, "min_value": Decimal(0)}
# More than this many are named by their ids instead of ticked.
MOST_TICKED = 200
MAX_GRACE = 7 * 24 * 3600

METHODS = (
    (Method.WAGERED_AMOUNT, "Wagered amount: the sum of all bets"),
    (Method.WIN_BET_RATIO, "Win/bet ratio"),
    (Method.BEST_MULTIPLIER, "Best single multiplier: the highest win ÷ bet"),
    (Method.CONSECUTIVE_ROUNDS, "Best run of consecutive rounds"),
    (Method.TOTAL_WIN, "Total win: the sum of all wins"),
    (Method.ROUND_COUNT, "Number of rounds"),
)
RATIOS = (
    (Ratio.SUM_OF_RATIOS, "Add up win ÷ bet of every round (favours playing on)"),
    (Ratio.RATIO_OF_SUMS, "All wins ÷ all bets (favours one lucky round: ask for a minimum of rounds)"),
)
OPT_INS = (
    (OptIn.AUTO, "Automatic: whoever plays one of the games"),
    (OptIn.MANUAL, "Manual: the player accepts first; rounds before that don't count"),
    (OptIn.BUY_IN, "Buy-in: the player pays the fee first"),
    (OptIn.INVITED, "Invited players only"),
)
TIES = (
    (TieBreak.EARLIEST, "Who reached the score first"),
    (TieBreak.LATEST, "Who reached the score last"),
    (TieBreak.FEWEST_ROUNDS, "Who needed fewer rounds"),
    (TieBreak.SHARE_RANK, "They share the rank, and its prizes"),
    (TieBreak.SPLIT_PRIZE, "They split the prizes of their places"),
)
RAILS = (
    (RoundsRail.WALLET, "The player's wallet here"),
    (RoundsRail.OPERATOR, "The operator's payout API"),
)


class IdsField(forms.CharField):
    """Ids, one a line or with commas between them."""

    widget = forms.Textarea

    def clean(self, value: Any) -> Any:
        """Return them in their order, each once."""
        text = super().clean(value) or ""
        return tuple(dict.fromkeys(part.strip() for part in text.replace("\n", ",").split(",") if part.strip()))


class TickedField(forms.MultipleChoiceField):
    """The same, ticked."""

    widget = forms.CheckboxSelectMultiple

    def clean(self, value: Any) -> Any:
        """Return them in their order."""
        return tuple(super().clean(value))


class InvitedField(forms.CharField):
    """Lines of brand and player, as a spreadsheet writes them."""

    widget = forms.Textarea

    def clean(self, value: Any) -> Any:
        """Return the invitations; a line of headings is left out."""
        found: list[scoring.Invitation] = []
        for number, line in enumerate(csv.reader((super().clean(value) or "").splitlines()), 1):
            cells = [cell.strip() for cell in line if cell.strip()]
            if not cells or [cell.lower() for cell in cells] in (["brandid", "playerid"], ["brand", "player"]):
                continue
            if len(cells) != 2:  # noqa: PLR2004 - brand and player
                raise forms.ValidationError(f"Line {number}: a brand and a player, with a comma between them.")
            found.append(scoring.Invitation(cells[0], cells[1]))
        return tuple(dict.fromkeys(found))


class RoundsForm(OperationForm):
    """The whole policy. Everything is fixed once it is published, but for names and times."""

    name = forms.CharField(
        max_length=200, label="Internal name", help_text="Staff see it, and the payout API tells it."
    )
    external_id = forms.CharField(max_length=128, required=False, help_text="The operator's own id, unique.")

    starts_at = forms.DateTimeField(help_text="Rounds count from this moment on, by their own time.")
    ends_at = forms.DateTimeField(help_text="Rounds of this moment and later don't count.")
    registration_opens_at = forms.DateTimeField(required=False, help_text="Empty: as soon as it is published.")
    grace_seconds = forms.IntegerField(
        min_value=0,
        max_value=MAX_GRACE,
        initial=scoring.DEFAULT_GRACE,
        label="Grace for late rounds, seconds",
        help_text="Rounds stamped before the end count if they arrive within this time after it. Then ranks are fixed.",
    )

    method = forms.ChoiceField(choices=METHODS, initial=Method.WAGERED_AMOUNT, label="Scoring method")
    ratio = forms.ChoiceField(
        choices=RATIOS,
        initial=Ratio.SUM_OF_RATIOS,
        label="Reading of the ratio",
        widget=forms.Select(attrs={"data-when": "method=WIN_BET_RATIO"}),
    )
    window = forms.IntegerField(
        min_value=1,
        max_value=scoring.MAX_WINDOW,
        required=False,
        label="Rounds in a run",
        widget=forms.NumberInput(attrs={"data-when": "method=CONSECUTIVE_ROUNDS"}),
    )
    factor = forms.DecimalField(
        max_digits=13, decimal_places=6, min_value=Decimal("0.000001"), initial=1, label="Points factor",
        help_text="Points are multiplied by this.",
    )  # fmt: skip
    tie_break = forms.ChoiceField(
        choices=TIES,
        initial=TieBreak.EARLIEST,
        label="Of equal scores",
        help_text="What is shared is the cash of all their places, equally. Free rounds go to who was there first.",
    )
    allow_reset = forms.BooleanField(required=False, label="Allow score reset", help_text="While it runs.")

    round_types = IdsField(
        initial="REGULAR",
        widget=forms.TextInput,
        help_text="With commas between them; types are the client's own words.",
    )
    min_bet = forms.DecimalField(
        **UNITS,
        initial=0,
        label="Minimum bet",
        help_text="Of one round, in the base currency. Smaller bets don't count.",
    )
    limit_rounds = forms.IntegerField(
        min_value=1, required=False, help_text="Only a player's first so many rounds count. Empty: all of them."
    )
    min_rounds = forms.IntegerField(min_value=0, initial=0, help_text="With fewer rounds a player has no score yet.")

    opt_in = forms.ChoiceField(choices=OPT_INS, initial=OptIn.AUTO, label="How players join")
    entry_fee = forms.DecimalField(
        **UNITS,
        initial=0,
        label="Buy-in",
        help_text="In the base currency.",
        widget=forms.NumberInput(attrs={"data-when": "opt_in=BUY_IN", "step": "any"}),
    )
    invited = InvitedField(
        required=False,
        label="Invited players",
        widget=forms.Textarea(
            attrs={"rows": 5, "placeholder": "brandId,playerId\nsuperkingz,Player-4", "data-when": "opt_in=INVITED"}
        ),
        help_text="CSV: paste it here. A list of thousands is fine.",
    )
    max_players = forms.IntegerField(min_value=1, required=False, help_text="Empty: unlimited.")

    asset = forms.ModelChoiceField(
        Asset.objects.none(),
        to_field_name="code",
        label="Base currency",
        help_text="Of prizes, buy-in and minimum bet. Other currencies are converted at the rate of the round's time.",
    )
    guarantee = forms.DecimalField(
        **UNITS,
        initial=0,
        label="Prize pool, fixed part",
        help_text="What shares of the pool are of, with the buy-ins.",
    )
    prizes = PrizesField(
        label="Prize table",
        widget=forms.Textarea(attrs={"rows": 6, "placeholder": EXAMPLE}),
        help_text="A line for each rank or range. Several prizes of a rank have commas between them: "
        "cash 100 · share 2% (of the pool) · free 20 x 0.50 GAME_ID 48h (20 rounds worth 0.50 each, for 48 hours).",
    )
    auto_payout = forms.BooleanField(
        required=False,
        initial=True,
        label="Auto payout",
        help_text="On: winners are paid as soon as ranks are fixed. Off: staff press “Approve payouts” first.",
    )
    rail = forms.ChoiceField(choices=RAILS, initial=RoundsRail.WALLET, label="Prizes go to")
    payout_url = forms.CharField(
        max_length=500,
        required=False,
        label="Payout URL",
        widget=forms.TextInput(attrs={"data-when": "rail=operator"}),
        help_text="Empty: the operator's own.",
    )
    debit_url = forms.CharField(
        max_length=500,
        required=False,
        label="Debit URL",
        widget=forms.TextInput(attrs={"data-when": "opt_in=BUY_IN"}),
        help_text="Where buy-ins are taken. Empty: the operator's own; if it has none, the wallet here.",
    )

    groups = (
        ("What", ("name", "external_id")),
        ("When", ("starts_at", "ends_at", "registration_opens_at", "grace_seconds")),
        ("Where it is played", ("games", "brands")),
        ("How points are made", ("method", "ratio", "window", "factor", "tie_break", "allow_reset")),
        ("Which rounds count", ("round_types", "min_bet", "limit_rounds", "min_rounds")),
        ("Who takes part", ("opt_in", "entry_fee", "debit_url", "invited", "max_players")),
        ("Prizes", ("asset", "guarantee", "prizes")),
        ("Payout", ("auto_payout", "rail", "payout_url")),
    )

    def prepare(self) -> None:
        """Offer the operator's games, brands and currencies; start from the draft, or from its preferences."""
        draft: Tournament | None = self.row  # type: ignore[assignment]
        operator: Operator = draft.operator if draft else self.request.podium_operator  # type: ignore[attr-defined]
        self.operator = operator
        games = Game.objects.for_operator(operator.pk).filter(enabled=True).order_by("provider", "display_name", "pk")
        brands = Brand.objects.for_operator(operator.pk).filter(enabled=True).order_by("name")
        self.fields["games"] = _choice(
            [(game.slug, game.display_name, game.provider) for game in games[: MOST_TICKED + 1]],
            required=True,
            help_text="",
        )
        self.fields["brands"] = _choice(
            [(brand.external_id, brand.name, "") for brand in brands[: MOST_TICKED + 1]],
            required=False,
            help_text="None: every brand. Several make it a network tournament.",
        )
        assets = Asset.objects.for_operator(operator.pk).filter(enabled=True).order_by("code")
        self.fields["asset"].queryset = assets  # type: ignore[attr-defined]
        self.fields["asset"].initial = operator.currency
        if operator.settings.approval.always:
            self.fields["auto_payout"].initial = False
        for field in ("starts_at", "ends_at", "registration_opens_at"):
            self.fields[field].widget.attrs["data-both-times"] = ""
        if draft is not None:
            self._start_from(draft)

    def _start_from(self, draft: Tournament) -> None:
        policy = scoring.read(draft.scoring)
        scale = draft.asset.scale
        said: dict[str, Any] = {
            name: getattr(draft, name)
            for name in ("name", "external_id", "starts_at", "ends_at", "registration_opens_at", "max_players",
                         "payout_url", "debit_url")
        }  # fmt: skip
        said |= {
            name: getattr(policy, name)
            for name in ("method", "ratio", "window", "factor", "tie_break", "allow_reset", "min_bet", "limit_rounds",
                         "min_rounds", "opt_in", "grace_seconds", "auto_payout", "rail")
        }  # fmt: skip
        said |= {
            "asset": draft.asset.code,
            "entry_fee": to_amount(draft.fee_units, scale),
            "guarantee": to_amount(draft.guarantee_units, scale),
            "prizes": written(draft.prize_table),
            "round_types": ", ".join(policy.round_types),
            "invited": "\n".join(
                f"{brand},{player}" for brand, player in draft.invitations.values_list("brand_ref", "player_ref")
            ),
        }
        for name, value in said.items():
            self.fields[name].initial = value
        for name, ids in (("games", policy.games), ("brands", policy.brands)):
            ticked = isinstance(self.fields[name], TickedField)
            self.fields[name].initial = list(ids) if ticked else "\n".join(ids)
        # Its escrow is an account in this currency.
        self.fields["asset"].disabled = True

    def clean(self) -> dict[str, Any]:
        """Keep together what belongs together, in the words of the form."""
        said = super().clean() or {}
        method, opt_in = said.get("method"), said.get("opt_in")
        if method == Method.CONSECUTIVE_ROUNDS and not said.get("window"):
            self.add_error("window", "How many rounds make a run?")
        if opt_in == OptIn.INVITED and not said.get("invited") and "invited" not in self.errors:
            self.add_error("invited", "Who is invited?")
        if opt_in == OptIn.BUY_IN and not said.get("entry_fee"):
            self.add_error("entry_fee", "What does it cost?")
        limit, least = said.get("limit_rounds"), said.get("min_rounds") or 0
        if limit and least > limit:
            self.add_error("min_rounds", "Nobody could reach more rounds than count.")
        return said

    def arguments(self) -> dict[str, Any]:
        """Return the draft. What does not go with the method or the way of joining is left out."""
        said = super().arguments()
        method, opt_in = Method(said["method"]), OptIn(said["opt_in"])
        policy = scoring.RoundScoring(
            method=method,
            games=said["games"],
            brands=said["brands"],
            round_types=said["round_types"] or ("REGULAR",),
            min_bet=said["min_bet"],
            opt_in=opt_in,
            invited=said["invited"] if opt_in == OptIn.INVITED else (),
            limit_rounds=said["limit_rounds"],
            min_rounds=said["min_rounds"],
            window=said["window"] if method == Method.CONSECUTIVE_ROUNDS else None,
            ratio=Ratio(said["ratio"]) if method == Method.WIN_BET_RATIO else Ratio.SUM_OF_RATIOS,
            factor=said["factor"],
            grace_seconds=said["grace_seconds"],
            tie_break=TieBreak(said["tie_break"]),
            allow_reset=said["allow_reset"],
            auto_payout=said["auto_payout"],
            rail=RoundsRail(said["rail"]),
            payout_url=said["payout_url"] or None,
            debit_url=said["debit_url"] or None,
            prizes=said["prizes"],
        )
        new = NewTournament(
            name=said["name"],
            game_slug=said["games"][0],
            starts_at=said["starts_at"],
            ends_at=said["ends_at"],
            registration_opens_at=said["registration_opens_at"],
            external_id=said["external_id"] or None,
            currency=said["asset"].code,
            entry_fee=said["entry_fee"] if opt_in == OptIn.BUY_IN else Decimal(0),
            max_players=said["max_players"],
            min_players=1,
            guarantee=said["guarantee"],
            # A round may come late, and with it a player.
            late_registration=True,
            scoring=policy,
            draft=True,
        )
        return {"new": new} if self.row is not None else {"new": new, "operator": self.operator}


def _choice(known: list[tuple[str, str, str]], *, required: bool, help_text: str) -> forms.Field:
    """Return a field for ids with names, in groups; what has no group comes first."""
    if len(known) <= MOST_TICKED:
        choices: list[Any] = []
        for group, some in groupby(known, key=itemgetter(2)):
            named = [(ref, name) for ref, name, _ in some]
            choices += [(group, named)] if group else named
        return TickedField(choices=choices, required=required, help_text=help_text)
    return IdsField(
        required=required,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=f"Ids, one a line. {help_text}".strip(),
    )
