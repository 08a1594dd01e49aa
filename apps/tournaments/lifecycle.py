"""The life of a tournament and of an entry (design.md 3). Transitions change their own row and nothing else.

DRAFT → REGISTERING → (AWAITING_PAYMENTS) → (REGISTRATION_CLOSED) → RUNNING → SETTLING → CLOSED
any of them before SETTLING → REFUNDING → CANCELED;   SETTLING | REFUNDING ⇄ FAILED
"""

from datetime import datetime

import django_fsm as fsm
from django.db import models


class TournamentStatus(models.TextChoices):
    """Where a tournament stands; each dialect has its own words for these."""

    DRAFT = "DRAFT", "Draft"
    REGISTERING = "REGISTERING", "Upcoming"
    AWAITING_PAYMENTS = "AWAITING_PAYMENTS", "Upcoming, awaiting payments"
    REGISTRATION_CLOSED = "REGISTRATION_CLOSED", "Upcoming, registration closed"
    RUNNING = "RUNNING", "Active"
    SETTLING = "SETTLING", "Finished, paying"
    CLOSED = "CLOSED", "Finished"
    REFUNDING = "REFUNDING", "Cancelled, refunding"
    CANCELED = "CANCELED", "Cancelled"
    FAILED = "FAILED", "Needs attention"


S = TournamentStatus
UPCOMING = (S.REGISTERING, S.AWAITING_PAYMENTS, S.REGISTRATION_CLOSED)
CANCELLABLE = (S.DRAFT, *UPCOMING, S.RUNNING)
FINISHED = (S.SETTLING, S.CLOSED, S.FAILED)
ENDED = (S.CLOSED, S.CANCELED)

EDGES = (
    (S.DRAFT, S.REGISTERING),
    (S.REGISTERING, S.AWAITING_PAYMENTS),
    (S.REGISTERING, S.REGISTRATION_CLOSED),
    (S.AWAITING_PAYMENTS, S.REGISTRATION_CLOSED),
    (S.REGISTERING, S.RUNNING),
    (S.REGISTRATION_CLOSED, S.RUNNING),
    (S.RUNNING, S.SETTLING),
    (S.SETTLING, S.CLOSED),
    (S.SETTLING, S.FAILED),
    (S.FAILED, S.SETTLING),
    (S.DRAFT, S.REFUNDING),
    (S.REGISTERING, S.REFUNDING),
    (S.AWAITING_PAYMENTS, S.REFUNDING),
    (S.REGISTRATION_CLOSED, S.REFUNDING),
    (S.RUNNING, S.REFUNDING),
    (S.REFUNDING, S.CANCELED),
    (S.REFUNDING, S.FAILED),
    (S.FAILED, S.REFUNDING),
)


class TournamentLifecycle(models.Model):
    """States and edges of a tournament."""

    status = fsm.FSMField(
        max_length=20, choices=TournamentStatus.choices, default=TournamentStatus.DRAFT, protected=True
    )
    published_at: datetime | None
    registration_closed_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    cancelled_at: datetime | None
    closed_at: datetime | None
    cancel_reason: str
    status_before_cancel: str
    problem: str

    class Meta:
        abstract = True

    @fsm.transition(field=status, source=S.DRAFT, target=S.REGISTERING, permission="tournaments.publish_tournament")
    def publish(self, *, at: datetime) -> None:
        """Players may see it and register."""
        self.published_at = at

    @fsm.transition(field=status, source=S.REGISTERING, target=S.AWAITING_PAYMENTS)
    def await_payments(self) -> None:
        """Every seat is asked for; payments are outstanding."""

    @fsm.transition(
        field=status,
        source=[S.REGISTERING, S.AWAITING_PAYMENTS],
        target=S.REGISTRATION_CLOSED,
        permission="tournaments.close_registration",
    )
    def close_registration(self, *, at: datetime) -> None:
        """Nobody may enter any more."""
        self.registration_closed_at = at

    @fsm.transition(
        field=status,
        source=[S.REGISTERING, S.REGISTRATION_CLOSED],
        target=S.RUNNING,
        permission="tournaments.start_tournament",
    )
    def start(self, *, at: datetime) -> None:
        """Play begins."""
        self.started_at = at

    @fsm.transition(field=status, source=S.RUNNING, target=S.SETTLING, permission="tournaments.complete_tournament")
    def complete(self, *, at: datetime) -> None:
        """Scores and results are fixed from here on."""
        self.completed_at = at

    @fsm.transition(field=status, source=S.SETTLING, target=S.CLOSED)
    def close(self, *, at: datetime) -> None:
        """Everyone is paid and the escrow is empty."""
        self.closed_at = at

    @fsm.transition(
        field=status, source=list(CANCELLABLE), target=S.REFUNDING, permission="tournaments.cancel_tournament"
    )
    def cancel(self, *, reason: str, at: datetime) -> None:
        """It will not be played to its end; everything paid goes back."""
        self.status_before_cancel = self.status
        self.cancel_reason = reason
        self.cancelled_at = at

    @fsm.transition(field=status, source=S.REFUNDING, target=S.CANCELED)
    def finish_refunds(self, *, at: datetime) -> None:
        """Every refund is paid and the escrow is empty."""
        self.closed_at = at

    @fsm.transition(field=status, source=[S.SETTLING, S.REFUNDING], target=S.FAILED)
    def need_attention(self, *, problem: str) -> None:
        """Money could not move; a person must look."""
        self.problem = problem

    @fsm.transition(field=status, source=S.FAILED, target=S.SETTLING)
    def resume_settlement(self) -> None:
        """Pay on, with the same stored amounts."""
        self.problem = ""

    @fsm.transition(field=status, source=S.FAILED, target=S.REFUNDING)
    def resume_refunds(self) -> None:
        """Refund on, with the same stored amounts."""
        self.problem = ""


