"""Admin pages of matches: the matches themselves, and the clients that run them."""

from apps.matches.admin import clients, matches

__all__ = ["clients", "matches"]
