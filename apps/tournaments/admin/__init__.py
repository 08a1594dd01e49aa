"""Admin pages of tournaments: the list, the page of one, entries, and what games reported."""

from apps.tournaments.admin import buyins, contributions, entries, tournaments

__all__ = ["buyins", "contributions", "entries", "tournaments"]
