"""The life of a container and of a participant (rumble.md 4.3, 6.1). A tournament's own is the engine's.

container:    created ⇄ locked → resolving → resolved;   created | locked → expired;   resolving → locked if it failed
participant:  WAITING_PAYMENT → PROCESSING_PAYMENT → ACTIVE;   either of the first two → REMOVED
"""

from datetime import datetime

import django_fsm as fsm
from django.db import models


class ContainerStatus(models.TextChoices):
    """Where a container stands, in the words of the wire."""

    CREATED = "created", "Open"
    LOCKED = "locked", "Locked"
    RESOLVING = "resolving", "Resolving"
    RESOLVED = "resolved", "Resolved"
    EXPIRED = "expired", "Expired"


C = ContainerStatus
OPEN = (C.CREATED, C.LOCKED)

CONTAINER_EDGES = (
    (C.CREATED, C.LOCKED),
    (C.LOCKED, C.CREATED),
    (C.CREATED, C.RESOLVING),
    (C.LOCKED, C.RESOLVING),
    (C.CREATED, C.RESOLVED),
    (C.LOCKED, C.RESOLVED),
    (C.RESOLVING, C.RESOLVED),
    (C.RESOLVING, C.LOCKED),
    (C.CREATED, C.EXPIRED),
    (C.LOCKED, C.EXPIRED),
)


class ContainerLifecycle(models.Model):
    """States and edges of a container."""

    status = fsm.FSMField(max_length=10, choices=ContainerStatus.choices, default=C.CREATED, protected=True)
    ended_at: datetime | None

    class Meta:
        abstract = True

    @fsm.transition(field=status, source=C.CREATED, target=C.LOCKED)
    def lock(self) -> None:
        """No new players."""

    @fsm.transition(field=status, source=C.LOCKED, target=C.CREATED)
    def unlock(self) -> None:
        """New players may come again."""

    @fsm.transition(field=status, source=list(OPEN), target=C.RESOLVING)
    def begin_resolving(self) -> None:
        """Its assets are on their way out."""

    @fsm.transition(field=status, source=[*OPEN, C.RESOLVING], target=C.RESOLVED)
    def resolve(self, *, at: datetime) -> None:
        """It is empty for good."""
        self.ended_at = at

    @fsm.transition(field=status, source=C.RESOLVING, target=C.LOCKED)
    def stand_still(self) -> None:
        """Its transaction failed; the assets are still inside."""

    @fsm.transition(field=status, source=list(OPEN), target=C.EXPIRED)
    def expire(self, *, at: datetime) -> None:
        """Its lifetime is over; the assets go back to their owners."""
        self.ended_at = at


class ParticipantStatus(models.TextChoices):
    """Where a participant stands, in the words of the wire."""

    WAITING_PAYMENT = "WAITING_PAYMENT", "Has to sign"
    PROCESSING_PAYMENT = "PROCESSING_PAYMENT", "Payment on the chain"
    ACTIVE = "ACTIVE", "Active"
    REMOVED = "REMOVED", "Removed"


P = ParticipantStatus

PARTICIPANT_EDGES = (
    (P.WAITING_PAYMENT, P.PROCESSING_PAYMENT),
    (P.WAITING_PAYMENT, P.ACTIVE),
    (P.WAITING_PAYMENT, P.REMOVED),
    (P.PROCESSING_PAYMENT, P.ACTIVE),
    (P.PROCESSING_PAYMENT, P.REMOVED),
)


class ParticipantLifecycle(models.Model):
    """States and edges of a participant."""

    status = fsm.FSMField(max_length=20, choices=ParticipantStatus.choices, default=P.WAITING_PAYMENT, protected=True)
    joined_at: datetime | None

    class Meta:
        abstract = True

    @fsm.transition(field=status, source=P.WAITING_PAYMENT, target=P.PROCESSING_PAYMENT)
    def process(self) -> None:
        """The payment is signed and on the chain."""

    @fsm.transition(field=status, source=[P.WAITING_PAYMENT, P.PROCESSING_PAYMENT], target=P.ACTIVE)
    def activate(self, *, at: datetime) -> None:
        """The payment is final, or there was nothing to pay."""
        self.joined_at = at

    @fsm.transition(field=status, source=[P.WAITING_PAYMENT, P.PROCESSING_PAYMENT], target=P.REMOVED)
    def remove(self) -> None:
        """The payment came to nothing; the player may join anew."""
