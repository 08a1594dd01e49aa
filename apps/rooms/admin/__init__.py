"""Admin pages of rooms: rooms, their tasks, and what staff set for a game."""

from apps.rooms.admin import contributions, games, rooms, tasks

__all__ = ["contributions", "games", "rooms", "tasks"]
