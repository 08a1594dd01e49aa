"""The tables of rooms, split by what they describe."""

from apps.rooms.models.rooms import Activity, Allowance, GameSettings, Member, Room, Task

__all__ = ["Activity", "Allowance", "GameSettings", "Member", "Room", "Task"]
