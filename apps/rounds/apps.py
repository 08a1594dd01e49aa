"""Registers who scores tournaments by rounds."""

from django.apps import AppConfig


class RoundsConfig(AppConfig):
    """Game rounds: intake and scoring."""

    name = "apps.rounds"

    def ready(self) -> None:
        """Answer for the tournaments that are scored by rounds."""
        from apps.rounds.services.scoring.engine import RoundsEngine  # noqa: PLC0415 - not before the models are loaded
        from apps.tournaments import engines  # noqa: PLC0415
        from apps.tournaments.models import ScoringSource  # noqa: PLC0415

        engines.register(ScoringSource.ROUNDS, RoundsEngine())
