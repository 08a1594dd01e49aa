"""The lives of a match, a notice, a dispute and a hand-made result. Transitions change their own row and nothing else.

INVITED → CONFIRMING → ESCROWED → (NOTIFYING) → LIVE → SETTLING → FINISHED | TIED;  SETTLING ⇄ DISPUTED
before escrow: → CANCELLED;  from escrow on: → ABORTED;  a correction moves between the three ends that held money
"""

from datetime import datetime

import django_fsm as fsm
from django.db import models


class MatchStatus(models.TextChoices):
    """Where a match stands (matches.md 4.1); the game sees `pending`, `live` and the ends."""

    INVITED = "INVITED", "Invited"
    CONFIRMING = "CONFIRMING", "Confirming"
    ESCROWED = "ESCROWED", "In escrow"
    NOTIFYING = "NOTIFYING", "Telling the game"
    LIVE = "LIVE", "Live"
    SETTLING = "SETTLING", "Decided, held"
    DISPUTED = "DISPUTED", "Disputed"
    FINISHED = "FINISHED", "Finished"
    TIED = "TIED", "Tied"
    ABORTED = "ABORTED", "Aborted"
    CANCELLED = "CANCELLED", "Cancelled"


S = MatchStatus
BEFORE_ESCROW = (S.INVITED, S.CONFIRMING)
STARTING = (S.ESCROWED, S.NOTIFYING)
DECIDED = (S.SETTLING, S.DISPUTED)
PAID_OUT = (S.FINISHED, S.TIED, S.ABORTED)
FINAL = (*PAID_OUT, S.CANCELLED)
ABORTABLE = (*STARTING, S.LIVE, *DECIDED)
OPEN = (*BEFORE_ESCROW, *ABORTABLE)

EDGES = (
    (S.INVITED, S.CONFIRMING),
    (S.INVITED, S.ESCROWED),
    (S.CONFIRMING, S.ESCROWED),
    (S.INVITED, S.CANCELLED),
    (S.CONFIRMING, S.CANCELLED),
    (S.ESCROWED, S.NOTIFYING),
    (S.ESCROWED, S.LIVE),
    (S.NOTIFYING, S.LIVE),
    (S.LIVE, S.SETTLING),
    (S.SETTLING, S.DISPUTED),
    (S.DISPUTED, S.SETTLING),
    (S.SETTLING, S.FINISHED),
    (S.SETTLING, S.TIED),
    *((source, S.ABORTED) for source in ABORTABLE),
    # Corrections: staff put right what stood for the wrong outcome.
    (S.TIED, S.FINISHED),
    (S.ABORTED, S.FINISHED),
    (S.FINISHED, S.TIED),
    (S.ABORTED, S.TIED),
    (S.FINISHED, S.ABORTED),
    (S.TIED, S.ABORTED),
)


class MatchLifecycle(models.Model):
    """States and edges of a match."""

    status = fsm.FSMField(max_length=10, choices=MatchStatus.choices, default=MatchStatus.INVITED, protected=True)
    escrowed_at: datetime | None
    live_at: datetime | None
    decided_at: datetime | None
    ended_at: datetime | None

    class Meta:
        abstract = True

    @fsm.transition(field=status, source=S.INVITED, target=S.CONFIRMING)
    def begin_confirming(self) -> None:
        """Somebody has joined; the others are waited for."""

    @fsm.transition(field=status, source=list(BEFORE_ESCROW), target=S.ESCROWED)
    def escrow_stakes(self, *, at: datetime) -> None:
        """Everybody has confirmed and every stake lies in escrow."""
        self.escrowed_at = at

    @fsm.transition(field=status, source=list(BEFORE_ESCROW), target=S.CANCELLED, permission="matches.cancel_match")
    def cancel(self, *, at: datetime) -> None:
        """It will not take place; nothing had been taken, what was reserved is released."""
        self.ended_at = at

    @fsm.transition(field=status, source=S.ESCROWED, target=S.NOTIFYING)
    def notify(self) -> None:
        """The game is being told; it is live once the game answers 200."""

    @fsm.transition(field=status, source=list(STARTING), target=S.LIVE)
    def go_live(self, *, at: datetime) -> None:
        """Play has begun."""
        self.live_at = at

    @fsm.transition(field=status, source=S.LIVE, target=S.SETTLING, permission="matches.settle_match")
    def decide(self, *, at: datetime) -> None:
        """The outcome is known; the money moves now, or when the hold ends."""
        self.decided_at = at

    @fsm.transition(field=status, source=S.SETTLING, target=S.DISPUTED)
    def dispute(self) -> None:
        """Somebody contests the outcome; the escrow stays put until staff decide."""

    @fsm.transition(field=status, source=S.DISPUTED, target=S.SETTLING, permission="matches.decide_dispute")
    def resolve(self, *, at: datetime) -> None:
        """Staff have decided; their outcome is paid."""
        self.decided_at = at

    @fsm.transition(field=status, source=S.SETTLING, target=S.FINISHED)
    def finish(self, *, at: datetime) -> None:
        """The winner is paid, the fee is taken."""
        self.ended_at = at

    @fsm.transition(field=status, source=S.SETTLING, target=S.TIED)
    def tie(self, *, at: datetime) -> None:
        """First place is shared; no fee."""
        self.ended_at = at

    @fsm.transition(field=status, source=list(ABORTABLE), target=S.ABORTED, permission="matches.abort_match")
    def abort(self, *, at: datetime) -> None:
        """Nobody wins; every stake goes back in full."""
        self.ended_at = at

    @fsm.transition(field=status, source=[S.TIED, S.ABORTED], target=S.FINISHED, permission="matches.correct_match")
    def correct_to_finished(self) -> None:
        """It had a winner after all."""

    @fsm.transition(field=status, source=[S.FINISHED, S.ABORTED], target=S.TIED, permission="matches.correct_match")
    def correct_to_tied(self) -> None:
        """It was a tie after all."""

    @fsm.transition(field=status, source=[S.FINISHED, S.TIED], target=S.ABORTED, permission="matches.correct_match")
    def correct_to_aborted(self) -> None:
        """It should have been aborted."""


