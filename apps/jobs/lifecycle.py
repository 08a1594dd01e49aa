"""The life of a job: QUEUED → RUNNING → SUCCEEDED | FAILED. A failed job may be queued again."""

from datetime import datetime

import django_fsm as fsm
from django.db import models


class JobStatus(models.TextChoices):
    """Where the work stands."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


ENDED = (JobStatus.SUCCEEDED, JobStatus.FAILED)

EDGES = (
    (JobStatus.QUEUED, JobStatus.RUNNING),
    (JobStatus.QUEUED, JobStatus.SUCCEEDED),
    (JobStatus.QUEUED, JobStatus.FAILED),
    (JobStatus.RUNNING, JobStatus.SUCCEEDED),
    (JobStatus.RUNNING, JobStatus.FAILED),
    (JobStatus.FAILED, JobStatus.QUEUED),
)


class JobLifecycle(models.Model):
    """Transitions change this row and nothing else."""

    status = fsm.FSMField(max_length=10, choices=JobStatus.choices, default=JobStatus.QUEUED, protected=True)
    error: str
    started_at: datetime | None
    finished_at: datetime | None

    class Meta:
        abstract = True

    @fsm.transition(field=status, source=JobStatus.QUEUED, target=JobStatus.RUNNING)
    def start(self, *, at: datetime) -> None:
        """A worker has begun."""
        self.started_at = at

    @fsm.transition(field=status, source=[JobStatus.QUEUED, JobStatus.RUNNING], target=JobStatus.SUCCEEDED)
    def succeed(self, *, at: datetime) -> None:
        """All of it is done."""
        self.finished_at = at

    @fsm.transition(field=status, source=[JobStatus.QUEUED, JobStatus.RUNNING], target=JobStatus.FAILED)
    def fail(self, *, error: str, at: datetime) -> None:
        """It stopped and will not go on by itself."""
        self.error = error
        self.finished_at = at

    @fsm.transition(field=status, source=JobStatus.FAILED, target=JobStatus.QUEUED)
    def queue_again(self) -> None:
        """A person asks for another run; what is done already is not done twice."""
        self.error = ""
        self.finished_at = None
