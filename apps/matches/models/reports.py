"""What was said about a match: reports, notices to the game, disputes, hand-made results, events."""

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from apps.core.exact import ExactDecoder, ExactEncoder
from apps.core.lifecycle import edges_trigger
from apps.matches.lifecycle import (
    DISPUTE_EDGES,
    HAND_EDGES,
    NOTICE_EDGES,
    DisputeLifecycle,
    HandLifecycle,
    HandStatus,
    NoticeLifecycle,
    NoticeStatus,
)
from apps.matches.models.matches import Match, Participant
from apps.matches.querysets import NoticeQuerySet


class ReportKind(models.TextChoices):
    """What a report is."""

    RESULT = "RESULT", "Result of the match"
    SCORE = "SCORE", "Score of a player"
    FORFEIT = "FORFEIT", "Forfeit"
    ABORT = "ABORT", "Abort"
    HAND = "HAND", "Result entered by staff"
    DISPUTE = "DISPUTE", "Decision of a dispute"
    CORRECTION = "CORRECTION", "Correction"


class Report(models.Model):
    """One thing that was said about the outcome, and whether it counted. Never edited, never deleted.

    `fingerprint` is the SHA-256 of the body as it was understood, so that a repeat is known in any spelling. What did
    not count is kept as a conflict, for staff.
    """

    match = models.ForeignKey(Match, on_delete=models.PROTECT, related_name="reports", db_index=False)
    kind = models.CharField(max_length=10, choices=ReportKind.choices)
    participant = models.ForeignKey(
        Participant, on_delete=models.PROTECT, null=True, blank=True, related_name="reports", db_index=False
    )
    accepted = models.BooleanField()
    fingerprint = models.CharField(max_length=64, blank=True)
    key = models.CharField(max_length=128, blank=True, help_text="The client's own id of a submission.")
    body = models.JSONField(encoder=ExactEncoder, decoder=ExactDecoder)
    actor = models.CharField(max_length=80)
    reason = models.CharField(max_length=1000, blank=True)
    received_at = models.DateTimeField()

    class Meta:
        constraints = (
            # The row lock sees to it; this makes it impossible.
            models.UniqueConstraint(
                name="matches_one_result",
                fields=["match"],
                condition=Q(accepted=True, kind__in=("RESULT", "ABORT", "HAND")),
            ),
        )
        indexes = (models.Index(name="matches_report_of_match", fields=["match", "id"]),)
        triggers = (pgtrigger.Protect(name="report_append_only", operation=pgtrigger.Update | pgtrigger.Delete),)

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({'counts' if self.accepted else 'does not count'})"


class NoticeKind(models.TextChoices):
    """Why the game's webhook is called (matches.md 3.3, 3.4, 3.10)."""

    START = "START", "PUT: the match starts"
    FORFEIT = "FORFEIT", "PUT: a team has forfeited"
    DELETE = "DELETE", "DELETE: the match is aborted"


class Notice(NoticeLifecycle):
    """A webhook call that is owed. The row is the queue: `next_try_at` is booked before each try.

    While a try is in flight `leased_until` lies ahead; a worker that dies leaves it to run out. `log` holds one line
    per try: `{"at", "status", "problem"}`.
    """

    match = models.ForeignKey(Match, on_delete=models.PROTECT, related_name="notices")
    kind = models.CharField(max_length=7, choices=NoticeKind.choices)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True, blank=True)
    last_status = models.PositiveSmallIntegerField(null=True, blank=True)
    last_problem = models.CharField(max_length=300, blank=True)
    log = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(name="matches_one_start", fields=["match"], condition=Q(kind="START")),
            models.CheckConstraint(
                name="matches_ended_notice_has_time", condition=Q(status="PENDING") | Q(ended_at__isnull=False)
            ),
        )
        indexes = (
            models.Index(name="matches_notice_due", fields=["next_try_at"], condition=Q(status=NoticeStatus.PENDING)),
        )
        triggers = (edges_trigger("notice_status_edges", NOTICE_EDGES),)

    def __str__(self) -> str:
        return self.get_kind_display()


class DisputeType(models.TextChoices):
    """What a dispute says."""

    REPORT = "report", "Another result is reported"
    DISPUTE = "dispute", "The result is contested"


class Dispute(DisputeLifecycle):
    """Somebody contests an outcome inside its hold (matches.md 7, extension 1). Staff decide, and that is final."""

    match = models.ForeignKey(Match, on_delete=models.PROTECT, related_name="disputes")
    participant = models.ForeignKey(Participant, on_delete=models.PROTECT, related_name="disputes")
    type = models.CharField(max_length=8, choices=DisputeType.choices)
    note = models.CharField(max_length=2000, blank=True)
    evidence = models.JSONField(default=list, blank=True, encoder=ExactEncoder, decoder=ExactDecoder)
    opened_by = models.CharField(max_length=80)
    opened_at = models.DateTimeField()
    decided_by = models.CharField(max_length=80, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decision = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="matches_decided_dispute_has_time", condition=Q(status="OPEN") | Q(decided_at__isnull=False)
            ),
        )
        triggers = (edges_trigger("dispute_status_edges", DISPUTE_EDGES),)

    def __str__(self) -> str:
        return f"dispute {self.pk}"


class HandResult(HandLifecycle):
    """A result that staff enter: the first keeps theirs to themselves, the second enters one without seeing it.

    `first_leaders` and `second_leaders` are ids of teams in first place: one won, several tied, none: refund.
    """

    match = models.ForeignKey(Match, on_delete=models.PROTECT, related_name="hand_results")
    first_leaders = ArrayField(models.CharField(max_length=64))
    first_by = models.CharField(max_length=80)
    first_at = models.DateTimeField()
    second_leaders = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    second_by = models.CharField(max_length=80, blank=True)
    second_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=200)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                name="matches_one_open_hand_result", fields=["match"], condition=Q(status=HandStatus.PROPOSED)
            ),
            models.CheckConstraint(
                name="matches_hand_result_takes_two",
                condition=Q(status=HandStatus.PROPOSED)
                | (Q(second_at__isnull=False) & ~Q(second_by=models.F("first_by"))),
            ),
        )
        triggers = (edges_trigger("hand_status_edges", HAND_EDGES),)

    def __str__(self) -> str:
        return self.get_status_display()


class GameEventType(models.TextChoices):
    """What a game tells besides the result (matches.md 7, extension 3)."""

    READY = "READY"
    STARTED = "STARTED"
    UPDATED = "UPDATED"
    GONE = "GONE"
    STATS = "STATS"


class GameEvent(models.Model):
    """An event as the game sent it. None of them moves money; GONE starts the abort timer."""

    match = models.ForeignKey(Match, on_delete=models.PROTECT, related_name="game_events", db_index=False)
    event_type = models.CharField(max_length=8, choices=GameEventType.choices)
    event_id = models.CharField(max_length=128, null=True, blank=True)
    payload = models.JSONField(default=dict, encoder=ExactEncoder, decoder=ExactDecoder)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(name="matches_event_once", fields=["match", "event_id"]),)
        indexes = (models.Index(name="matches_event_of_match", fields=["match", "id"]),)
        triggers = (pgtrigger.Protect(name="event_append_only", operation=pgtrigger.Update | pgtrigger.Delete),)

    def __str__(self) -> str:
        return self.event_type
