"""The log of what players did in games (rooms.md 3.32)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from apps.rooms.models import Activity


def note(*, operator_id: int, game_id: str, player_id: int, action: str, data: Mapping[str, Any], at: datetime) -> None:
    """Add a line to a player's log, in the transaction of what it tells. Operations of rooms add their own."""
    Activity.objects.create(
        operator_id=operator_id,
        game_id=game_id,
        player_id=player_id,
        action=action,
        data=dict(data),
        occurred_at=at,
    )
