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


class ChainStatus(models.TextChoices):
    """Where a transaction of a chain stands (rumble.md 6.2)."""

    REQUESTED = "REQUESTED", "Waits for a signature"
    SIGNED = "SIGNED", "Signed"
    SUBMITTED = "SUBMITTED", "On the chain"
    FINAL = "FINAL", "Final"
    FAILED = "FAILED", "Failed"
    REJECTED = "REJECTED", "Refused by the player"
    EXPIRED = "EXPIRED", "Not signed in time"
    WITHDRAWN = "WITHDRAWN", "Withdrawn"


CHAIN_EDGES = (
    (ChainStatus.REQUESTED, ChainStatus.SIGNED),
    (ChainStatus.REQUESTED, ChainStatus.REJECTED),
    (ChainStatus.REQUESTED, ChainStatus.EXPIRED),
    (ChainStatus.REQUESTED, ChainStatus.WITHDRAWN),
    (ChainStatus.SIGNED, ChainStatus.SUBMITTED),
    (ChainStatus.SIGNED, ChainStatus.FAILED),
    (ChainStatus.SUBMITTED, ChainStatus.SIGNED),
    (ChainStatus.SUBMITTED, ChainStatus.FINAL),
    (ChainStatus.SUBMITTED, ChainStatus.FAILED),
)


class ChainLifecycle(models.Model):
    """REQUESTED → SIGNED ⇄ SUBMITTED → FINAL | FAILED; unsigned it ends REJECTED, EXPIRED or WITHDRAWN."""

    due_at: datetime | None
    signed_at: datetime | None
    submitted_at: datetime | None
    ended_at: datetime | None
    reference: str
    confirmations: int
    error: str

    status = fsm.FSMField(max_length=10, choices=ChainStatus.choices, default=ChainStatus.REQUESTED, protected=True)

    class Meta:
        abstract = True

    @fsm.transition(field=status, source=ChainStatus.REQUESTED, target=ChainStatus.SIGNED)
    def sign(self, *, at: datetime) -> None:
        """Its party has agreed; it is to be submitted."""
        self.signed_at = at
        self.due_at = at

    @fsm.transition(field=status, source=ChainStatus.REQUESTED, target=ChainStatus.REJECTED)
    def reject(self, *, at: datetime) -> None:
        """The player said no."""
        self.ended_at, self.due_at = at, None

    @fsm.transition(field=status, source=ChainStatus.REQUESTED, target=ChainStatus.EXPIRED)
    def expire(self, *, at: datetime) -> None:
        """The player said nothing."""
        self.ended_at, self.due_at = at, None

    @fsm.transition(field=status, source=ChainStatus.REQUESTED, target=ChainStatus.WITHDRAWN)
    def withdraw(self, *, at: datetime) -> None:
        """Nobody wants it any more."""
        self.ended_at, self.due_at = at, None

    @fsm.transition(field=status, source=ChainStatus.SIGNED, target=ChainStatus.SUBMITTED)
    def submit(self, *, reference: str, look_at: datetime, at: datetime) -> None:
        """The chain has it and will decide."""
        self.reference, self.submitted_at, self.due_at, self.error = reference, at, look_at, ""

    @fsm.transition(field=status, source=ChainStatus.SUBMITTED, target=ChainStatus.SIGNED)
    def drop(self, *, at: datetime) -> None:
        """A reorganisation has forgotten it; the same transfers are submitted again."""
        self.reference, self.confirmations, self.due_at = "", 0, at

    @fsm.transition(field=status, source=ChainStatus.SUBMITTED, target=ChainStatus.FINAL)
    def finalize(self, *, at: datetime) -> None:
        """Irreversible: all of its transfers have happened."""
        self.ended_at, self.due_at, self.error = at, None, ""

    @fsm.transition(field=status, source=[ChainStatus.SIGNED, ChainStatus.SUBMITTED], target=ChainStatus.FAILED)
    def fail(self, *, error: str, at: datetime) -> None:
        """Irreversible: none of its transfers has happened or ever will."""
        self.ended_at, self.due_at, self.error = at, None, error[:300]


def payout_triggers() -> tuple[pgtrigger.Trigger, ...]:
    """The payout graph, for the database."""
    return (edges_trigger("payout_status_edges", PAYOUT_EDGES, in_bulk=True),)


def hold_triggers() -> tuple[pgtrigger.Trigger, ...]:
    """The hold graph, for the database."""
    return (edges_trigger("hold_status_edges", HOLD_EDGES),)


def chain_triggers() -> tuple[pgtrigger.Trigger, ...]:
    """The graph of a chain's transactions, for the database."""
    return (edges_trigger("chain_status_edges", CHAIN_EDGES),)
