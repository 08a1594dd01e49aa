"""What a client may send: any spelling in, one of the services' own types out.

The serializers name fields as the reference pages do; they are also the request schemas of the API description.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from apps.core.api.spellings import Aliases
from apps.core.errors import Invalid
from apps.ledger.models import Rail
from apps.tournaments.api.casino import spellings
from apps.tournaments.api.casino.fields import (
    Amount,
    Choice,
    Distribution,
    Identifier,
    JsonObject,
    Moment,
    Text,
    Truth,
    Whole,
)
from apps.tournaments.api.casino.prize_rows import PrizeRows
from apps.tournaments.api.casino.scoring import ScoringIn, Url, policy
from apps.tournaments.models import TiePolicy, TournamentType
from apps.tournaments.services.creation import NewTournament, TournamentChanges
from apps.tournaments.services.entries import RemovalReason
from apps.tournaments.services.quoting import Quote

MAX_ENTRIES = 1000
MAX_REBUY_MINUTES = 366 * 24 * 60
RAILS = {"wallet": Rail.WALLET, "clearing": Rail.CLEARING, "operator": Rail.OPERATOR}
# Any fee at any rate: some currencies are counted in millions, and a rate has forty digits.
MAX_QUOTED = 10**36
MAX_QUOTED_DECIMALS = 60
MAY_BE_ABSENT: Mapping[str, Any] = {"required": False, "allow_null": True}


class PrizeSharesIn(serializers.Serializer[Any]):
    """What there is to win, and how it is shared by place."""

    total = Amount(**MAY_BE_ABSENT, help_text="Guaranteed minimum; also `totalAmount`, `guaranteedPrize`.")
    distribution = Distribution(**MAY_BE_ABSENT, help_text="Percentages by place; 50/30/20 when left out.")
    type = Choice(["percentage"], **MAY_BE_ABSENT)


class PrizePoolIn(PrizeSharesIn):
    """Prizes of a tournament."""

    prizes = PrizeRows(**MAY_BE_ABSENT, help_text="Prizes by rank; what nobody claims is not shared among the others.")


class TournamentIn(serializers.Serializer[Any]):
    """A tournament to create. Every field is also read in camelCase."""

    name = Text(max_length=200)
    external_id = Identifier(max_length=128, **MAY_BE_ABSENT, help_text="Unique per operator.")
    game = Text(max_length=80, help_text="Slug of an enabled game; also `gameSlug`.")
    scheduled_start = Moment(help_text="Past or now starts at once; also `startTime`.")
    scheduled_end = Moment(**MAY_BE_ABSENT, help_text="Also `endTime`.")
    entry_fee = Amount(help_text="Major units; no more decimals than the currency has.")
    currency = Text(max_length=12, **MAY_BE_ABSENT, help_text="Default: the operator's currency.")
    max_players = Whole(min_value=1, **MAY_BE_ABSENT, help_text="Null: unlimited.")
    min_players = Whole(min_value=1, **MAY_BE_ABSENT)
    prize_pool = PrizePoolIn(**MAY_BE_ABSENT)
    config = JsonObject(**MAY_BE_ABSENT, help_text="Handed to the game; may name `tournament_type`, `maxRounds`.")
    tournament_type = Choice(TournamentType.values, **MAY_BE_ABSENT)
    rebuy_enabled = Truth(**MAY_BE_ABSENT)
    rebuy_fee = Amount(**MAY_BE_ABSENT, help_text="Default: the entry fee.")
    max_entries_per_player = Whole(min_value=1, max_value=MAX_ENTRIES, **MAY_BE_ABSENT, help_text="The first included.")
    rebuy_deadline = Moment(**MAY_BE_ABSENT, help_text="Default: 30 minutes after the start. Moves with the start.")
    allow_late_registration = Truth(**MAY_BE_ABSENT)
    registration_opens_at = Moment(**MAY_BE_ABSENT)
    rake_percent = Amount(maximum=50, decimals=2, **MAY_BE_ABSENT)
    tie_policy = Choice(TiePolicy.values, **MAY_BE_ABSENT)
    enforce_min_players = Truth(**MAY_BE_ABSENT)
    auto_payout = Truth(**MAY_BE_ABSENT, help_text="False: staff approve the payouts.")
    rail = Choice(
        list(RAILS),
        **MAY_BE_ABSENT,
        help_text="Prizes to the players' wallets, back to the operator, or by its payout API at `payout_url`.",
    )
    payout_url = Url(max_length=500, **MAY_BE_ABSENT, help_text="Default: that of the settings.")
    scoring = ScoringIn(**MAY_BE_ABSENT)


class ChangesIn(serializers.Serializer[Any]):
    """What to change before the start; what is left out stays. Money only while nobody is registered."""

    name = Text(max_length=200, required=False)
    scheduled_start = Moment(required=False)
    scheduled_end = Moment(required=False)
    max_players = Whole(min_value=1, **MAY_BE_ABSENT, help_text="Null: unlimited.")
    min_players = Whole(min_value=1, required=False)
    config = JsonObject(required=False)
    tournament_type = Choice(TournamentType.values, required=False)
    entry_fee = Amount(required=False)
    prize_pool = PrizeSharesIn(required=False)


class PaymentIn(serializers.Serializer[Any]):
    """How the operator was paid."""

    payment_id = Identifier(max_length=128, **MAY_BE_ABSENT)


class QuoteIn(serializers.Serializer[Any]):
    """A fee that the player was shown: `amount` and `currency` as the call for it told them."""

    amount = Amount(maximum=MAX_QUOTED, decimals=MAX_QUOTED_DECIMALS)
    currency = Text(max_length=12)


class RegistrationIn(serializers.Serializer[Any]):
    """A player to register. Every field is also read in camelCase."""

    user_id = Identifier(max_length=128, help_text="The operator's own id of the player.")
    display_name = Text(max_length=64)
    buy_in_amount = Amount(**MAY_BE_ABSENT, help_text="When given it must equal the entry fee.")
    entry_payment_details = PaymentIn(**MAY_BE_ABSENT)
    brand_id = Identifier(max_length=64, **MAY_BE_ABSENT)
    currency = Text(
        max_length=12,
        **MAY_BE_ABSENT,
        help_text="In which the operator debits a buy-in; default: the last one used.",
    )
    quote = QuoteIn(
        **MAY_BE_ABSENT, help_text="The fee that the player confirms; 409 FEE_CHANGED if it has moved since."
    )


class RebuyIn(serializers.Serializer[Any]):
    """More entries for a player; the body may be left out."""

    additional_entries = Whole(min_value=1, max_value=MAX_ENTRIES, **MAY_BE_ABSENT, help_text="Default 1.")
    payment_id = Identifier(max_length=128, **MAY_BE_ABSENT)


class ResetIn(serializers.Serializer[Any]):
    """Why a score is reset; the body may be left out."""

    reason = Text(max_length=200, **MAY_BE_ABSENT, allow_blank=True)


class CancellationIn(serializers.Serializer[Any]):
    """Why a tournament is cancelled."""

    reason = Text(max_length=500)


class RemovalIn(serializers.Serializer[Any]):
    """Why a player leaves."""

    reason = Choice(["voluntary_exit", "elimination"])
    details = Text(max_length=200, **MAY_BE_ABSENT, allow_blank=True)


@dataclass(frozen=True, slots=True)
class Registration:
    """Who registers, and what the operator says was paid (major units)."""

    user_id: str
    display_name: str
    buy_in: Decimal | None
    payment_id: str
    brand_id: str | None
    currency: str | None = None
    quote: Quote | None = None


@dataclass(frozen=True, slots=True)
class Rebuy:
    """How many entries are added, and the operator's payment reference."""

    additional_entries: int
    payment_id: str


