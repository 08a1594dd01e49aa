"""Dry runs: who would get what."""

from datetime import datetime

from apps.core.admin import Preview, formats
from apps.rooms.admin.looks import money
from apps.rooms.models import Room
from apps.rooms.services import leftovers


def _preview(room: Room, sweep: str, note: str) -> Preview:
    lines = leftovers.preview(room, sweep)
    rows = [
        (
            formats.row_link(line.player) if line.player else f"The game {room.game_id}",
            line.player.external_id if line.player else "",
            money(line.asset, line.units),
        )
        for line in lines
    ]
    held = [money(asset, units) for asset, units in leftovers.held_by(room).items()]
    facts = (("The room holds", formats.lines(held)), ("Lines", formats.number(len(lines))))
    return Preview(("To", "User id", "Amount"), rows, len(rows), facts=facts, note="" if lines else note)


def refund(room: Room, at: datetime) -> Preview:  # noqa: ARG001 - every preview is told the moment
    """Return what a refund would pay now."""
    return _preview(room, leftovers.REFUND, "Nobody would get anything.")


def close(room: Room, at: datetime) -> Preview:  # noqa: ARG001 - likewise
    """Return what closing would take now."""
    return _preview(room, leftovers.CLOSE, "It holds nothing; it just ends.")
