"""Who changed configuration by hand, and from what to what."""

from typing import Any

from django.db import models
from simple_history.models import HistoricalRecords


class ChangesOnly(HistoricalRecords):
    """A history that begins with the first change: the row itself says how it was made.

    Players are made ten thousand at a time; a second row for each would say nothing new.
    """

    def __init__(self, **options: Any) -> None:
        """Leave room for a sentence as the reason."""
        super().__init__(history_change_reason_field=models.CharField(max_length=300, null=True), **options)

    def post_save(self, instance: Any, created: bool, using: str | None = None, **kwargs: Any) -> None:  # noqa: FBT001
        """Keep changes, not creations."""
        if not created:
            super().post_save(instance, created, using, **kwargs)
