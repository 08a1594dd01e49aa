"""Every address Podium answers on; each area brings its own."""

from django.contrib import admin
from django.urls import include, path

# What operators call with their keys. Mounted twice, because clients of the original write either (operators.md 1.1).
operator_api = [
    path("", include("apps.events.api.urls")),
    path("", include("apps.jobs.api.urls")),
]

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/", include(operator_api)),
    path("api/api/", include(operator_api)),
]