@dataclass(frozen=True, slots=True)
class Removal:
    """Why a player is taken out."""

    reason: RemovalReason
    details: str


def _judged(kind: type[serializers.Serializer[Any]], data: Any, aliases: Aliases) -> dict[str, Any]:
    """Return the valid fields that were given and are not null. Raises ValidationError, Invalid."""
    form = kind(data=spellings.read(data, aliases))
    form.is_valid(raise_exception=True)
    return dict(form.validated_data)


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def new_tournament(data: Any) -> NewTournament:
    """Return what a create body asks for (operators.md 3.1). Raises ValidationError, Invalid."""
    fields = _given(_judged(TournamentIn, data, spellings.TOURNAMENT))
    pool = _given(fields.get("prize_pool", {}))
    wishes = {
        "ends_at": fields.get("scheduled_end"),
        "external_id": fields.get("external_id"),
        "currency": fields.get("currency"),
        "tournament_type": fields.get("tournament_type"),
        "config": fields.get("config"),
        "max_players": fields.get("max_players"),
        "min_players": fields.get("min_players"),
        "max_entries": fields.get("max_entries_per_player"),
        "rebuy_enabled": fields.get("rebuy_enabled"),
        "rebuy_fee": fields.get("rebuy_fee"),
        "rebuy_minutes": _rebuy_minutes(fields.get("rebuy_deadline"), fields["scheduled_start"]),
        "late_registration": fields.get("allow_late_registration"),
        "registration_opens_at": fields.get("registration_opens_at"),
        "percentages": pool.get("distribution"),
        "guarantee": pool.get("total"),
        "prizes": pool.get("prizes"),
        "payout_url": fields.get("payout_url"),
        "rake_percent": fields.get("rake_percent"),
        "tie_policy": fields.get("tie_policy"),
        "enforce_min_players": fields.get("enforce_min_players"),
        "needs_approval": None if "auto_payout" not in fields else not fields["auto_payout"],
        "rail": RAILS[fields["rail"]] if "rail" in fields else None,
        "scoring": policy(fields.get("scoring"), game=fields["game"]),
    }
    return NewTournament(
        name=fields["name"],
        game_slug=fields["game"],
        starts_at=fields["scheduled_start"],
        entry_fee=fields["entry_fee"],
        **_given(wishes),
    )


