"""Admin pages of rumble: applications, containers, and what they add to a tournament's page."""

from apps.rumble.admin import applications, containers, contributions

__all__ = ["applications", "containers", "contributions"]
