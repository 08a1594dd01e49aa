"""What every log line says about the request it belongs to."""

import structlog
from django.http import HttpRequest
from django_structlog.middlewares import RequestMiddleware

from apps.core.api.client import address_of


class RequestLog(RequestMiddleware):
    """django-structlog's, with the caller's address as everything else here knows it.

    Its own look at ten headers believes whatever a client claims in them, and took as long as a rate limit.
    """

    @classmethod
    def bind_ip(cls, request: HttpRequest) -> None:
        """Add the address to the lines."""
        structlog.contextvars.bind_contextvars(ip=address_of(request) or None)
