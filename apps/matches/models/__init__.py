"""The tables of matches, split by what they describe."""

from apps.matches.models.clients import Client, Delivery, Mode, ScoreOrder, TiePolicy
from apps.matches.models.matches import ForfeitBy, Match, MatchToken, Outcome, Participant, Team
from apps.matches.models.reports import (
    Dispute,
    DisputeType,
    GameEvent,
    GameEventType,
    HandResult,
    Notice,
    NoticeKind,
    Report,
    ReportKind,
)

__all__ = [
    "Client",
    "Delivery",
    "Dispute",
    "DisputeType",
    "ForfeitBy",
    "GameEvent",
    "GameEventType",
    "HandResult",
    "Match",
    "MatchToken",
    "Mode",
    "Notice",
    "NoticeKind",
    "Outcome",
    "Participant",
    "Report",
    "ReportKind",
    "ScoreOrder",
    "Team",
    "TiePolicy",
]
