"""Ask for long work, and tell how far it is.

A job is what people watch, never what makes work happen: the rows of the area that does it are its queue. A worker that
is killed leaves its job RUNNING, and the next task of that area carries the same job on.
"""

from datetime import datetime
from typing import Any

from django.db import transaction

from apps.core.actors import SYSTEM, Actor
from apps.events.services import recording as events
from apps.jobs import facts
from apps.jobs.lifecycle import ENDED, JobStatus
from apps.jobs.models import Job, percent_of

PROGRESS_FIELDS = ("status", "done", "total", "started_at")


def ask(
    *, operator_id: int, kind: str, key: str, subject: str, title: str, total: int, actor: Actor, at: datetime
) -> Job:
    """Create the job, or return the one that this act has already, whatever its state.

    Runs in the caller's transaction, so that there is no job without the work it stands for. `total` 0 means not known.
    """
    job, _ = Job.objects.get_or_create(
        operator_id=operator_id,
        key=key,
        defaults={
            "kind": kind,
            "subject": subject,
            "title": title[:200],
            "total": total,
            "asked_by": str(actor),
            "created_at": at,
        },
    )
    return job


def report(
    operator_id: int, key: str, *, done: int, total: int, at: datetime, finished: bool = False, **result: Any
) -> None:
    """Note progress; `finished` ends the job with its result and the fact `job.succeeded`.

    Cheap enough to call after every batch: only a change of the percentage is written, and a worker that finds another
    one writing leaves it to that one. Call it outside the batch's own transaction, or others wait for the batch to see
    theirs noted. Progress never runs backwards. A job that has ended already is left alone.
    """
    if finished:
        _succeed(operator_id, key, done=done, total=total, result=result, at=at)
        return
    # A look without a lock first: most calls have nothing new to say.
    seen = Job.objects.for_operator(operator_id).filter(key=key).only("status", "done", "total").first()
    if seen is not None and _is_news(seen, done=done, total=total):
        _note_progress(seen.pk, done=done, total=total, at=at)


@transaction.atomic
def _note_progress(job_id: int, *, done: int, total: int, at: datetime) -> None:
    job = Job.objects.select_for_update(skip_locked=True).filter(pk=job_id).first()
    if job is None or not _is_news(job, done=done, total=total):
        return
    if job.status == JobStatus.QUEUED:
        job.start(at=at)
    job.done, job.total = max(job.done, done), total
    job.save(update_fields=PROGRESS_FIELDS)


def _is_news(job: Job, *, done: int, total: int) -> bool:
    if job.status in ENDED:
        return False
    if job.status == JobStatus.QUEUED or job.total != total:
        return True
    # Of an unknown total no percentage can change: every step is news.
    return done > job.done and (not total or percent_of(done, total) != percent_of(job.done, total))


@transaction.atomic
def _succeed(operator_id: int, key: str, *, done: int, total: int, result: dict[str, Any], at: datetime) -> None:
    job = _locked_open(operator_id, key)
    if job is None:
        return
    if job.status == JobStatus.QUEUED:
        job.start(at=at)
    job.succeed(at=at)
    job.done, job.total, job.result = done, total, {**job.result, **result}
    job.save(update_fields=[*PROGRESS_FIELDS, "result", "finished_at"])
    events.record_many([facts.succeeded(job)], operator_id=operator_id, actor=SYSTEM, at=at)


@transaction.atomic
def fail(operator_id: int, key: str, *, error: str, at: datetime) -> None:
    """Note that the work stopped, with the text for the person who looks, and record `job.failed`.

    A job that has ended already is left alone.
    """
    job = _locked_open(operator_id, key)
    if job is None:
        return
    job.fail(error=error, at=at)
    job.save(update_fields=["status", "error", "finished_at"])
    events.record_many([facts.failed(job)], operator_id=operator_id, actor=SYSTEM, at=at)


@transaction.atomic
def queue_again(operator_id: int, key: str, *, actor: Actor, at: datetime) -> bool:
    """Put a failed job back in the queue and record `job.queued`; return whether it was one.

    Called by the area that goes on with the work, in the transaction in which it does so. What is done stays done.
    """
    job = Job.objects.for_operator(operator_id).filter(key=key).select_for_update().first()
    if job is None or job.status != JobStatus.FAILED:
        return False
    job.queue_again()
    job.save(update_fields=["status", "error", "finished_at"])
    events.record_many([facts.queued_again(job)], operator_id=operator_id, actor=actor, at=at)
    return True


def _locked_open(operator_id: int, key: str) -> Job | None:
    """Return the job for this transaction alone, or None when there is none or it has ended."""
    job: Job | None = Job.objects.for_operator(operator_id).filter(key=key).select_for_update().first()
    return None if job is None or job.status in ENDED else job
