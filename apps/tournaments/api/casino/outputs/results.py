"""The board, the prize pool, the events and a player's history (operators.md 3.13 to 3.17)."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from apps.core.api.json import dumps
from apps.core.clock import iso
from apps.core.numbers import number
from apps.events.facts import envelope
from apps.events.models import Fact
from apps.operators.models import Player
from apps.tournaments import rules
from apps.tournaments.api.casino import words
from apps.tournaments.api.casino.outputs.shared import ordinal, pagination, points_text, rounded
from apps.tournaments.api.casino.outputs.tournaments import pool_now
from apps.tournaments.api.casino.queries import Page
from apps.tournaments.models import Entry, Tournament
from apps.tournaments.services import pools
from apps.tournaments.services.results import money
from apps.tournaments.services.tally import Totals


def prizes_now(subject: Tournament, totals: Totals) -> list[int]:
    """Return the base units of each paid place, as if it ended now.

    Before the start nobody knows how many will come, so every place counts; afterwards the places that exist.
    """
    total = pools.pool_of(subject, totals).total
    players = totals.players
    if subject.started_at is None and subject.cancelled_at is None:
        players = max(players, pools.places(subject, players))
    return pools.prizes_by_place(subject, total, players)


def by_ordinal(subject: Tournament, prizes: Iterable[int]) -> dict[str, Any]:
    """Return amounts keyed 1st, 2nd, 3rd, …."""
    return {ordinal(place): money(subject, units) for place, units in enumerate(prizes, start=1)}


def leaderboard(
    subject: Tournament,
    rows: Sequence[tuple[int, Entry]],
    prizes: Sequence[int],
    won: Mapping[int, int],
    *,
    pool_units: int,
    total: int,
    page: Page,
    last_updated: datetime | None,
    rounds_left: Mapping[int, int],
    at: datetime,
) -> dict[str, Any]:
    """Return a page of the board (operators.md 3.13); `won` maps entries to the prizes that were fixed."""
    return {
        "tournamentId": str(subject.pk),
        "status": words.status_of(subject, at),
        "currentRound": subject.current_round,
        "totalRounds": subject.max_rounds,
        "lastUpdated": iso(last_updated or subject.created_at),
        "leaderboard": [
            _row(subject, position, entry, won=entry.pk in won, left=rounds_left.get(entry.pk))
            for position, entry in rows
        ],
        "pagination": pagination(page, total=total, shown=len(rows)),
        "prizePool": {"totalAmount": money(subject, pool_units), "distribution": by_ordinal(subject, prizes)},
    }


def _row(subject: Tournament, position: int, entry: Entry, *, won: bool, left: int | None) -> msgspec.Raw:
    """Return a row of the board, spelled once for as long as the objects that it shows are the same.

    Boards share their entries between requests (services/boards.py), and a tournament that changed is another object.
    """
    known = entry.__dict__.get("_spelled")
    if known is not None and known[0] is subject and known[1:4] == (position, won, left):
        spelled: msgspec.Raw = known[4]
        return spelled
    row = msgspec.Raw(
        dumps(
            {
                "position": position,
                "playerId": str(entry.player_id),
                "userId": entry.player.external_id,
                "displayName": entry.display_name,
                "points": number(entry.points),
                "status": words.entry_status_of(entry, subject, won=won),
                "entryCount": entry.entry_count,
                "totalPaid": money(subject, entry.paid_units),
                "currentRound": entry.current_round or subject.current_round,
                "lastActivity": iso(entry.changed_at),
            }
            | ({} if left is None else {"roundsLeft": left})
        )
    )
    entry.__dict__["_spelled"] = (subject, position, won, left, row)
    return row


def prize_pool(
    subject: Tournament, totals: Totals, prizes: Sequence[int], *, final: bool, at: datetime
) -> dict[str, Any]:
    """Return how the prize pool comes about (operators.md 3.15)."""
    pool = pools.pool_of(subject, totals)
    shares = rules.percentages_for(subject.prize_rules, totals.players)
    whole = pool_now(subject, totals)
    return {
        "tournamentId": str(subject.pk),
        "currency": subject.asset.code,
        "totalAmount": whole["totalAmount"],
        "guaranteedPrize": whole["guaranteedPrize"],
        "entryFees": money(subject, totals.first_fee_units),
        "rebuyFees": money(subject, totals.rebuy_units),
        "rakePercent": number(Decimal(subject.rake_bps) / 100),
        "rakeAmount": money(subject, pool.fees.get("rake", 0)),
        "totalEntries": totals.entries,
        "playerCount": totals.players,
        "isFinal": final,
        "distribution": whole["distribution"],
        "payouts": [
            {
                "position": place,
                "percentage": number(shares[place - 1]) if place <= len(shares) else 0,
                "amount": money(subject, units),
            }
            for place, units in enumerate(prizes, start=1)
        ],
        "prizePool": {**whole, "distribution": by_ordinal(subject, prizes)},
        "calculatedAt": iso(at),
    }


def events(subject: Tournament, found: Sequence[Fact], *, total: int, page: Page) -> dict[str, Any]:
    """Return a page of the event history (operators.md 3.16)."""
    operator_id = subject.operator.public_id
    return {
        "tournamentId": str(subject.pk),
        "events": [envelope(fact, operator_id) for fact in found],
        "pagination": pagination(page, total=total, shown=len(found)),
    }


def history(
    player: Player,
    entries: Sequence[Entry],
    totals: Mapping[int, Totals],
    won: Collection[int],
    statistics: Mapping[str, Any],
    *,
    number_of_page: int,
    per_page: int,
    at: datetime,
) -> dict[str, Any]:
    """Return a page of a player's tournaments (operators.md 3.17). The entries carry `final_position`."""
    total: int = statistics["total_tournaments"]
    return {
        "player_id": str(player.pk),
        "external_id": player.external_id,
        "display_name": player.display_name,
        "tournament_history": {
            "data": [
                {
                    "tournament_id": str(entry.tournament_id),
                    "tournament_name": entry.tournament.name,
                    "tournament_type": entry.tournament.tournament_type,
                    "status": words.status_of(entry.tournament, at),
                    "started_at": iso(entry.tournament.started_at),
                    "ended_at": iso(entry.tournament.completed_at or entry.tournament.cancelled_at),
                    "player_status": words.entry_status_of(entry, entry.tournament, won=entry.pk in won),
                    "points_earned": points_text(entry.points),
                    "final_position": getattr(entry, "final_position", None),
                    "total_players": totals[entry.tournament_id].players,
                }
                for entry in entries
            ],
            "current_page": number_of_page,
            "per_page": per_page,
            "total": total,
            "last_page": max(1, -(-total // per_page)),
        },
        "performance_statistics": {
            "total_tournaments": total,
            "completed_tournaments": statistics["completed_tournaments"],
            "average_position": rounded(statistics["average_position"]),
            "best_position": statistics["best_position"],
            "total_points_earned": number(statistics["total_points_earned"] or 0),
        },
    }
