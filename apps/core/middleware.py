"""Request ids."""

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from apps.core import ids

ACCEPTABLE = re.compile(r"^[A-Za-z0-9._\-]{1,64}$")


class RequestIdMiddleware:
    """Give every request an id, answer with it as `X-Request-Id`, and keep a client's own when it is well formed.

    django-structlog reads the same header, so log lines, facts and the answer carry one id.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Keep the next layer."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Stamp the request and its answer."""
        # META, not headers: the latter is built once, and django-structlog must find what we put there.
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = given if ACCEPTABLE.match(given) else ids.public_id("req", 12)
        request.META["HTTP_X_REQUEST_ID"] = request_id
        response = self.get_response(request)
        response["X-Request-Id"] = request_id
        return response
