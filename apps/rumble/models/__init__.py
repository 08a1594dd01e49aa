"""The tables of rumble tournaments, split by what they describe."""

from apps.rumble.models.applications import Application, Signing
from apps.rumble.models.connections import Connection, ConnectionCode
from apps.rumble.models.containers import Container, Deposit, Stop
from apps.rumble.models.play import PlaySession, SigninLink
from apps.rumble.models.settings import SettingsStatus, TournamentSettings
from apps.rumble.models.tournaments import Participant, RumbleTournament

__all__ = [
    "Application",
    "Connection",
    "ConnectionCode",
    "Container",
    "Deposit",
    "Participant",
    "PlaySession",
    "RumbleTournament",
    "SettingsStatus",
    "SigninLink",
    "Signing",
    "Stop",
    "TournamentSettings",
]
