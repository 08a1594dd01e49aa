"""The short way for calls of machines: from the web server to the view, past what is made for browsers.

Each beginning of a path in EXPRESS_PATHS names the URLconf to look in: going through all addresses takes as long as
many a view. Sessions, cookies, forms, messages and frames are for browsers; the views of these paths prove their
callers themselves and never redirect. Log lines carry the request's id and the caller's address as usual, and what such
a view raises is answered by Django as from anywhere.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from http.client import responses
from typing import Any, cast

import structlog
from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIRequest, get_path_info
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse
from django.template.response import SimpleTemplateResponse
from django.urls import Resolver404, ResolverMatch, resolve
from django_prometheus.middleware import PrometheusBeforeMiddleware

from apps.core.api.client import address_of
from apps.core.middleware import RequestIdMiddleware

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

# Addresses up to this length are remembered with their views: the same few are called thousands of times a second.
SHORT = 200
_remembered = lru_cache(maxsize=4096)(resolve)


def match_of(path: str) -> ResolverMatch | None:
    """Return the view that answers a path of the short way; None for every other path."""
    urlconf = next((conf for start, conf in settings.EXPRESS_PATHS.items() if path.startswith(start)), None)
    if urlconf is None:
        return None
    try:
        return _remembered(path, urlconf) if len(path) <= SHORT else resolve(path, urlconf)
    except Resolver404:
        return None


def must_redirect(request: HttpRequest) -> bool:
    """Tell whether a call has to go Django's way first, which knows who need not come by TLS."""
    return settings.SECURE_SSL_REDIRECT and not request.is_secure()


def answer(request: HttpRequest) -> HttpResponse:
    """Answer by the view that `request.resolver_match` names."""
    match = request.resolver_match
    assert match is not None  # noqa: S101 - whoever calls this has found one
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


class ExpressLane:
    """As middleware: past what stands behind this in MIDDLEWARE. For whoever asks Django itself, as test clients do."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Keep the next layer."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer by the view, or go the usual way."""
        match = match_of(request.path_info)
        if match is None or must_redirect(request):
            return self.get_response(request)
        request.resolver_match = match
        return answer(request)


class Door:
    """As the WSGI application in front of Django's: past its handler and its signals too.

    What Django does at the beginning and the end of a request stays, as far as it is needed: connections to the
    database that have broken, are too old, or that no request may keep, are closed; requests are counted and timed, and
    have an id.
    """

    def __init__(self, django: Application) -> None:
        """Keep the way for everybody else."""
        self.django = django
        respond = cast("Callable[[HttpRequest], HttpResponse]", convert_exception_to_response(answer))
        self.respond = PrometheusBeforeMiddleware(RequestIdMiddleware(respond))

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer by the view, or go the usual way."""
        match = match_of(get_path_info(environ))
        if match is None:
            return self.django(environ, start_response)
        request = WSGIRequest(environ)
        if must_redirect(request):
            return self.django(environ, start_response)
        request.resolver_match = match
        close_old_connections()
        try:
            response = self.respond(request)
        finally:
            if not settings.DATABASES["default"]["CONN_MAX_AGE"]:  # the others are looked at before the next request
                close_old_connections()
        cookies = [("Set-Cookie", cookie.OutputString()) for cookie in response.cookies.values()]
        status = f"{response.status_code} {responses.get(response.status_code, 'Unknown')}"
        start_response(status, [*response.items(), *cookies])
        # Closing an answer would tell Django of the end of a request that it never saw begin.
        return response if response.streaming else [response.content]
