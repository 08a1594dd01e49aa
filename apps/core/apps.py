"""Registers the checks of the settings."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """The area without tables."""

    name = "apps.core"

    def ready(self) -> None:
        """Let Django find the checks."""
        from apps.core import checks  # noqa: F401, PLC0415 - registers itself, and may not before the apps are loaded
