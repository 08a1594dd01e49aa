"""The colours of states, and how rooms write money."""

from datetime import datetime

from apps.core.admin import formats
from apps.core.admin.formats import Tone
from apps.ledger.models import Asset
from apps.rooms.lifecycle import RoomStatus, TaskStatus
from apps.rooms.models import Room, Task

TASK_TONES: dict[str, Tone] = {
    TaskStatus.QUEUED: "amber",
    TaskStatus.SUCCEEDED: "green",
    TaskStatus.FAILED: "red",
}


def room_badge(room: Room, *, now: datetime) -> str:
    """Write a room's state; that its time is over is no state, and still what people want to see first."""
    if room.status == RoomStatus.ENDED:
        return formats.badge("Ended", "grey")
    return formats.badge("Expired", "amber") if room.expires_at <= now else formats.badge("Open", "green")


def task_badge(task: Task) -> str:
    """Write a task's state."""
    return formats.badge(task.get_status_display(), formats.tone_of(TASK_TONES, task.status))


def money(asset: Asset, units: int) -> str:
    """Write base units of an asset."""
    return formats.money(units, asset.scale, asset.code)
