"""The addresses of players, below each mount. A slash at the end is optional: `re_path(r"^user/login/?$", …)`."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
