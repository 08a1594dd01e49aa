"""Errors as the game's dialect writes them: `{"error": {"code", "message"}}` (matches.md 3)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.core.signals import got_request_exception
from rest_framework.response import Response
from rest_framework.views import set_rollback

from apps.core.api.errors import BUG
from apps.core.api.problems import Problem, describe
from apps.matches.services.finishing import RETRY_SECONDS, MatchStarting
from apps.matches.services.said import UnfitReport

UNPROCESSABLE, UNAVAILABLE = 422, 503


def problem_of(exc: Exception) -> Problem | None:
    """Return the problem behind an exception with this dialect's status, or None for a bug."""
    problem = describe(exc)
    if problem is None:
        return None
    if isinstance(exc, UnfitReport):
        return replace(problem, status=UNPROCESSABLE)
    if isinstance(exc, MatchStarting):
        return replace(problem, headers={"Retry-After": str(RETRY_SECONDS)})
    return problem


def body_of(problem: Problem) -> dict[str, Any]:
    """Return the error body."""
    return {"error": {"code": problem.code.lower(), "message": _words(problem)}}


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> Response:
    """Answer whatever a view raised; a bug is logged with its stack and becomes a bare 500."""
    problem = problem_of(exc)
    if problem is None:
        got_request_exception.send(sender=type(context.get("view")), request=context["request"]._request)  # noqa: SLF001
        problem = BUG
    set_rollback()
    return Response(body_of(problem), status=problem.status, headers=dict(problem.headers))


def _words(problem: Problem) -> str:
    """Return the message with the fields it is about: this body has no other place for them."""
    fields = problem.details.get("fields")
    if not isinstance(fields, Mapping):
        return problem.message
    return f"{problem.message} {'; '.join(f'{name}: {_flat(words)}' for name, words in fields.items())}"


def _flat(words: Any) -> str:
    return " ".join(map(str, words)) if isinstance(words, list) else str(words)
