"""Rooms and tasks (rooms.md 3.1 to 3.12 and 4, podium.md 7)."""
