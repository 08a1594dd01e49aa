"""Reads and locks of rooms."""

from datetime import datetime
from typing import Self

from apps.operators.models.tenants import OwnedQuerySet


class RoomQuerySet(OwnedQuerySet):
    """Rooms; the tenant filter is inherited."""

    def of_game(self, operator_id: int, game_id: str) -> Self:
        """Narrow to what one game may touch (rooms.md 6.10)."""
        return self.filter(operator_id=operator_id, game_id=game_id)

    def expired(self, at: datetime) -> Self:
        """Narrow to rooms whose time is over and that nobody has ended."""
        return self.filter(status="OPEN", expires_at__lte=at)

    def locked_for_update(self) -> Self:
        """Row locks in primary-key order. Whoever changes a room, its members or its money holds its row."""
        return self.order_by("pk").select_for_update(of=("self",), no_key=True)
