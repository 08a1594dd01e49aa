"""Where the room dialect answers: its clients write any of three prefixes (rooms.md 1)."""

from django.urls import include, path

_calls = include("apps.rooms.api.urls")
urlpatterns = [path("api/", _calls), path("api/api/", _calls), path("", _calls)]
