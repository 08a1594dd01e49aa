"""Paths of jobs, below each mount of the operator API."""

from django.urls import re_path

from apps.jobs.api.views import JobsView, OneJobView

urlpatterns = [
    re_path(r"^jobs/?$", JobsView.as_view(), name="jobs"),
    re_path(r"^jobs/(?P<job_id>[^/]+)/?$", OneJobView.as_view(), name="job"),
]
