"""Admin pages of operators, by what they are about."""

from apps.operators.admin import catalogue, keys, operators, people, players

__all__ = ["catalogue", "keys", "operators", "people", "players"]
