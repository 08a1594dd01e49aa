"""Notices to the game platform (operators.md 11.7): an envelope of its own, with the field `event` and no id.

There is no signature; `GAME_PLATFORM_KEY` proves who we are.
"""

from typing import Any

from django.conf import settings

from apps.core.api.json import dumps
from apps.core.clock import iso
from apps.events.facts import TOURNAMENT
from apps.events.formats import Outgoing, Signing, Writing

# After these the notice is given up: the platform asks us for the state of a tournament anyway.
SCHEDULE = (1, 2, 4, 8, 16)


def envelope(fact: Outgoing) -> bytes:
    """Return the notice, which is a function of the fact alone."""
    return dumps(notice(fact.type, fact.subject, fact.fields(), occurred_at=str(iso(fact.occurred_at))))


def notice(type: str, subject: str, data: dict[str, Any], *, occurred_at: str) -> dict[str, Any]:
    """Return the body of a notice. Of a type that the platform is not told of, as of a test, the head alone."""
    head = {
        "event": type,
        "tournament_id": subject.removeprefix(TOURNAMENT) if subject.startswith(TOURNAMENT) else None,
        "tournament_name": data.get("tournamentName"),
        "game_slug": data.get("gameSlug"),
    }
    if type == "tournament.started":
        entry = data.get("entrySettings") or {}
        return head | {
            "started_at": data.get("actualStartTime") or occurred_at,
            "player_count": data.get("initialPlayerCount"),
            "tournament_config": {
                "tournament_type": data.get("tournamentType"),
                "max_players": data.get("maxPlayers"),
                "entry_settings": {
                    "rebuy_enabled": entry.get("rebuyEnabled", False),
                    "max_entries_per_player": entry.get("maxEntriesPerPlayer", 1),
                },
            },
        }
    if type == "tournament.cancelled":
        return head | {
            "cancelled_at": data.get("cancelledAt") or occurred_at,
            "reason": data.get("reason"),
            "status_before_cancellation": data.get("statusBeforeCancellation"),
        }
    return head


def headers(fact: Outgoing, body: bytes, signing: Signing) -> dict[str, str]:  # noqa: ARG001 - every format's signature
    """Return the key, if one is set."""
    return {"X-Internal-Api-Key": settings.GAME_PLATFORM_KEY} if settings.GAME_PLATFORM_KEY else {}


WRITING = Writing(envelope, headers, SCHEDULE)
