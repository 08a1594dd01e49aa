"""Registers whose payouts of the ledger are tournaments'."""

from django.apps import AppConfig


class TournamentsConfig(AppConfig):
    """Tournaments, of every dialect."""

    name = "apps.tournaments"

    def ready(self) -> None:
        """Hear about payouts that the operator has confirmed."""
        from apps.ledger.services import owners  # noqa: PLC0415 - not before the models are loaded
        from apps.tournaments.services.returning import Refunds  # noqa: PLC0415
        from apps.tournaments.services.settlement import Payouts  # noqa: PLC0415

        owners.register("tournament", Payouts())
        owners.register("buyin", Refunds())
