"""The one place that reads the clock. Views, tasks and commands call it and pass the moment on as `at=`."""

from datetime import UTC, datetime

from django.utils import timezone


def now() -> datetime:
    """Return the present moment, aware, in UTC."""
    return timezone.now()


def iso(moment: datetime | None) -> str | None:
    """Write a moment as the dialects do: whole seconds, UTC, `Z`."""
    if moment is None:
        return None
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
