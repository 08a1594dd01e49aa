"""The addresses of rooms and tasks, below each mount. A slash at the end is optional."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
