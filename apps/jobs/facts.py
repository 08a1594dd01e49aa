"""What jobs report: `job.succeeded`, `job.failed`, `job.queued` (asked for again)."""

from typing import Any

from apps.core.clock import iso
from apps.events.services.recording import NewFact
from apps.jobs.models import Job


def _about(job: Job, name: str, **more: Any) -> NewFact:
    """The subject is the job: what it works on has a story of its own, and `data.subject` names it."""
    data = {"jobId": job.public_id, "kind": job.kind, "title": job.title, "subject": job.subject or None, **more}
    return NewFact(name, job.address, data)


def succeeded(job: Job) -> NewFact:
    """`job.succeeded`, with its result."""
    return _about(
        job, "job.succeeded", done=job.done, total=job.total, result=job.result, finishedAt=iso(job.finished_at)
    )


def failed(job: Job) -> NewFact:
    """`job.failed`, with the text for whoever looks."""
    return _about(job, "job.failed", done=job.done, total=job.total, error=job.error, finishedAt=iso(job.finished_at))


def queued_again(job: Job) -> NewFact:
    """`job.queued`: somebody asked for another run of a failed job."""
    return _about(job, "job.queued", done=job.done, total=job.total)
