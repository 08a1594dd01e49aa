"""Admin pages of game rounds: channels, the health of intake, and what tournaments show of their rounds."""

from apps.rounds.admin import aside, channels, health, reports

__all__ = ["aside", "channels", "health", "reports"]
