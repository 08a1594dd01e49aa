"""Long work, with bars that move by themselves."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, JsonResponse
from django.urls import URLPattern, path, reverse

from apps.core.admin import ChoicesDropdownFilter, Panel, TenantAdmin, display, formats, narrow, panel
from apps.core.admin.formats import Tone
from apps.jobs.lifecycle import JobStatus
from apps.jobs.models import Job

formats.SUBJECT_PAGES["job"] = "jobs.job"

STATUS_TONES: dict[str, Tone] = {
    JobStatus.QUEUED: "grey",
    JobStatus.RUNNING: "blue",
    JobStatus.SUCCEEDED: "green",
    JobStatus.FAILED: "red",
}
OPEN = (JobStatus.QUEUED, JobStatus.RUNNING)
SHOWN_ON_FIRST_PAGE = 8


def told(job: Job) -> str:
    """Say how far a job is."""
    if job.status == JobStatus.FAILED:
        return "failed"
    if not job.total:
        return job.get_status_display().lower()
    return f"{formats.number(job.done)} of {formats.number(job.total)}"


def bar(job: Job) -> str:
    """Draw how far a job is; it moves by itself until the job has ended."""
    return formats.progress(
        job.percent, told(job), poll=reverse("admin:jobs_job_progress", args=[job.pk]), ended=job.status not in OPEN
    )


def status_badge(job: Job) -> str:
    """Write a job's state."""
    return formats.badge(job.get_status_display().capitalize(), formats.tone_of(STATUS_TONES, job.status))


@admin.register(Job)
class JobAdmin(TenantAdmin):
    """Work that somebody may watch."""

    views = (
        ("All", {}),
        ("Running", {"status__exact": "RUNNING"}),
        ("Queued", {"status__exact": "QUEUED"}),
        ("Failed", {"status__exact": "FAILED"}),
    )
    list_display = ("title", "shown_status", "shown_progress", "about", "operator", "asked_by", "asked")
    list_select_related = ("operator",)
    list_filter = (("status", ChoicesDropdownFilter),)
    search_fields = ("public_id",)
    search_help_text = "A job's id (job_…), or a subject such as tournament:17"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("title", "shown_status"),
                    "shown_progress",
                    ("about", "kind"),
                    ("asked", "asked_by"),
                    ("started", "ended"),
                    ("operator", "job_id"),
                )
            },
        ),
        ("Outcome", {"fields": ("error", "shown_result")}),
    )

    def get_urls(self) -> list[URLPattern]:
        """Add the address that bars ask."""
        view = self.admin_site.admin_view(self.progress_view)
        return [path("<path:object_id>/progress/", view, name="jobs_job_progress"), *super().get_urls()]

    def progress_view(self, request: HttpRequest, object_id: str) -> JsonResponse:
        """Tell how far a job is, as JSON."""
        job: Job | None = self.get_object(request, unquote(object_id))
        if job is None or not self.has_view_permission(request, job):
            raise Http404
        answer = {
            "status": job.status,
            "percent": job.percent,
            "text": told(job),
            "ended": job.status not in OPEN,
            "failed": job.status == JobStatus.FAILED,
        }
        response = JsonResponse(answer)
        response["Cache-Control"] = "no-store"
        return response

    def find(self, request: HttpRequest, rows: QuerySet[Job], term: str) -> QuerySet[Job]:
        """By id or by what it works on."""
        return rows.filter(Q(public_id=term) | Q(subject=term))

    @display(description="status", ordering="status")
    def shown_status(self, row: Job) -> str:
        """Where it stands."""
        return status_badge(row)

    @display(description="progress")
    def shown_progress(self, row: Job) -> str:
        """How far it is."""
        return bar(row)

    @display(description="about")
    def about(self, row: Job) -> str:
        """What it works on, with a link."""
        return formats.subject(row.subject)

    @display(description="asked for", ordering="pk")
    def asked(self, row: Job) -> str:
        """When."""
        return formats.moment(row.created_at)

    @display(description="started")
    def started(self, row: Job) -> str:
        """When a worker began."""
        return formats.moment(row.started_at, seconds=True)

    @display(description="ended")
    def ended(self, row: Job) -> str:
        """When it was done or gave up."""
        return formats.moment(row.finished_at, seconds=True)

    @display(description="job id")
    def job_id(self, row: Job) -> str:
        """Its public id."""
        return formats.code(row.public_id)

    @display(description="result")
    def shown_result(self, row: Job) -> str:
        """What came out of it."""
        return formats.pretty_json(row.result) if row.result else formats.NOTHING


def table_of(jobs: list[Job]) -> dict[str, Any]:
    """Return jobs as a table with bars."""
    rows = [(formats.row_link(job), bar(job), formats.moment(job.created_at)) for job in jobs]
    return {"headers": ("Job", "Progress", "Asked for"), "rows": rows, "empty": "Nothing is running."}


@panel(order=40)
def running(request: HttpRequest) -> Panel | None:
    """What is being worked on now."""
    if not request.user.has_perm("jobs.view_job"):
        return None
    jobs = narrow(Job.objects.filter(status__in=OPEN), request.user, "operator_id").order_by("-pk")
    return Panel(
        "Jobs running",
        "podium/panel_table.html",
        table_of(list(jobs[:SHOWN_ON_FIRST_PAGE])),
        more=("All jobs", formats.list_url("jobs.job")),
    )
