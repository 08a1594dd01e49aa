"""A room's story: its facts as they happened, in a person's words."""

from collections.abc import Mapping
from typing import Any

from apps.core.admin import Section
from apps.events.admin import stories
from apps.rooms.models import Room


def _names(data: Mapping[str, Any]) -> str:
    return ", ".join(map(str, data.get("plyrIds", ())))


def _amounts(lines: Any) -> str:
    return ", ".join(f"{line['plyrId']} {line['amount']} {line['token']}" for line in lines) or "nothing"


def _why(data: Mapping[str, Any]) -> str:
    return f" ({data['reason']})" if data.get("reason") else ""


TELLERS: stories.Tellers = {
    "room.created": lambda data: f"Created; expires {data.get('expiresAt')}",
    "room.joined": lambda data: f"Joined: {_names(data)}",
    "room.paid": lambda data: f"Paid: {_amounts(data.get('payments', ()))}",
    "room.earned": lambda data: f"Earned: {_amounts(data.get('distributions', ()))}",
    "room.left": lambda data: f"Left: {_names(data)}{_why(data)}",
    "room.ended": lambda _: "Ended",
    "room.expired": lambda data: (
        "Expired; holds "
        + (", ".join(f"{amount} {code}" for code, amount in data.get("balances", {}).items()) or "nothing")
    ),
    "room.refunded": lambda data: f"Refunded{_why(data)}: {_amounts(data.get('distributions', ()))}",
    "room.closed": lambda data: f"Closed{_why(data)}: {_amounts(data.get('distributions', ()))}",
}


def told(room: Room) -> Section:
    """Return the newest lines of the story, the latest first."""
    return stories.told(room.operator_id, room.subject, TELLERS)
