"""Takes its place beside the tournament engine and behind the chain."""

from django.apps import AppConfig


class RumbleConfig(AppConfig):
    """Rumble tournaments."""

    name = "apps.rumble"

    def ready(self) -> None:
        """Keep the money of tournaments on the chain's rail, and hear of the chain's transactions."""
        # They may not be imported before the apps are loaded.
        from apps.ledger.models import Rail  # noqa: PLC0415
        from apps.ledger.services import rail  # noqa: PLC0415
        from apps.rumble.services.ground import AREA  # noqa: PLC0415
        from apps.rumble.services.listening import RumbleArea  # noqa: PLC0415
        from apps.rumble.services.settling import ChainKeeper  # noqa: PLC0415
        from apps.tournaments import keepers  # noqa: PLC0415

        rail.register(AREA, RumbleArea())
        keepers.register(Rail.CHAIN, ChainKeeper())
