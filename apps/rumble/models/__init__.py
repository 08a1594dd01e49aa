"""The tables of rumble tournaments, split by what they describe."""

from apps.rumble.models.applications import Application, Signing
from apps.rumble.models.connections import Connection, ConnectionCode
from apps.rumble.models.play import PlaySession, SigninLink

__all__ = ["Application", "Connection", "ConnectionCode", "PlaySession", "SigninLink", "Signing"]
