"""A game platform that talks to us, and what it says over and over."""

from typing import Any

MOUNTS = ["/internal", "/api/internal", "/api/api/internal"]
# `NOW` of tests.contracts.casino, as answers write it.
T0 = "2031-04-30T09:00:00Z"
LOBBY = {"name": "Lobby", "game": "crash-classic", "min_players": 2, "entry_fee": 7.5}


def event(kind: str, number: int = 1, *, timestamp: str = T0, **data: Any) -> dict[str, Any]:
    """An event body; its number is its id."""
    return {"eventType": kind, "eventId": f"evt_{number}", "timestamp": timestamp, "data": data}
