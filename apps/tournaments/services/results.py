"""The frozen outcome of a tournament, read from its plan (operators.md 3.14)."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Avg, DecimalField, Min, Q, Sum
from django.db.models.functions import Coalesce

from apps.core.clock import iso
from apps.core.errors import DomainError
from apps.core.exact import decoded
from apps.core.numbers import number
from apps.events.services.recording import NewFact
from apps.ledger.lifecycle import PayoutStatus
from apps.ledger.models import Payout, PlanKind, Purpose
from apps.operators.models import Player
from apps.tournaments import facts, prizes
from apps.tournaments.lifecycle import FINISHED
from apps.tournaments.models import Entry, Tournament
from apps.tournaments.services import pools, tally

# Shares by place are told of so many places; the table tells all of them.
TOLD = 1000


class ResultsNotAvailable(DomainError):
    """Results exist only after completion."""

    code = "RESULTS_NOT_AVAILABLE"


def prize_payouts(tournament: Tournament) -> Any:
    """Return the prizes of the frozen plan, best place first, without those that staff refused to pay.

    Their `position` is the rank that the player is told. The plan was written in the order of the ranking, so that its
    own order is that of those who share a rank.
    """
    fixed = Payout.objects.exclude(status=PayoutStatus.NOT_ELIGIBLE)
    return fixed.filter(
        plan__operator_id=tournament.operator_id,
        plan__subject=tournament.subject,
        plan__kind=PlanKind.SETTLEMENT,
        purpose=Purpose.PRIZE,
    ).order_by("position", "pk")


def prizes_by_entry(payouts: Any) -> Any:
    """Return (entry, rank, cash in base units) of each winner, best place first; one may have several payouts."""
    cash = Coalesce(Sum("units", filter=Q(award="")), Decimal(0), output_field=DecimalField())
    winners = payouts.order_by().values("entry_ref", "position").annotate(cash=cash, first=Min("pk"))
    return winners.order_by("position", "first").values_list("entry_ref", "position", "cash")


def free_rounds(tournament: Tournament, entry_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return `freeRounds` of those entries that have won some."""
    rows = prize_payouts(tournament).filter(entry_ref__in=entry_ids).exclude(award="")
    found: dict[int, dict[str, Any]] = {}
    for entry_id, award in rows.order_by("pk").values_list("entry_ref", "award"):
        found.setdefault(entry_id, {"freeRounds": []})["freeRounds"].append(_without_type(award))
    return found


def _without_type(award: str) -> dict[str, Any]:
    told = decoded(award)
    return {name: value for name, value in told.items() if name != "type"} | {"value": number(Decimal(told["value"]))}


def outcome(tournament: Tournament, *, winners: int | None = None) -> dict[str, Any]:
    """Return the results body; `winners` bounds the list. Raises ResultsNotAvailable before completion."""
    if tournament.status not in FINISHED or tournament.completed_at is None or tournament.cancelled_at is not None:
        raise ResultsNotAvailable(status=tournament.status)
    totals = tally.totals(tournament.pk)
    pool = pools.pool_of(tournament, totals)
    won = list(prizes_by_entry(prize_payouts(tournament))[:winners])
    entries = Entry.objects.in_bulk([row[0] for row in won])
    free = free_rounds(tournament, [row[0] for row in won]) if tournament.prize_table else {}
    paid = sum(int(row[2]) for row in won)
    if winners is not None and len(won) == winners:
        paid = int(prize_payouts(tournament).filter(award="").aggregate(units=Sum("units"))["units"] or 0)
    board = Entry.objects.filter(tournament=tournament).on_board()
    average = board.aggregate(mean=Avg("points"))["mean"] or Decimal(0)
    return {
        "tournamentId": str(tournament.pk),
        "name": tournament.name,
        "status": "completed",
        "completedAt": iso(tournament.completed_at),
        "duration": facts.duration(tournament),
        "totalPlayers": totals.players,
        "totalRounds": tournament.current_round or tournament.max_rounds or 0,
        "prizePool": prize_pool(tournament, pool.total),
        "winners": [
            _winner(tournament, entries[entry_id], position, int(units)) | free.get(entry_id, {})
            for entry_id, position, units in won
        ],
        "statistics": {
            "averageScore": number(round(average, 2)),
            "totalEntryFees": money(tournament, totals.first_fee_units),
            "totalRebuys": totals.entries - totals.players,
            "operatorRevenue": money(tournament, totals.collected - paid),
        },
    }


def money(tournament: Tournament, units: int | Decimal) -> Decimal | int:
    """Return base units as the shortest JSON number in major units."""
    return number(facts.amount(tournament, units))


def prize_pool(tournament: Tournament, total_units: int) -> dict[str, Any]:
    """Return the PrizePool object (operators.md 3.0); `prizes` beside it where they go by a table (rounds.md 5.6)."""
    shares = tournament.prize_rules[-1]["percentages"] if tournament.prize_rules else []
    if tournament.prize_table:
        shares = prizes.shares(tournament.prize_table, TOLD)
    return {
        "totalAmount": money(tournament, total_units),
        "currency": tournament.asset.code,
        "guaranteedPrize": money(tournament, tournament.guarantee_units),
        "distribution": {str(place): number(Decimal(share)) for place, share in enumerate(shares, start=1)},
        **({"prizes": prizes.told(tournament.prize_table)} if tournament.prize_table else {}),
    }


def _winner(tournament: Tournament, entry: Entry, position: int, units: int) -> dict[str, Any]:
    return {
        "position": position,
        "playerId": str(entry.player_id),
        "displayName": entry.display_name,
        "finalScore": number(entry.points),
        "prizeAmount": money(tournament, units),
        "netWinnings": money(tournament, units - int(entry.paid_units)),
        "entryCount": entry.entry_count,
        "totalPaid": money(tournament, entry.paid_units),
    }


def payout_facts(tournament: Tournament, paid: Iterable[Any]) -> list[NewFact]:
    """Return one `prize.distributed` or `player.refunded` per player who was just paid."""
    rows = [row for row in paid if row.player_id is not None]
    awards: Mapping[int, str] = {}
    if tournament.prize_table:
        given = Payout.objects.filter(pk__in=[row.id for row in rows]).exclude(award="")
        awards = dict(given.values_list("pk", "award"))
    user_ids: Mapping[int, str] = dict(
        Player.objects.filter(pk__in={row.player_id for row in rows}).values_list("pk", "external_id")
    )
    return [
        NewFact(
            "prize.distributed" if row.purpose == Purpose.PRIZE else "player.refunded",
            tournament.subject,
            {
                "playerId": str(row.player_id),
                "userId": user_ids[row.player_id],
                "position": row.position,
                ("prizeAmount" if row.purpose == Purpose.PRIZE else "refundAmount"): money(
                    tournament, 0 if row.id in awards else row.units
                ),
                "currency": tournament.asset.code,
                **({"freeRounds": _without_type(awards[row.id])} if row.id in awards else {}),
            },
        )
        for row in rows
    ]
