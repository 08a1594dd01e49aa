"""Jobs."""

from django.db import models
from django.db.models import Q

from apps.core import ids
from apps.core.exact import ExactDecoder, ExactEncoder
from apps.core.lifecycle import edges_trigger
from apps.jobs.lifecycle import EDGES, JobLifecycle, JobStatus
from apps.operators.models import Operator
from apps.operators.models.tenants import OwnedQuerySet


def new_job_id() -> str:
    """Return a job's public id."""
    return ids.public_id("job")


def percent_of(done: int, total: int) -> int:
    """Return the progress of unfinished work in whole percent: never 100, and 0 while the total is not known."""
    return min(99, done * 100 // total) if total else 0


class Job(JobLifecycle):
    """One piece of long work. `done` of `total` is its progress; `total` 0 means not known yet.

    `key` names the act (`tournament:17:refund`): asking twice is asking once.
    """

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="jobs")
    public_id = models.CharField(max_length=32, unique=True, default=new_job_id, editable=False)
    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=120)
    subject = models.CharField(max_length=64, blank=True)
    title = models.CharField(max_length=200)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    result = models.JSONField(default=dict, blank=True, encoder=ExactEncoder, decoder=ExactDecoder)
    error = models.TextField(blank=True)
    asked_by = models.CharField(max_length=80)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(name="jobs_act_once", fields=["operator", "key"]),
            models.CheckConstraint(name="jobs_status_known", condition=Q(status__in=JobStatus.values)),
            models.CheckConstraint(
                name="jobs_ended_has_time",
                condition=Q(status__in=(JobStatus.QUEUED, JobStatus.RUNNING)) | Q(finished_at__isnull=False),
            ),
        )
        indexes = (
            models.Index(name="jobs_by_subject", fields=["operator", "subject", "-id"]),
            models.Index(name="jobs_by_age", fields=["operator", "-id"]),
            # The admin's lists of what runs and what failed.
            models.Index(
                name="jobs_not_done",
                fields=["operator", "status", "-id"],
                condition=Q(status__in=(JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.FAILED)),
            ),
        )
        triggers = (edges_trigger("job_status_edges", EDGES),)

    def __str__(self) -> str:
        return self.title

    @property
    def address(self) -> str:
        """The subject of the facts about this job."""
        return f"job:{self.pk}"

    @property
    def percent(self) -> int:
        """Progress in whole percent; 100 when it has succeeded, and only then."""
        return 100 if self.status == JobStatus.SUCCEEDED else percent_of(self.done, self.total)