class EntryStatus(models.TextChoices):
    """Where an entry stands. `registered`, `active` and `winner` of the casino dialect are derived from IN."""

    IN = "IN", "In"
    OUT = "OUT", "Eliminated"
    WITHDRAWN = "WITHDRAWN", "Withdrawn"


ENTRY_EDGES = (
    (EntryStatus.IN, EntryStatus.OUT),
    (EntryStatus.OUT, EntryStatus.IN),
    (EntryStatus.IN, EntryStatus.WITHDRAWN),
)


class EntryLifecycle(models.Model):
    """States and edges of an entry."""

    status = fsm.FSMField(max_length=10, choices=EntryStatus.choices, default=EntryStatus.IN, protected=True)
    elimination_round: int | None
    eliminated_at: datetime | None
    withdrawn_at: datetime | None

    class Meta:
        abstract = True

    @fsm.transition(field=status, source=EntryStatus.IN, target=EntryStatus.OUT)
    def eliminate(self, *, round_number: int | None, at: datetime) -> None:
        """Out of the running, still ranked, not refunded."""
        self.elimination_round = round_number
        self.eliminated_at = at

    @fsm.transition(field=status, source=EntryStatus.OUT, target=EntryStatus.IN)
    def come_back(self) -> None:
        """A rebuy returns an eliminated player, points kept."""
        self.elimination_round = None
        self.eliminated_at = None

    @fsm.transition(field=status, source=EntryStatus.IN, target=EntryStatus.WITHDRAWN)
    def withdraw(self, *, at: datetime) -> None:
        """Gone before the start; not ranked, refunded in full."""
        self.withdrawn_at = at


class BuyInStatus(models.TextChoices):
    """Where a player's buy-in stands with the operator's debit API (rounds.md 3.6)."""

    PENDING = "PENDING", "Waiting for the operator"
    JOINED = "JOINED", "Paid, joined"
    REFUSED = "REFUSED", "Refused"
    UNKNOWN = "UNKNOWN", "Outcome unknown"
    RETURNED = "RETURNED", "Paid too late, given back"


BUY_IN_EDGES = (
    (BuyInStatus.PENDING, BuyInStatus.JOINED),
    (BuyInStatus.PENDING, BuyInStatus.REFUSED),
    (BuyInStatus.PENDING, BuyInStatus.UNKNOWN),
    (BuyInStatus.PENDING, BuyInStatus.RETURNED),
    (BuyInStatus.UNKNOWN, BuyInStatus.PENDING),
    (BuyInStatus.UNKNOWN, BuyInStatus.JOINED),
    (BuyInStatus.UNKNOWN, BuyInStatus.REFUSED),
    (BuyInStatus.UNKNOWN, BuyInStatus.RETURNED),
)
UNDECIDED = (BuyInStatus.PENDING, BuyInStatus.UNKNOWN)


class BuyInLifecycle(models.Model):
    """PENDING → JOINED | REFUSED | RETURNED, by way of UNKNOWN when nobody heard what became of it."""

    next_try_at: datetime | None
    ended_at: datetime | None
    error: str
    tries: int

    status = fsm.FSMField(max_length=8, choices=BuyInStatus.choices, default=BuyInStatus.PENDING, protected=True)

    class Meta:
        abstract = True

    @fsm.transition(field=status, source=list(UNDECIDED), target=BuyInStatus.JOINED)
    def join(self, *, at: datetime) -> None:
        """The operator has taken the fee, and the player is in."""
        self.ended_at, self.next_try_at, self.error = at, None, ""

    @fsm.transition(field=status, source=list(UNDECIDED), target=BuyInStatus.REFUSED)
    def refuse(self, *, error: str, at: datetime) -> None:
        """Nothing was taken, and the player is not in."""
        self.ended_at, self.next_try_at, self.error = at, None, error

    @fsm.transition(field=status, source=BuyInStatus.PENDING, target=BuyInStatus.UNKNOWN)
    def give_up(self, *, error: str) -> None:
        """No further try by itself; a person finds out."""
        self.next_try_at, self.error = None, error

    @fsm.transition(field=status, source=BuyInStatus.UNKNOWN, target=BuyInStatus.PENDING)
    def ask_again(self, *, at: datetime) -> None:
        """Ask the operator once more, with the same reference."""
        self.next_try_at, self.tries = at, 0

    @fsm.transition(field=status, source=list(UNDECIDED), target=BuyInStatus.RETURNED)
    def give_back(self, *, error: str, at: datetime) -> None:
        """The fee was taken when nobody could join any more; a payout gives it back."""
        self.ended_at, self.next_try_at, self.error = at, None, error
