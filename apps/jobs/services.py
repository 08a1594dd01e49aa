"""Ask for long work, and tell how far it is."""

from datetime import datetime
from typing import Any

from django.db import transaction

from apps.core.actors import Actor
from apps.jobs.lifecycle import JobStatus
from apps.jobs.models import Job


def ask(
    *, operator_id: int, kind: str, key: str, subject: str, title: str, total: int, actor: Actor, at: datetime
) -> Job:
    """Create the job, or return the one that this act has already. Runs in the caller's transaction."""
    job, _ = Job.objects.get_or_create(
        operator_id=operator_id,
        key=key,
        defaults={
            "kind": kind,
            "subject": subject,
            "title": title,
            "total": total,
            "asked_by": str(actor),
            "created_at": at,
        },
    )
    return job


@transaction.atomic
def report(
    operator_id: int, key: str, *, done: int, total: int, at: datetime, finished: bool = False, **result: Any
) -> None:
    """Note progress; `finished` ends the job with its result. A job that has ended already is left alone."""
    job = Job.objects.select_for_update().filter(operator_id=operator_id, key=key).first()
    if job is None or job.status in (JobStatus.SUCCEEDED, JobStatus.FAILED):
        return
    if job.status == JobStatus.QUEUED and not finished:
        job.start(at=at)
    if finished:
        job.succeed(at=at)
        job.result = {**job.result, **result}
    job.done, job.total = done, total
    job.save(update_fields=["status", "done", "total", "result", "started_at", "finished_at"])


@transaction.atomic
def fail(operator_id: int, key: str, *, error: str, at: datetime) -> None:
    """Note that the work stopped, with the text for the person who looks. An ended job is left alone."""
    job = Job.objects.select_for_update().filter(operator_id=operator_id, key=key).first()
    if job is None or job.status in (JobStatus.SUCCEEDED, JobStatus.FAILED):
        return
    job.fail(error=error, at=at)
    job.save(update_fields=["status", "error", "finished_at"])
