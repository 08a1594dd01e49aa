"""From models to the bodies of the game platform's API. Pure: what is needed comes as arguments."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from apps.core.api.camel import camel
from apps.core.clock import iso
from apps.core.numbers import number
from apps.tournaments import rules
from apps.tournaments.api.casino import outputs as casino
from apps.tournaments.api.casino import words
from apps.tournaments.api.casino.reads import Listed
from apps.tournaments.api.internal.inputs import START_CONDITION
from apps.tournaments.models import Entry, Tournament
from apps.tournaments.services import pools
from apps.tournaments.services.intake import ACCEPTED, Outcome
from apps.tournaments.services.results import money
from apps.tournaments.services.tally import Totals
from apps.tournaments.services.tokens import TokenVerdict, permissions_of, room_of


def status_of(subject: Tournament, at: datetime) -> str:
    """Return the status word of this API: `active` for a running tournament (operators.md 4.2)."""
    word = words.status_of(subject, at)
    return words.ACTIVE if word == words.IN_PROGRESS else word


def both_spellings(body: dict[str, Any]) -> dict[str, Any]:
    """Return the body with every scalar at its top in snake_case and in camelCase (operators.md 1.3)."""
    spelled = dict(body)
    for name, value in body.items():
        if not isinstance(value, dict | list):
            spelled.setdefault(camel(name), value)
            spelled.setdefault(re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower(), value)
    return spelled


def _owner(subject: Tournament) -> dict[str, Any]:
    return {
        "tournament_id": str(subject.pk),
        "tournamentId": str(subject.pk),
        "operator_id": subject.operator.public_id,
        "operatorId": subject.operator.public_id,
    }


def refused_token(error: str) -> dict[str, Any]:
    """Return the answer to a token that opens nothing (operators.md 11.1)."""
    return {"valid": False, "error": error}


def valid_token(verdict: TokenVerdict, entry: Entry, *, won: bool, at: datetime) -> dict[str, Any]:
    """Return who a valid token speaks for (operators.md 11.1)."""
    subject = entry.tournament
    return both_spellings(
        {
            "valid": True,
            "error": None,
            "tournament_id": str(subject.pk),
            "internal_player_id": entry.internal_player_id,
            "playerId": entry.internal_player_id,
            "display_name": entry.display_name,
            "external_user_id": entry.player.external_id,
            "operator_id": subject.operator.public_id,
            "permissions": permissions_of(entry, subject),
            "room_assignment": room_of(subject),
            "roomId": room_of(subject),
            "game_slug": subject.game.slug,
            "tournament_context": {
                "name": subject.name,
                "status": status_of(subject, at),
                "game_config": game_config(subject),
                "current_round": subject.current_round,
            },
            "player_context": {
                "entry_count": entry.entry_count,
                "total_paid": money(subject, entry.paid_units),
                "points": number(entry.points),
                "status": words.entry_status_of(entry, subject, won=won),
            },
            "token_expires_at": iso(verdict.expires_at),
        }
    )


def game_config(subject: Tournament) -> dict[str, Any]:
    """Return the game's configuration as it was given, with the number of rounds."""
    rounds = {} if subject.max_rounds is None else {"maxRounds": subject.max_rounds}
    return {**rounds, **subject.config}


def timing(subject: Tournament) -> dict[str, Any]:
    """Return the `timing` object (operators.md 11.3)."""
    return {
        "scheduled_start": iso(subject.starts_at),
        "actual_start": iso(subject.started_at),
        "scheduled_end": iso(subject.ends_at),
        "completed_at": iso(subject.completed_at),
    }


