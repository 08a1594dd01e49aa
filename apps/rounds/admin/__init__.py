"""Admin pages of game rounds: channels, the health of intake, and what tournaments show of their rounds."""

from apps.rounds.admin import channels, health, reports

__all__ = ["channels", "health", "reports"]
