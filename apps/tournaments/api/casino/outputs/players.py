"""Players of a tournament (operators.md 3.8 to 3.12)."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cache, partial
from typing import Any

from apps.core.clock import iso
from apps.core.numbers import number
from apps.tournaments.api.casino import words
from apps.tournaments.api.casino.outputs.shared import entry_statistics, points_text
from apps.tournaments.api.casino.reads import Listed
from apps.tournaments.lifecycle import BuyInStatus
from apps.tournaments.models import BuyIn, Entry, Tournament
from apps.tournaments.services.quoting import Fee
from apps.tournaments.services.results import money
from apps.tournaments.services.tally import Totals


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


def buy_in(asked: BuyIn) -> dict[str, Any]:
    """Return a buy-in that the operator is still being asked for; the player is not in (rounds.md 3.6)."""
    return {
        "player_id": str(asked.player_id),
        "playerId": str(asked.player_id),
        "tournament_id": str(asked.tournament_id),
        "tournamentId": str(asked.tournament_id),
        "status": words.PENDING,
        "debitRef": str(asked.ref),
        "amount": number(Decimal(asked.amount)),
        "currency": asked.currency,
        "message": words.BUY_IN_MESSAGES[BuyInStatus(asked.status)],
    }


def fee(subject: Tournament, user_id: str, told: Fee) -> dict[str, Any]:
    """Return what a player would be debited (rounds.md 3.6)."""
    return {
        "tournamentId": str(subject.pk),
        "userId": user_id,
        "amount": number(told.amount),
        "currency": told.currency,
        "rate": number(told.rate),
        "rateAt": iso(told.rate_at),
        "fee": number(told.base_amount),
        "feeCurrency": told.base,
        "asked": told.asked,
    }


def listed_players(subject: Tournament, rows: Iterable[Listed], won: Mapping[int, int]) -> list[dict[str, Any]]:
    """Return elements of the player list (operators.md 3.9); `won` maps entries to prizes in base units."""
    started = subject.started_at is not None
    # There may be a hundred thousand rows and only a few different sums in them.
    shown = cache(partial(money, subject))
    return [
        {
            "playerId": str(row.player_id),
            "userId": row.user_id,
            "internalPlayerId": f"TP_{subject.pk}_{row.player_id}_{row.attempt}",
            "displayName": row.display_name,
            "status": words.entry_word(row.status, started=started, won=row.entry_id in won),
            "registeredAt": iso(row.registered_at),
            "entryCount": row.entry_count,
            "totalPaid": shown(row.paid_units),
            "currentPosition": row.position,
            "currentScore": number(row.points),
            "eliminatedAt": iso(row.eliminated_at),
            "prizeAmount": shown(won[row.entry_id]) if row.entry_id in won else None,
        }
        for row in rows
    ]


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
