"""The `scoring` object of a tournament to create (podium.md 3): any spelling in, the policy out."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from rest_framework import serializers

from apps.core.errors import Invalid
from apps.tournaments import scoring
from apps.tournaments.api.casino.fields import Amount, Choice, Identifier, Text, Truth, Whole
from apps.tournaments.api.casino.prize_rows import PrizeRows
from apps.tournaments.scoring import Method, OptIn, Ratio, RoundScoring, RoundsRail, TieBreak

MAY_BE_ABSENT: Mapping[str, Any] = {"required": False, "allow_null": True}
SOURCES = ("rounds", "reported")
MAX_GAMES = 20_000
MAX_INVITED = 100_000
MAX_GRACE = 7 * 24 * 3600
MAX_FACTOR = 10**6

# Spellings of the fields; `scoring.` stands before each.
SPELLINGS = {
    "source": (),
    "method": (),
    "games": (),
    "brands": (),
    "round_types": ("roundTypes",),
    "min_bet": ("minBet", "minBetAmount"),
    "opt_in": ("optIn",),
    "invited": (),
    "limit_rounds": ("limitRounds",),
    "min_rounds": ("minRounds",),
    "window": (),
    "ratio": (),
    "factor": (),
    "grace_seconds": ("graceSeconds",),
    "tie_break": ("tieBreak",),
    "allow_reset": ("allowReset", "allowScoreReset"),
    "auto_payout": ("autoPayout",),
    "rail": (),
    "payout_url": ("payoutUrl",),
    "debit_url": ("debitUrl",),
    "prizes": (),
}


class Url(Text):
    """An http(s) address; whether it may be called is checked when it is."""

    default_error_messages = {"url": "Expected an http(s) address."}

    def to_internal_value(self, data: Any) -> str:
        """Return the address."""
        address = super().to_internal_value(data)
        try:
            parts = urlsplit(address)
        except ValueError:
            self.fail("url")
        if parts.scheme not in ("http", "https") or not parts.hostname or not address.isprintable():
            self.fail("url")
        return address


class InvitationIn(serializers.Serializer[Any]):
    """Somebody who is invited."""

    brandId = Identifier(max_length=100)  # noqa: N815 - as on the wire
    playerId = Identifier(max_length=128)  # noqa: N815 - as on the wire


class ScoringIn(serializers.Serializer[Any]):
    """How points are made. Every field is also read in camelCase; all but `source` only for the source `rounds`."""

    source = Choice(  # type: ignore[assignment]  # a field of that name
        SOURCES, help_text="`rounds`: computed from game rounds. `reported`: told by the game."
    )
    method = Choice([*Method], **MAY_BE_ABSENT)
    games = serializers.ListField(
        child=Identifier(max_length=100), min_length=1, max_length=MAX_GAMES, **MAY_BE_ABSENT,
        help_text="Games whose rounds count; the tournament's own game when left out.",
    )  # fmt: skip
    brands = serializers.ListField(
        child=Identifier(max_length=100), max_length=MAX_GAMES, **MAY_BE_ABSENT, help_text="None named: all of them."
    )
    round_types = serializers.ListField(
        child=Identifier(max_length=100), min_length=1, max_length=100, **MAY_BE_ABSENT, help_text="Default REGULAR."
    )
    min_bet = Amount(**MAY_BE_ABSENT, help_text="Smallest bet of a round that counts, in the tournament's currency.")
    opt_in = Choice([*OptIn], **MAY_BE_ABSENT)
    invited = InvitationIn(many=True, **MAY_BE_ABSENT, max_length=MAX_INVITED)  # type: ignore[call-arg]  # of the list
    limit_rounds = Whole(min_value=1, **MAY_BE_ABSENT, help_text="Only the first so many rounds of a player count.")
    min_rounds = Whole(min_value=0, **MAY_BE_ABSENT, help_text="Who has fewer rounds has no points yet.")
    window = Whole(min_value=1, max_value=scoring.MAX_WINDOW, **MAY_BE_ABSENT, help_text="Of CONSECUTIVE_ROUNDS.")
    ratio = Choice([*Ratio], **MAY_BE_ABSENT, help_text="The reading of WIN_BET_RATIO.")
    factor = Amount(maximum=MAX_FACTOR, decimals=6, **MAY_BE_ABSENT, help_text="Points are multiplied by this.")
    grace_seconds = Whole(min_value=0, max_value=MAX_GRACE, **MAY_BE_ABSENT, help_text="For late rounds; default 300.")
    tie_break = Choice(
        [*TieBreak],
        **MAY_BE_ABSENT,
        help_text="Who comes first of those with equal points; default EARLIEST. SHARE_RANK: nobody, they have one "
        "rank (1, 2, 2, 4) and share the cash of their places. SPLIT_PRIZE: they share it, with ranks of their own.",
    )
    allow_reset = Truth(**MAY_BE_ABSENT, help_text="Whether a score may be reset while it runs.")
    auto_payout = Truth(**MAY_BE_ABSENT, help_text="False: staff approve the payouts. Default true.")
    rail = Choice([*RoundsRail], **MAY_BE_ABSENT)
    payout_url = Url(max_length=500, **MAY_BE_ABSENT)
    debit_url = Url(max_length=500, **MAY_BE_ABSENT)
    prizes = PrizeRows(**MAY_BE_ABSENT, help_text="Prizes by rank, as in `prize_pool`; those of both count.")


def policy(given: Mapping[str, Any] | None, *, game: str) -> RoundScoring | None:
    """Return the policy that was asked for, or None for reported points. Raises Invalid for what does not fit."""
    if given is None or given["source"] == "reported":
        return None
    said = {name: value for name, value in given.items() if value is not None and name != "source"}
    if "method" not in said:
        raise _wrong("method", "This field is required.")
    method = Method(said["method"])
    _refuse_misfits(method, said)
    invited = tuple(scoring.Invitation(one["brandId"], one["playerId"]) for one in said.pop("invited", ()))
    if len(set(invited)) != len(invited):
        raise _wrong("invited", "A player is named twice.")
    for name in ("games", "brands", "round_types"):
        if name in said:
            said[name] = tuple(dict.fromkeys(said[name]))
    kinds = {"opt_in": OptIn, "ratio": Ratio, "tie_break": TieBreak, "rail": RoundsRail}
    said |= {name: kind(said[name]) for name, kind in kinds.items() if name in said}
    said["prizes"] = tuple(said.get("prizes", ()))
    return RoundScoring(**{"games": (game,)} | said | {"method": method, "invited": invited})


def _refuse_misfits(method: Method, said: Mapping[str, Any]) -> None:
    if (method == Method.CONSECUTIVE_ROUNDS) != ("window" in said):
        raise _wrong("window", "CONSECUTIVE_ROUNDS, and only that, needs a window.")
    if "ratio" in said and method != Method.WIN_BET_RATIO:
        raise _wrong("ratio", "Only WIN_BET_RATIO has readings.")
    if said.get("factor") == 0:
        raise _wrong("factor", "Must be above 0.")
    if (said.get("opt_in") == OptIn.INVITED) != bool(said.get("invited")):
        raise _wrong("invited", "INVITED, and only that, needs a list of players.")
    limit = said.get("limit_rounds")
    if limit is not None and said.get("min_rounds", 0) > limit:
        raise _wrong("minRounds", "Nobody could reach more rounds than limitRounds.")


def _wrong(name: str, message: str) -> Invalid:
    return Invalid("Invalid request parameters.", fields={f"scoring.{name}": [message]})