class NoticeStatus(models.TextChoices):
    """Where a webhook call stands."""

    PENDING = "PENDING", "Pending"
    DELIVERED = "DELIVERED", "Delivered"
    FAILED = "FAILED", "Given up"


NOTICE_EDGES = ((NoticeStatus.PENDING, NoticeStatus.DELIVERED), (NoticeStatus.PENDING, NoticeStatus.FAILED))


class NoticeLifecycle(models.Model):
    """States and edges of a notice."""

    status = fsm.FSMField(max_length=10, choices=NoticeStatus.choices, default=NoticeStatus.PENDING, protected=True)
    ended_at: datetime | None

    class Meta:
        abstract = True

    @fsm.transition(field=status, source=NoticeStatus.PENDING, target=NoticeStatus.DELIVERED)
    def deliver(self, *, at: datetime) -> None:
        """The game has answered as it should."""
        self.ended_at = at

    @fsm.transition(field=status, source=NoticeStatus.PENDING, target=NoticeStatus.FAILED)
    def give_up(self, *, at: datetime) -> None:
        """The game refused, or no try is left."""
        self.ended_at = at


class DisputeStatus(models.TextChoices):
    """Where a dispute stands (matches.md 7, extension 1)."""

    OPEN = "OPEN", "Open"
    UPHELD = "UPHELD", "Upheld"
    REJECTED = "REJECTED", "Rejected"


DISPUTE_EDGES = ((DisputeStatus.OPEN, DisputeStatus.UPHELD), (DisputeStatus.OPEN, DisputeStatus.REJECTED))


class DisputeLifecycle(models.Model):
    """States and edges of a dispute."""

    status = fsm.FSMField(max_length=10, choices=DisputeStatus.choices, default=DisputeStatus.OPEN, protected=True)
    decided_at: datetime | None

    class Meta:
        abstract = True

    @fsm.transition(field=status, source=DisputeStatus.OPEN, target=DisputeStatus.UPHELD)
    def uphold(self, *, at: datetime) -> None:
        """The outcome was wrong."""
        self.decided_at = at

    @fsm.transition(field=status, source=DisputeStatus.OPEN, target=DisputeStatus.REJECTED)
    def reject(self, *, at: datetime) -> None:
        """The outcome stands."""
        self.decided_at = at


class HandStatus(models.TextChoices):
    """Where a result that staff enter by hand stands: it takes two who say the same."""

    PROPOSED = "PROPOSED", "Waits for a second person"
    AGREED = "AGREED", "Agreed"
    DISAGREED = "DISAGREED", "The two disagreed"


HAND_EDGES = ((HandStatus.PROPOSED, HandStatus.AGREED), (HandStatus.PROPOSED, HandStatus.DISAGREED))


class HandLifecycle(models.Model):
    """States and edges of a hand-made result."""

    status = fsm.FSMField(max_length=10, choices=HandStatus.choices, default=HandStatus.PROPOSED, protected=True)
    second_at: datetime | None

    class Meta:
        abstract = True

    @fsm.transition(field=status, source=HandStatus.PROPOSED, target=HandStatus.AGREED)
    def agree(self, *, at: datetime) -> None:
        """A second person entered the same."""
        self.second_at = at

    @fsm.transition(field=status, source=HandStatus.PROPOSED, target=HandStatus.DISAGREED)
    def disagree(self, *, at: datetime) -> None:
        """A second person entered something else; neither counts."""
        self.second_at = at