def _rebuy_minutes(deadline: datetime | None, start: datetime) -> int | None:
    """Rebuys end a number of minutes after the start, so a time is turned into those; part of a minute is lost."""
    if deadline is None:
        return None
    minutes = (deadline - start) // timedelta(minutes=1)
    if not 0 <= minutes <= MAX_REBUY_MINUTES:
        raise Invalid(
            "Invalid request parameters.", fields={"rebuy_deadline": ["Must be within a year after the start."]}
        )
    return minutes


def tournament_changes(data: Any) -> TournamentChanges:
    """Return what an update body asks for (operators.md 3.4). Raises ValidationError, Invalid when it is nothing."""
    fields = _judged(ChangesIn, data, spellings.CHANGES)
    pool = _given(fields.get("prize_pool", {}))
    unlimited = "max_players" in fields and fields["max_players"] is None
    wishes = _given(
        {
            "name": fields.get("name"),
            "starts_at": fields.get("scheduled_start"),
            "ends_at": fields.get("scheduled_end"),
            "max_players": fields.get("max_players"),
            "min_players": fields.get("min_players"),
            "config": fields.get("config"),
            "tournament_type": fields.get("tournament_type"),
            "entry_fee": fields.get("entry_fee"),
            "percentages": pool.get("distribution"),
            "guarantee": pool.get("total"),
        }
    )
    if not wishes and not unlimited:
        raise Invalid("There is nothing to change.", fields={"body": ["Name at least one field."]})
    return TournamentChanges(unlimited=unlimited, **wishes)


def registration(data: Any) -> Registration:
    """Return who registers (operators.md 3.8). Raises ValidationError, Invalid."""
    fields = _given(_judged(RegistrationIn, data, spellings.REGISTRATION))
    return Registration(
        user_id=fields["user_id"],
        display_name=fields["display_name"],
        buy_in=fields.get("buy_in_amount"),
        payment_id=_given(fields.get("entry_payment_details", {})).get("payment_id", ""),
        brand_id=fields.get("brand_id"),
        currency=fields.get("currency"),
        quote=_quote(fields),
    )


def _quote(fields: Mapping[str, Any]) -> Quote | None:
    if "quote" not in fields:
        return None
    said = Quote(fields["quote"]["amount"], fields["quote"]["currency"])
    if fields.get("currency", said.currency).upper() != said.currency.upper():
        raise Invalid("Invalid request parameters.", fields={"currency": ["Differs from that of the quote."]})
    return said


def rebuy(data: Any) -> Rebuy:
    """Return what is bought (operators.md 3.12). Raises ValidationError, Invalid."""
    fields = _given(_judged(RebuyIn, data, spellings.REBUY))
    return Rebuy(fields.get("additional_entries", 1), fields.get("payment_id", ""))


def reset(data: Any) -> str:
    """Return why a score is reset, "" if nobody says. Raises ValidationError, Invalid."""
    reason: str | None = _judged(ResetIn, data, spellings.RESET).get("reason")
    return reason or ""


def cancellation(request: Request) -> str:
    """Return the reason, from the body or the query (operators.md 3.5). Raises ValidationError, Invalid."""
    reason: str = _judged(CancellationIn, _with_query(request, spellings.CANCELLATION), spellings.CANCELLATION)[
        "reason"
    ]
    return reason


def removal(request: Request) -> Removal:
    """Return why a player leaves, from the body or the query (operators.md 3.11). Raises ValidationError, Invalid."""
    fields = _given(_judged(RemovalIn, _with_query(request, spellings.REMOVAL), spellings.REMOVAL))
    return Removal(fields["reason"], fields.get("details", ""))


def _with_query(request: Request, aliases: Aliases) -> Any:
    """Some HTTP clients drop the body of a DELETE, so the query may say it instead, but not something else."""
    body = request.data
    query = {name: request.query_params[name] for name in aliases if name in request.query_params}
    if not isinstance(body, Mapping):
        return body
    differing = [name for name in query if name in body and body[name] != query[name]]
    if differing:
        raise Invalid(
            "The body and the query disagree.", fields={name: ["Differs from the query."] for name in differing}
        )
    return {**query, **body}
