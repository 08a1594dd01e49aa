"""The lives of a payout and of a hold. Transitions change their own row and nothing else."""

from datetime import datetime

import django_fsm as fsm
import pgtrigger
from django.db import models

from apps.core.lifecycle import edges_trigger


class PayoutStatus(models.TextChoices):
    """Where one owed amount stands."""

    WAITING_APPROVAL = "WAITING_APPROVAL", "Waiting for approval"
    PROCESSING = "PROCESSING", "Processing"
    PAID = "PAID", "Paid"
    ERROR_RETRY = "ERROR_RETRY", "Error, will be retried"
    ERROR_MANUAL = "ERROR_MANUAL", "Error, needs a person"
    NOT_ELIGIBLE = "NOT_ELIGIBLE", "Not eligible"


PAYOUT_EDGES = (
    (PayoutStatus.WAITING_APPROVAL, PayoutStatus.PROCESSING),
    (PayoutStatus.WAITING_APPROVAL, PayoutStatus.NOT_ELIGIBLE),
    (PayoutStatus.PROCESSING, PayoutStatus.PAID),
    (PayoutStatus.PROCESSING, PayoutStatus.ERROR_RETRY),
    (PayoutStatus.PROCESSING, PayoutStatus.ERROR_MANUAL),
    (PayoutStatus.ERROR_RETRY, PayoutStatus.PROCESSING),
    (PayoutStatus.ERROR_RETRY, PayoutStatus.ERROR_MANUAL),
    (PayoutStatus.ERROR_MANUAL, PayoutStatus.PROCESSING),
    (PayoutStatus.ERROR_MANUAL, PayoutStatus.PAID),
)


class PayoutLifecycle(models.Model):
    """WAITING_APPROVAL → PROCESSING → PAID, with two kinds of error on the way."""

    # What the transitions touch; the model says how it is stored.
    next_attempt_at: datetime | None
    paid_at: datetime | None
    error: str

    status = fsm.FSMField(max_length=16, choices=PayoutStatus.choices, default=PayoutStatus.PROCESSING, protected=True)

    class Meta:
        abstract = True

    @fsm.transition(field=status, source=PayoutStatus.WAITING_APPROVAL, target=PayoutStatus.PROCESSING)
    def approve(self, *, at: datetime) -> None:
        """Staff agree; the rail may move it from now on."""
        self.next_attempt_at = at

    @fsm.transition(field=status, source=PayoutStatus.WAITING_APPROVAL, target=PayoutStatus.NOT_ELIGIBLE)
    def reject(self, *, reason: str) -> None:
        """Staff refuse; nothing will be paid."""
        self.error = reason

    @fsm.transition(field=status, source=PayoutStatus.PROCESSING, target=PayoutStatus.PAID)
    def settle(self, *, at: datetime) -> None:
        """The rail has moved it."""
        self.paid_at = at
        self.next_attempt_at = None
        self.error = ""

    @fsm.transition(field=status, source=PayoutStatus.PROCESSING, target=PayoutStatus.ERROR_RETRY)
    def fail(self, *, error: str, retry_at: datetime) -> None:
        """The rail said no for now."""
        self.error = error
        self.next_attempt_at = retry_at

    @fsm.transition(
        field=status, source=[PayoutStatus.PROCESSING, PayoutStatus.ERROR_RETRY], target=PayoutStatus.ERROR_MANUAL
    )
    def give_up(self, *, error: str) -> None:
        """No further try by itself; a person decides."""
        self.error = error
        self.next_attempt_at = None

    @fsm.transition(
        field=status, source=[PayoutStatus.ERROR_RETRY, PayoutStatus.ERROR_MANUAL], target=PayoutStatus.PROCESSING
    )
    def retry(self, *, at: datetime) -> None:
        """Try the same stored amount again."""
        self.next_attempt_at = at

    @fsm.transition(field=status, source=PayoutStatus.ERROR_MANUAL, target=PayoutStatus.PAID)
    def settle_outside(self, *, at: datetime, note: str) -> None:
        """A person paid it by other means; the note says how."""
        self.paid_at = at
        self.error = note


class HoldStatus(models.TextChoices):
    """Whether the units are still set aside."""

    ACTIVE = "ACTIVE"
    CAPTURED = "CAPTURED"
    RELEASED = "RELEASED"


HOLD_EDGES = ((HoldStatus.ACTIVE, HoldStatus.CAPTURED), (HoldStatus.ACTIVE, HoldStatus.RELEASED))


class HoldLifecycle(models.Model):
    """ACTIVE → CAPTURED | RELEASED."""

    ended_at: datetime | None

    status = fsm.FSMField(max_length=10, choices=HoldStatus.choices, default=HoldStatus.ACTIVE, protected=True)

    class Meta:
        abstract = True

    @fsm.transition(field=status, source=HoldStatus.ACTIVE, target=HoldStatus.CAPTURED)
    def capture(self, *, at: datetime) -> None:
        """The units move on to what they were held for."""
        self.ended_at = at

    @fsm.transition(field=status, source=HoldStatus.ACTIVE, target=HoldStatus.RELEASED)
    def release(self, *, at: datetime) -> None:
        """The units go back to the wallet."""
        self.ended_at = at


def payout_triggers() -> tuple[pgtrigger.Trigger, ...]:
    """The payout graph, for the database."""
    return (edges_trigger("payout_status_edges", PAYOUT_EDGES, in_bulk=True),)


def hold_triggers() -> tuple[pgtrigger.Trigger, ...]:
    """The hold graph, for the database."""
    return (edges_trigger("hold_status_edges", HOLD_EDGES),)
