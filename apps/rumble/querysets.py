"""Reads and locks of containers."""

from datetime import datetime
from typing import Any, Self

from django.db import connection

from apps.operators.models.tenants import OwnedQuerySet
from apps.rumble.lifecycle import OPEN

# One namespace of advisory locks beside those of tournaments, lobbies and first keys; never renumbered.
CONTAINER_LOCKS = 5 << 48


class ContainerQuerySet(OwnedQuerySet):
    """Containers. Commands on one are served one after the other (rumble.md 9)."""

    def hold(self, container_id: int) -> Any:
        """Return the container for this transaction alone. Raises DoesNotExist.

        A lock of its own that comes before those of players and accounts, as a tournament's does. A tournament's
        container is held by holding its tournament first.
        """
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CONTAINER_LOCKS | container_id])
        return self.select_related("application", "asset").get(pk=container_id)

    def due(self, at: datetime) -> Self:
        """Narrow to those whose lifetime is over, or that are to be given back, the longest overdue first."""
        return self.filter(status__in=OPEN, expires_at__lte=at).order_by("expires_at", "pk")
