"""Tournaments and where they stand (operators.md 3.0 to 3.7)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from apps.core.clock import iso
from apps.tournaments.api.casino import words
from apps.tournaments.api.casino.outputs.shared import entry_statistics, pagination, points_text
from apps.tournaments.api.casino.queries import Page
from apps.tournaments.models import Entry, StartMode, Tournament
from apps.tournaments.services import pools, results
from apps.tournaments.services.results import money
from apps.tournaments.services.tally import Totals


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
