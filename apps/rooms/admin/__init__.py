"""Admin pages of rooms: rooms, their tasks, what staff set for a game, and what players let games take."""

from apps.rooms.admin import allowances, contributions, games, people, rooms, tasks

__all__ = ["allowances", "contributions", "games", "people", "rooms", "tasks"]