def config(subject: Tournament, totals: Totals, *, at: datetime) -> dict[str, Any]:
    """Return both documented shapes of a tournament's configuration at once (operators.md 11.2)."""
    settings = subject.operator.settings
    prizes = {
        "type": "percentage",
        "totalAmount": money(subject, pools.pool_of(subject, totals).total),
        "currency": subject.asset.code,
        "guaranteedPrize": money(subject, subject.guarantee_units),
        "distribution": [
            number(Decimal(share)) for share in rules.percentages_for(subject.prize_rules, totals.players)
        ],
    }
    rebuy_fee = money(subject, subject.rebuy_fee_units)
    return both_spellings(
        {
            "tournament_id": str(subject.pk),
            "operator_id": subject.operator.public_id,
            "name": subject.name,
            "game_slug": subject.game.slug,
            "tournament_type": subject.tournament_type,
            "status": status_of(subject, at),
            "max_players": subject.max_players,
            "min_players": subject.min_players,
            "currentPlayers": totals.players,
            "scheduled_start": iso(subject.starts_at),
            "startTime": iso(subject.started_at or subject.starts_at),
            "entry_fee": money(subject, subject.fee_units),
            "currency": subject.asset.code,
            "roomId": room_of(subject),
            "roomUrl": subject.room_url or None,
            "prize_pool_config": prizes,
            "prizePool": prizes,
            "game_config": game_config(subject),
            "gameConfig": game_config(subject),
            "timing": timing(subject),
            "entry_settings": {
                "max_entries_per_player": subject.max_entries,
                "rebuy_enabled": subject.rebuy_enabled,
                "rebuy_fee": rebuy_fee,
            },
            "rebuyConfig": {
                "enabled": subject.rebuy_enabled,
                "fee": rebuy_fee,
                "maxEntriesPerPlayer": subject.max_entries,
                "deadline": iso(subject.rebuy_deadline),
            },
            "operatorConfig": {
                "operatorId": subject.operator.public_id,
                "branding": {
                    "primaryColor": settings.branding.primary_color or None,
                    "logoUrl": settings.branding.logo_url or None,
                },
                "features": {
                    "allowLateRegistration": subject.late_registration,
                    "showTimer": settings.features.show_timer,
                    "showLeaderboard": settings.features.show_leaderboard,
                },
            },
        }
    )


def status(subject: Tournament, totals: Totals, *, at: datetime) -> dict[str, Any]:
    """Return where a tournament stands, as the game platform asks (operators.md 11.3)."""
    return {
        **casino.status(subject, totals, room=room_of(subject), at=at),
        **_owner(subject),
        "status": status_of(subject, at),
        "entry_statistics": casino.entry_statistics(totals),
        "timing": timing(subject),
    }


def listed_players(subject: Tournament, rows: Sequence[Listed], won: Mapping[int, int]) -> list[dict[str, Any]]:
    """Return elements of the player list (operators.md 11.4)."""
    return [
        {
            **shown,
            "internal_player_id": shown["internalPlayerId"],
            "external_user_id": row.user_id,
            "permissions": permissions_of(row, subject),
        }
        for row, shown in zip(rows, casino.listed_players(subject, rows, won), strict=True)
    ]


def player_list_head(subject: Tournament, *, total: int) -> dict[str, Any]:
    """Return what stands beside the players in their list."""
    return {**_owner(subject), "totalCount": total}


def lobby(subject: Tournament, totals: Totals, *, at: datetime) -> dict[str, Any]:
    """Return a hop-on/off tournament as a create answers it (operators.md 11.5)."""
    word = status_of(subject, at)
    answer = {**casino.created(subject, totals, at=at), **_owner(subject), "status": word}
    answer["tournament"]["status"] = word
    return {**answer, "startCondition": START_CONDITION, "start_condition": START_CONDITION}


def refunded(subject: Tournament, entry: Entry, *, reason: str, units: int, remaining: int) -> dict[str, Any]:
    """Return the answer to a removal with refund (operators.md 11.6)."""
    return {
        **_owner(subject),
        "player_id": str(entry.player_id),
        "internal_player_id": entry.internal_player_id,
        "status": words.WITHDRAWN,
        "reason": reason,
        "refunded": True,
        "refund_amount": money(subject, units),
        "remaining_players": remaining,
    }


def room(subject: Tournament) -> dict[str, Any]:
    """Return the room of a tournament (operators.md 11.8)."""
    return both_spellings({**_owner(subject), "roomId": subject.room_id, "roomUrl": subject.room_url or None})


def outcomes(subject: Tournament, taken: Sequence[Outcome]) -> dict[str, Any]:
    """Return what became of reported events, in their order (operators.md 11.8)."""
    return {
        **_owner(subject),
        "accepted": sum(1 for one in taken if one.outcome == ACCEPTED),
        "results": [{"eventId": one.event_id, "outcome": one.outcome, "note": one.note or None} for one in taken],
    }
