"""The tables of rooms, split by what they describe."""

from apps.rooms.models.people import Chip, GameSession, HandOver, PlayPass
from apps.rooms.models.rooms import Activity, Allowance, GameSettings, Member, Room, Task

__all__ = [
    "Activity",
    "Allowance",
    "Chip",
    "GameSession",
    "GameSettings",
    "HandOver",
    "Member",
    "PlayPass",
    "Room",
    "Task",
]
