"""The tables of game rounds."""

from apps.rounds.models.rounds import PendingRound, Round, RoundKey
from apps.rounds.models.watches import Watch, WatchedGame

__all__ = ("PendingRound", "Round", "RoundKey", "Watch", "WatchedGame")
