"""Errors of everything under `/api` and `/internal`, in the words of operators.md section 10.

A rule's refusal, a malformed request and a bug all leave in one body; a client may look for the code and the message
in whichever of the usual places it knows. Elsewhere (the admin, pages) Django's own HTML answers.
"""

from collections.abc import Mapping
from typing import Any

from django.core.signals import got_request_exception
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views import defaults
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import set_rollback

from apps.core.api.json import dumps
from apps.core.api.problems import Problem, describe

API_PREFIXES = ("/api/", "/internal/")

BUG = Problem(500, "INTERNAL_ERROR", "Something went wrong on our side. It has been logged under this request id.")


def error_body(problem: Problem, request: Request | HttpRequest) -> dict[str, Any]:
    """Return the documented error body; `hint` is there only when there is one."""
    hint = {"hint": problem.hint} if problem.hint else {}
    return {
        "success": False,
        "error": {"code": problem.code, "message": problem.message, "details": dict(problem.details)} | hint,
        "message": problem.message,
        "code": problem.code,
        "request_id": request.META.get("HTTP_X_REQUEST_ID", ""),
    } | hint


def error_response(problem: Problem, request: Request | HttpRequest) -> HttpResponse:
    """Write a problem as an answer of its own, for code that runs outside a REST view."""
    return HttpResponse(
        dumps(error_body(problem, request)),
        status=problem.status,
        content_type="application/json",
        headers=dict(problem.headers),
    )


def problem_of(exc: Exception, context: Mapping[str, Any]) -> Problem:
    """Return the problem behind whatever a view raised, and undo the view's work. A bug is logged with its stack."""
    request = context["request"]
    problem = describe(exc)
    if problem is None:
        # Whoever listens for crashes hears of it: django-structlog, which logs the stack, and the test client.
        # They get Django's request: REST framework's would authenticate again when asked for its user.
        got_request_exception.send(sender=type(context.get("view")), request=request._request)  # noqa: SLF001
        problem = BUG
    set_rollback()
    return problem


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> Response:
    """Answer whatever a view raised. A bug becomes a bare 500 INTERNAL_ERROR."""
    problem = problem_of(exc, context)
    return Response(error_body(problem, context["request"]), status=problem.status, headers=dict(problem.headers))


def is_api(path: str) -> bool:
    """Tell whether a path belongs to machines, who want JSON even for a crash."""
    return path.startswith(API_PREFIXES) or path in {"/api", "/internal"}


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Django's handler400."""
    if is_api(request.path):
        problem = describe(exception) or Problem(400, "VALIDATION_ERROR", "The request is not acceptable.")
        return error_response(problem, request)
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Django's handler403."""
    if is_api(request.path):
        return error_response(Problem(403, "INSUFFICIENT_PERMISSIONS", "Permission denied."), request)
    return defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Django's handler404."""
    if is_api(request.path):
        return error_response(Problem(404, "NOT_FOUND", "There is nothing at this address."), request)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Django's handler500; Django has logged the crash already."""
    if is_api(request.path):
        return error_response(BUG, request)
    return defaults.server_error(request)
