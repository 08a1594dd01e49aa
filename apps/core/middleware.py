"""Request ids, and the short way for calls of machines."""

import re
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.response import SimpleTemplateResponse
from django.urls import Resolver404, resolve

from apps.core import ids
from apps.core.api.client import address_of

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


class ExpressLane:
    """Take calls below EXPRESS_PATHS to their view at once, past what stands behind this in MIDDLEWARE.

    Each beginning of a path names the URLconf to look in: going through all addresses takes as long as many a view.
    Sessions, cookies, forms, messages and frames are for browsers; the views of these paths prove their callers
    themselves and never redirect. Log lines carry the request's id and the caller's address as usual. What such a view
    raises is answered by Django as from anywhere.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Keep the next layer."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer by the view, or go the usual way."""
        if settings.SECURE_SSL_REDIRECT and not request.is_secure():
            return self.get_response(request)  # it knows who need not come by TLS
        path = request.path_info
        urlconf = next((conf for start, conf in settings.EXPRESS_PATHS.items() if path.startswith(start)), None)
        if urlconf is None:
            return self.get_response(request)
        try:
            match = resolve(path, urlconf)
        except Resolver404:
            return self.get_response(request)
        request.resolver_match = match
        with structlog.contextvars.bound_contextvars(
            request_id=request.META["HTTP_X_REQUEST_ID"], ip=address_of(request) or None
        ):
            response: HttpResponse = match.func(request, *match.args, **match.kwargs)
            if isinstance(response, SimpleTemplateResponse):
                response = response.render()
        # CommonMiddleware's part: without it an answer comes in chunks.
        if not response.streaming:
            response.setdefault("Content-Length", str(len(response.content)))
        return response
