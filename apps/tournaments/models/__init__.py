"""The tables of tournaments, split by what they describe."""

from apps.tournaments.models.entries import Entry, GameEvent, Tally
from apps.tournaments.models.tournament import (
    EntryMode,
    Funding,
    ScoringSource,
    StartMode,
    TiePolicy,
    Tournament,
    TournamentType,
)

__all__ = [
    "Entry",
    "EntryMode",
    "Funding",
    "GameEvent",
    "ScoringSource",
    "StartMode",
    "Tally",
    "TiePolicy",
    "Tournament",
    "TournamentType",
]
