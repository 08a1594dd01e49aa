"""From models to the bodies of the casino dialect (operators.md 3). Pure: what is needed comes as arguments.

Amounts are JSON numbers in major units, times ISO 8601 in UTC, ids strings of digits.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
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
from apps.tournaments.api.casino.queries import Page
from apps.tournaments.models import Entry, StartMode, Tournament
from apps.tournaments.services import pools, results
from apps.tournaments.services.results import money
from apps.tournaments.services.tally import Totals

CENT = Decimal("0.01")
TEENS = range(11, 14)
SUFFIXES = {1: "st", 2: "nd", 3: "rd"}


def ordinal(place: int) -> str:
    """Return 1st, 2nd, 3rd, 4th, … 11th, 12th, 13th, … 21st."""
    suffix = "th" if place % 100 in TEENS else SUFFIXES.get(place % 10, "th")
    return f"{place}{suffix}"


def points_text(points: Decimal) -> str:
    """Return points as the endpoints that write them as text do: shortest, never with an exponent."""
    return format(Decimal(number(points)), "f")


def pagination(page: Page, *, total: int, shown: int) -> dict[str, Any]:
    """Return the `pagination` object."""
    return {
        "total": total,
        "limit": shown if page.limit is None else page.limit,
        "offset": page.offset,
        "hasMore": page.offset + shown < total,
    }


def average(total: int, count: int) -> Decimal | int:
    """Return a mean with two decimals; 0 of nothing."""
    return number((Decimal(total) / count).quantize(CENT, ROUND_HALF_UP)) if count else 0


# --- tournaments ------------------------------------------------------------------------------------------------------


def pool_now(tournament: Tournament, totals: Totals) -> dict[str, Any]:
    """Return the PrizePool object (operators.md 3.0)."""
    return results.prize_pool(tournament, pools.pool_of(tournament, totals).total)


def tournament(subject: Tournament, totals: Totals, *, at: datetime) -> dict[str, Any]:
    """Return the Tournament object: both documented variants and what they leave out (operators.md 3.0)."""
    fee, rebuy_fee = money(subject, subject.fee_units), money(subject, subject.rebuy_fee_units)
    return {
        "tournamentId": str(subject.pk),
        "id": str(subject.pk),
        "operator_id": subject.operator.public_id,
        "external_id": subject.external_id,
        "name": subject.name,
        "gameSlug": subject.game.slug,
        "status": words.status_of(subject, at),
        "scheduledStart": iso(subject.starts_at),
        "scheduledEnd": iso(subject.ends_at),
        "actualStartTime": iso(subject.started_at),
        "completedAt": iso(subject.completed_at),
        "cancelledAt": iso(subject.cancelled_at),
        "maxPlayers": subject.max_players,
        "minPlayers": subject.min_players,
        "min_players": subject.min_players,
        "currentPlayers": totals.players,
        "entryFee": fee,
        "currency": subject.asset.code,
        "prizePool": pool_now(subject, totals),
        "gameConfig": subject.config,
        "games": [{"slug": subject.game.slug, "config": subject.config, "status": "active"}],
        "tournamentType": subject.tournament_type,
        "startCondition": "min_players_reached" if subject.start_mode == StartMode.AT_COUNT else None,
        "registrationOpensAt": iso(subject.registration_opens_at),
        "allowLateRegistration": subject.late_registration,
        "rebuyEnabled": subject.rebuy_enabled,
        "rebuyFee": rebuy_fee,
        "maxEntriesPerPlayer": subject.max_entries,
        "rebuyConfig": {
            "enabled": subject.rebuy_enabled,
            "fee": rebuy_fee,
            "maxEntriesPerPlayer": subject.max_entries,
            "deadline": iso(subject.rebuy_deadline),
        },
        "createdAt": iso(subject.created_at),
    }


def created(subject: Tournament, totals: Totals, *, at: datetime) -> dict[str, Any]:
    """Return the create answer: every documented variant at once (operators.md 3.1)."""
    status, start = words.status_of(subject, at), iso(subject.starts_at)
    estimate = money(subject, pools.estimate(subject))
    return {
        "tournament_id": str(subject.pk),
        "tournamentId": str(subject.pk),
        "status": status,
        "scheduledStart": start,
        "scheduled_start": start,
        "estimated_prize_pool": estimate,
        "estimatedPrizePool": estimate,
        "roomId": subject.room_id or None,
        "room_id": subject.room_id or None,
        "gameUrl": subject.room_url or None,
        "game_url": subject.room_url or None,
        "tournament": tournament(subject, totals, at=at),
    }


def tournament_list(
    found: Sequence[Tournament], totals: Mapping[int, Totals], *, total: int, page: Page, at: datetime
) -> dict[str, Any]:
    """Return a page of tournaments (operators.md 3.2)."""
    return {
        "tournaments": [tournament(one, totals[one.pk], at=at) for one in found],
        "pagination": pagination(page, total=total, shown=len(found)),
        "totalCount": total,
    }


def details(
    subject: Tournament, totals: Totals, best: Iterable[tuple[int, Entry]], won: Mapping[int, int], *, at: datetime
) -> dict[str, Any]:
    """Return a tournament with its first places (operators.md 3.3)."""
    return {
        "tournament": tournament(subject, totals, at=at),
        "player_count": totals.players,
        "prize_pool": pool_now(subject, totals),
        "leaderboard_preview": [
            {
                "position": position,
                "player_id": str(entry.player_id),
                "display_name": entry.display_name,
                "points": points_text(entry.points),
                "status": words.entry_status_of(entry, subject, won=entry.pk in won),
                "userId": entry.player.external_id,
            }
            for position, entry in best
        ],
        "participation_stats": {
            **entry_statistics(totals),
            "active_players": totals.active,
            "eliminated_players": totals.players - totals.active,
        },
    }


def entry_statistics(totals: Totals) -> dict[str, Any]:
    """Return the counts that several answers share (operators.md 3.3, 3.12)."""
    return {
        "total_players": totals.players,
        "total_entries": totals.entries,
        "average_entries_per_player": average(totals.entries, totals.players),
    }


def started(subject: Tournament, totals: Totals, *, at: datetime) -> dict[str, Any]:
    """Return the answer to a start by hand (operators.md 3.6)."""
    return {
        "tournament": tournament(subject, totals, at=at),
        "actual_start_time": iso(subject.started_at),
        "final_player_count": totals.players,
        "final_prize_pool": money(subject, pools.pool_of(subject, totals).total),
        "message": "started",
    }


def cancelled(subject: Tournament, *, refunded_units: int, players: int) -> dict[str, Any]:
    """Return the answer to a cancellation (operators.md 3.5)."""
    return {
        "cancelled": True,
        "reason": subject.cancel_reason,
        "refunds": {"totalRefunded": money(subject, refunded_units), "playersRefunded": players},
    }


def status(subject: Tournament, totals: Totals, *, room: str, at: datetime) -> dict[str, Any]:
    """Return where a tournament stands (operators.md 3.7)."""
    word, phase = words.status_of(subject, at), words.phase_of(subject, at)
    running = word == words.IN_PROGRESS
    return {
        "tournament_id": str(subject.pk),
        "tournamentId": str(subject.pk),
        "status": word,
        "current_phase": phase,
        "currentPhase": phase,
        "player_counts": {
            "total_registered": totals.players,
            "active_players": totals.active,
            "eliminated_players": totals.players - totals.active,
        },
        "active_games": [{"slug": subject.game.slug, "status": "active", "room_id": room}] if running else [],
    }


# --- players ----------------------------------------------------------------------------------------------------------


def registered(subject: Tournament, entry: Entry, *, jwt: str, game_url: str) -> dict[str, Any]:
    """Return the answer to a registration, with the token under the game's slug and at the top (operators.md 3.8)."""
    return {
        "player_id": str(entry.player_id),
        "playerId": str(entry.player_id),
        "internal_player_id": entry.internal_player_id,
        "internalPlayerId": entry.internal_player_id,
        "tournament_id": str(subject.pk),
        "tournamentId": str(subject.pk),
        "status": words.REGISTERED,
        subject.game.slug: {"jwt": jwt, "game_url": game_url},
        "jwt": jwt,
        "gameUrl": game_url,
        "game_url": game_url,
        "message": "registered",
    }


