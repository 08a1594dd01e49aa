"""Paths of the stream, below each mount of the operator API."""

from django.urls import re_path

from apps.events.api.views import EventsView

urlpatterns = [
    re_path(r"^events/?$", EventsView.as_view(), name="events"),
]
