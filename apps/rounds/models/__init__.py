"""The tables of game rounds."""

from apps.rounds.models.aside import SetAsideRecount, SetAsideRound
from apps.rounds.models.channels import Channel, ChannelKind, IntakeMinute, RefusedItem
from apps.rounds.models.rounds import PendingRound, Round, RoundKey
from apps.rounds.models.scores import RateChange, Recount, Rule, Run, Score, UnratedRound, VoidedRound
from apps.rounds.models.transactions import OpenRound, RoundTransaction
from apps.rounds.models.watches import Watch, WatchedGame

__all__ = (
    "Channel",
    "ChannelKind",
    "IntakeMinute",
    "OpenRound",
    "PendingRound",
    "RateChange",
    "Recount",
    "RefusedItem",
    "Round",
    "RoundKey",
    "RoundTransaction",
    "Rule",
    "Run",
    "Score",
    "SetAsideRecount",
    "SetAsideRound",
    "UnratedRound",
    "VoidedRound",
    "Watch",
    "WatchedGame",
)