def listed_player(subject: Tournament, entry: Entry, *, position: int | None, won: int | None) -> dict[str, Any]:
    """Return one element of the player list (operators.md 3.9); `won` is the prize in base units."""
    return {
        "playerId": str(entry.player_id),
        "userId": entry.player.external_id,
        "internalPlayerId": entry.internal_player_id,
        "displayName": entry.display_name,
        "status": words.entry_status_of(entry, subject, won=won is not None),
        "registeredAt": iso(entry.registered_at),
        "entryCount": entry.entry_count,
        "totalPaid": money(subject, entry.paid_units),
        "currentPosition": position,
        "currentScore": number(entry.points),
        "eliminatedAt": iso(entry.eliminated_at),
        "prizeAmount": None if won is None else money(subject, won),
    }


def player_status(subject: Tournament, entry: Entry, *, position: int | None, won: bool) -> dict[str, Any]:
    """Return where one player stands (operators.md 3.10)."""
    current = entry.current_round or subject.current_round
    return {
        "player_id": str(entry.player_id),
        "internal_player_id": entry.internal_player_id,
        "display_name": entry.display_name,
        "tournament_id": str(subject.pk),
        "status": words.entry_status_of(entry, subject, won=won),
        "points": points_text(entry.points),
        "position": position,
        "current_round": str(current) if current else None,
        "current_group": entry.current_group or None,
        "elimination_round": entry.elimination_round,
        "user_id": entry.player.external_id,
    }


