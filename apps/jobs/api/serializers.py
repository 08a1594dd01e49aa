"""What may be asked about jobs, and the answers."""

from typing import Any

from rest_framework import serializers

from apps.core.clock import iso
from apps.jobs.lifecycle import JobStatus
from apps.jobs.models import Job

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
MAX_OFFSET = 10_000


class JobQuery(serializers.Serializer[Any]):
    """Which jobs to list."""

    state = serializers.ChoiceField(choices=JobStatus.choices, required=False)
    kind = serializers.CharField(required=False, max_length=40)
    limit = serializers.IntegerField(default=DEFAULT_LIMIT, min_value=1, max_value=MAX_LIMIT)
    offset = serializers.IntegerField(default=0, min_value=0, max_value=MAX_OFFSET)


class ProgressOut(serializers.Serializer[Any]):
    """How far a job is."""

    done = serializers.IntegerField()
    total = serializers.IntegerField(help_text="0: not known yet.")
    percent = serializers.IntegerField(min_value=0, max_value=100, help_text="100 when it has succeeded, only then.")


class JobOut(serializers.Serializer[Any]):
    """One job."""

    id = serializers.CharField()
    kind = serializers.CharField()
    state = serializers.ChoiceField(choices=JobStatus.choices)
    title = serializers.CharField()
    progress = ProgressOut()
    result = serializers.DictField(allow_null=True, help_text="Null until it has succeeded.")
    error = serializers.CharField(allow_null=True, help_text="Null unless it has failed.")
    createdAt = serializers.DateTimeField()  # noqa: N815 - the wire's spelling
    startedAt = serializers.DateTimeField(allow_null=True)  # noqa: N815
    finishedAt = serializers.DateTimeField(allow_null=True)  # noqa: N815


class JobPagination(serializers.Serializer[Any]):
    """Where in the list this page is."""

    limit = serializers.IntegerField()
    offset = serializers.IntegerField()
    hasMore = serializers.BooleanField()  # noqa: N815


class JobsOut(serializers.Serializer[Any]):
    """A page of jobs."""

    jobs = JobOut(many=True)
    pagination = JobPagination()


def job_body(job: Job) -> dict[str, Any]:
    """Return what the API says about a job."""
    return {
        "id": job.public_id,
        "kind": job.kind,
        "state": job.status,
        "title": job.title,
        "progress": {"done": job.done, "total": job.total, "percent": job.percent},
        "result": job.result if job.status == JobStatus.SUCCEEDED else None,
        "error": job.error if job.status == JobStatus.FAILED else None,
        "createdAt": iso(job.created_at),
        "startedAt": iso(job.started_at),
        "finishedAt": iso(job.finished_at),
    }
