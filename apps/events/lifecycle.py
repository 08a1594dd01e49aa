"""The life of a delivery: PENDING → DELIVERED | EXHAUSTED; either may be queued again by a person or a replay."""

from datetime import datetime

import django_fsm as fsm
from django.db import models


class DeliveryStatus(models.TextChoices):
    """Where a fact stands on its way to one endpoint."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    EXHAUSTED = "EXHAUSTED"  # the dead letters


ENDED = (DeliveryStatus.DELIVERED, DeliveryStatus.EXHAUSTED)

EDGES = (
    (DeliveryStatus.PENDING, DeliveryStatus.DELIVERED),
    (DeliveryStatus.PENDING, DeliveryStatus.EXHAUSTED),
    (DeliveryStatus.DELIVERED, DeliveryStatus.PENDING),
    (DeliveryStatus.EXHAUSTED, DeliveryStatus.PENDING),
)


class DeliveryLifecycle(models.Model):
    """Transitions change this row and nothing else. The relay moves many rows at once, in SQL, along the same edges."""

    status = fsm.FSMField(max_length=9, choices=DeliveryStatus.choices, default=DeliveryStatus.PENDING, protected=True)
    tries: int
    next_attempt_at: datetime | None
    leased_until: datetime | None
    finished_at: datetime | None

    class Meta:
        abstract = True

    @fsm.transition(field=status, source=DeliveryStatus.PENDING, target=DeliveryStatus.DELIVERED)
    def deliver(self, *, at: datetime) -> None:
        """The receiver took it."""
        self._end(at)

    @fsm.transition(field=status, source=DeliveryStatus.PENDING, target=DeliveryStatus.EXHAUSTED)
    def exhaust(self, *, at: datetime) -> None:
        """Nobody tries any more by themselves."""
        self._end(at)

    @fsm.transition(field=status, source=list(ENDED), target=DeliveryStatus.PENDING)
    def queue_again(self, *, at: datetime) -> None:
        """Send it (once more), from the beginning of the schedule."""
        self.tries = 0
        self.next_attempt_at = at
        self.finished_at = None

    def _end(self, at: datetime) -> None:
        self.next_attempt_at = self.leased_until = None
        self.finished_at = at