def removed(entry: Entry, *, reason: str, remaining: int) -> dict[str, Any]:
    """Return the answer to a removal (operators.md 3.11)."""
    return {
        "player_id": str(entry.player_id),
        "tournament_id": str(entry.tournament_id),
        "status": words.entry_word(entry.status, started=True, won=False),
        "reason": reason,
        "remaining_players": remaining,
        "message": "removed",
    }


def rebought(subject: Tournament, entry: Entry, totals: Totals, *, additional: int) -> dict[str, Any]:
    """Return the answer to a rebuy (operators.md 3.12)."""
    return {
        "rebuy_approved": True,
        "new_entry_count": entry.entry_count,
        "total_paid": money(subject, entry.paid_units),
        "additional_entries": additional,
        "entry_statistics": entry_statistics(totals),
        "message": "rebuy recorded",
    }


# --- results ----------------------------------------------------------------------------------------------------------


def prizes_now(subject: Tournament, totals: Totals) -> list[int]:
    """Return the base units of each paid place, as if it ended now.

    Before the start nobody knows how many will come, so every place counts; afterwards the places that exist.
    """
    total = pools.pool_of(subject, totals).total
    players = totals.players
    if subject.started_at is None and subject.cancelled_at is None:
        players = max(players, len(rules.percentages_for(subject.prize_rules, players)))
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
    at: datetime,
) -> dict[str, Any]:
    """Return a page of the board (operators.md 3.13); `won` maps entries to the prizes that were fixed."""
    return {
        "tournamentId": str(subject.pk),
        "status": words.status_of(subject, at),
        "currentRound": subject.current_round,
        "totalRounds": subject.max_rounds,
        "lastUpdated": iso(last_updated or subject.created_at),
        "leaderboard": [_row(subject, position, entry, won=entry.pk in won) for position, entry in rows],
        "pagination": pagination(page, total=total, shown=len(rows)),
        "prizePool": {"totalAmount": money(subject, pool_units), "distribution": by_ordinal(subject, prizes)},
    }


def _row(subject: Tournament, position: int, entry: Entry, *, won: bool) -> msgspec.Raw:
    """Return a row of the board, spelled once for as long as the objects that it shows are the same.

    Boards share their entries between requests (services/boards.py), and a tournament that changed is another object.
    """
    known = entry.__dict__.get("_spelled")
    if known is not None and known[0] is subject and known[1:3] == (position, won):
        return known[3]
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
        )
    )
    entry.__dict__["_spelled"] = (subject, position, won, row)
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


def rounded(mean: Decimal | None) -> Decimal | int | None:
    """Return a mean with two decimals; null of nothing."""
    return None if mean is None else number(Decimal(mean).quantize(CENT, ROUND_HALF_UP))
