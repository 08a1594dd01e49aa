"""Make rounds of bets and wins that come one by one (rounds.md 4): gathered by round id, and taken in when whole.

A round is whole when its end is told and a bet has come (a win may overtake its bet), or when nothing more has come
for some time. From then on it is as any other: taken in once, and what comes for it later is refused. A transaction
counts once by its id, for a week.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Context, Decimal, localcontext
from typing import NamedTuple
from uuid import UUID

import structlog
from django.db import DataError, IntegrityError, connection, transaction

from apps.rounds.models import Channel, OpenRound, RoundKey, RoundTransaction
from apps.rounds.reading import AMOUNT_LIMIT, ToldRound
from apps.rounds.services import channels, intake

log = structlog.get_logger(__name__)

# One namespace of advisory locks; never renumbered.
GATHERER_LOCKS = 1 << 50
# How long a repetition is known.
KEPT = timedelta(days=7)
# Rounds that one transaction closes.
AT_ONCE = 1_000
# A round that can't be taken in is tried again after this.
LATER = timedelta(minutes=1)

# 20 digits before the point and 18 behind it; the usual context would round them.
WIDE = Context(prec=60)

LATE = "ROUND_CLOSED: the round is closed already"
OTHER = "OTHER_ROUND: brand, player, game, type or currency are not those of the round's first transaction"
TOO_LARGE = "VALIDATION_FAILED: the sum of the round is too large"


class ToldTransaction(NamedTuple):
    """One transaction: a round with only its amount, what the client calls it, and whether it is a bet or the end."""

    told: ToldRound
    id: str
    is_bet: bool
    ends: bool


@transaction.atomic
def gather(told: Sequence[ToldTransaction], *, channel: Channel, calls: int, at: datetime) -> Mapping[int, str]:
    """Add transactions to their rounds and take in those that are whole; return why which (by place) are refused.

    Durable when this returns, all of them or none.
    """
    _alone(channel.operator_id)
    patience = timedelta(seconds=channels.transactions_of(channel).seconds)
    digests = [_digest(channel, one.told.round_id) for one in told]
    names = [_digest(channel, f"{one.told.round_id}/{one.id}") for one in told]
    seen = set(RoundTransaction.objects.filter(pk__in=names).values_list("pk", flat=True))
    closed = set(RoundKey.objects.filter(pk__in=digests).values_list("pk", flat=True))
    opened: dict[UUID, OpenRound] = OpenRound.objects.in_bulk(digests)
    refused: dict[int, str] = {}
    added: dict[UUID, RoundTransaction] = {}
    touched: dict[UUID, OpenRound] = {}
    for place, (one, digest, name) in enumerate(zip(told, digests, names, strict=True)):
        if name in seen or name in added:
            continue
        row = opened.get(digest) or _opened(one.told, digest, channel)
        if wrong := LATE if digest in closed else _misfit(row, one.told):
            refused[place] = wrong
            continue
        _add(row, one)
        row.due_at = at + patience
        added[name] = RoundTransaction(digest=name, told_at=at)
        opened[digest] = touched[digest] = row
    RoundTransaction.objects.bulk_create(added.values())
    whole = {digest: row for digest, row in touched.items() if row.has_ended and row.has_bet}
    left = _close(list(whole.values()), channel, calls=calls, at=at)
    _keep([*left, *(row for digest, row in touched.items() if digest not in whole)])
    return refused


def close_overdue(*, at: datetime) -> int:
    """Take in rounds of which nothing more has come for long enough; return how many."""
    overdue = OpenRound.objects.filter(due_at__lte=at).values("channel")
    return sum(_close_overdue(channel, at=at) for channel in Channel.objects.filter(pk__in=overdue).order_by("pk"))


def forget_old(*, at: datetime) -> int:
    """Forget transactions that nobody repeats any more; return how many."""
    gone, _ = RoundTransaction.objects.filter(told_at__lt=at - KEPT).delete()
    return gone


def _close_overdue(channel: Channel, *, at: datetime) -> int:
    overdue = OpenRound.objects.filter(channel=channel, due_at__lte=at).order_by("due_at", "digest")
    total = 0
    while True:
        with transaction.atomic():
            _alone(channel.operator_id)
            some = list(overdue[:AT_ONCE])
            left = _close(some, channel, calls=0, at=at) if some else []
            _keep(left)
        total += len(some) - len(left)
        if len(some) < AT_ONCE:
            return total


def _close(rows: Sequence[OpenRound], channel: Channel, *, calls: int, at: datetime) -> list[OpenRound]:
    """Take rounds in, as any others, and let go of what they were made of; return those to be tried again later."""
    try:
        with transaction.atomic():
            told = [_told(row) for row in rows]
            intake.take(told, operator_id=channel.operator_id, integration=channel.integration, calls=calls, at=at)
            OpenRound.objects.filter(pk__in=[row.pk for row in rows]).delete()
    except (DataError, IntegrityError):
        if len(rows) > 1:
            return [one for row in rows for one in _close([row], channel, calls=0, at=at)]
        log.exception("open_round_not_closed", channel=channel.name, rounds=[row.round_id for row in rows])
        for row in rows:
            row.due_at = at + LATER
        return list(rows)
    return []


def _keep(rows: Sequence[OpenRound]) -> None:
    OpenRound.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["digest"],
        update_fields=["bet", "win", "has_bet", "has_ended", "occurred_at", "due_at"],
    )


def _told(row: OpenRound) -> ToldRound:
    return ToldRound(
        timestamp=row.occurred_at,
        round_id=row.round_id,
        brand_id=row.brand_ref,
        player_id=row.player_ref,
        game_id=row.game_ref,
        round_type=row.round_type,
        currency=row.currency,
        bet_amount=row.bet,
        win_amount=row.win,
    )


def _opened(told: ToldRound, digest: UUID, channel: Channel) -> OpenRound:
    return OpenRound(
        digest=digest,
        channel=channel,
        round_id=told.round_id,
        brand_ref=told.brand_id,
        player_ref=told.player_id,
        game_ref=told.game_id,
        round_type=told.round_type,
        currency=told.currency,
        occurred_at=told.timestamp,
        bet=Decimal(0),
        win=Decimal(0),
    )


def _misfit(row: OpenRound, told: ToldRound) -> str:
    """Return why a transaction can't belong to the round; "" if it can."""
    theirs = (row.brand_ref, row.player_ref, row.game_ref, row.round_type, row.currency)
    if theirs != (told.brand_id, told.player_id, told.game_id, told.round_type, told.currency):
        return OTHER
    with localcontext(WIDE):
        fits = max(row.bet + told.bet_amount, row.win + told.win_amount) < AMOUNT_LIMIT
    return "" if fits else TOO_LARGE


def _add(row: OpenRound, one: ToldTransaction) -> None:
    with localcontext(WIDE):
        row.bet += one.told.bet_amount
        row.win += one.told.win_amount
    row.has_bet |= one.is_bet
    row.has_ended |= one.ends
    row.occurred_at = max(row.occurred_at, one.told.timestamp)


def _alone(operator_id: int) -> None:
    """Be the only one who gathers an operator's transactions, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [GATHERER_LOCKS | operator_id])


def _digest(channel: Channel, name: str) -> UUID:
    return UUID(intake.digest_of(channel.operator_id, channel.integration, name))
