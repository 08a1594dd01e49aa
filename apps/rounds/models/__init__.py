"""The tables of game rounds."""

from apps.rounds.models.channels import Channel, ChannelKind, IntakeMinute, RefusedItem
from apps.rounds.models.rounds import PendingRound, Round, RoundKey
from apps.rounds.models.watches import Watch, WatchedGame

__all__ = (
    "Channel",
    "ChannelKind",
    "IntakeMinute",
    "PendingRound",
    "RefusedItem",
    "Round",
    "RoundKey",
    "Watch",
    "WatchedGame",
)
