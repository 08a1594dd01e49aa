"""The tables of tournaments, split by what they describe."""

from apps.tournaments.models.buyins import BuyIn, Invitation
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
    "BuyIn",
    "Entry",
    "EntryMode",
    "Funding",
    "GameEvent",
    "Invitation",
    "ScoringSource",
    "StartMode",
    "Tally",
    "TiePolicy",
    "Tournament",
    "TournamentType",
]
