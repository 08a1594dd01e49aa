"""`GET /api/jobs` and `GET /api/jobs/{id}`: for integrators who wait for a settlement or a refund to end."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.errors import NotFound
from apps.jobs.api.serializers import JobOut, JobQuery, JobsOut, job_body
from apps.jobs.models import Job
from apps.operators.api.access import OperatorView, credential_of
from apps.operators.scopes import Scope


class JobNotFound(NotFound):
    """There is no such job."""


class JobView(OperatorView):
    """What both calls share: jobs work on competitions, so whoever may see those may see how far they are."""

    scopes = {"get": Scope.TOURNAMENTS_READ}


class JobsView(JobView):
    """All of the operator's jobs."""

    @extend_schema(
        operation_id="list_jobs", summary="List jobs", tags=["jobs"], parameters=[JobQuery], responses=JobsOut
    )
    def get(self, request: Request, **_: Any) -> Response:
        """Return jobs, newest first. Needs the scope `tournaments.read`."""
        query = JobQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        limit, offset = query.validated_data["limit"], query.validated_data["offset"]
        jobs = Job.objects.for_operator(credential_of(request).operator_id).order_by("-id")
        if state := query.validated_data.get("state"):
            jobs = jobs.filter(status=state)
        if kind := query.validated_data.get("kind"):
            jobs = jobs.filter(kind=kind)
        # One more than asked for says whether there is more; nobody counts.
        found = list(jobs[offset : offset + limit + 1])
        page = {"limit": limit, "offset": offset, "hasMore": len(found) > limit}
        return Response({"jobs": [job_body(job) for job in found[:limit]], "pagination": page})


class OneJobView(JobView):
    """One job."""

    @extend_schema(operation_id="get_job", summary="Watch a job", tags=["jobs"], responses=JobOut)
    def get(self, request: Request, job_id: str, **_: Any) -> Response:
        """Return one job's state, progress, result or error. Needs the scope `tournaments.read`."""
        job = Job.objects.for_operator(credential_of(request).operator_id).filter(public_id=job_id).first()
        if job is None:
            raise JobNotFound
        return Response(job_body(job))
