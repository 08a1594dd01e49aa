"""Errors of the rumble dialect: `{statusCode, message, error?}` and nothing else (rumble.md 9)."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework.response import Response

from apps.core.api.errors import problem_of
from apps.core.api.json import dumps
from apps.core.api.problems import Problem

UNAUTHORIZED, BUG, SLOW = 401, 500, 429


def body_of(status: int, message: str) -> dict[str, Any]:
    """Return the documented body; a 401 says no more than that it is one."""
    if status == UNAUTHORIZED:
        return {"statusCode": status, "message": "Unauthorized"}
    phrase = HTTPStatus(status).phrase
    if status == BUG:
        return {"statusCode": status, "message": "Internal server error"}
    return {"statusCode": status, "message": message, "error": phrase}


def message_of(problem: Problem) -> str:
    """Return one text for people: every field that is wrong, or what the rule says."""
    fields = problem.details.get("fields")
    if isinstance(fields, Mapping) and fields:
        return "; ".join(_lines(fields))
    return problem.message


def _lines(fields: Mapping[str, Any], path: str = "") -> list[str]:
    found = []
    for name, said in fields.items():
        where = f"{path}{name}"
        if isinstance(said, Mapping):
            found += _lines(said, f"{where}.")
        elif isinstance(said, Sequence) and not isinstance(said, str):
            texts = [one for one in said if isinstance(one, str)]
            found += [f"{where}: {' '.join(texts)}"] if texts else []
            for place, one in enumerate(said):
                found += _lines(one, f"{where}.{place}.") if isinstance(one, Mapping) else []
        else:
            found.append(f"{where}: {said}")
    return found


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> Response:
    """Answer whatever a view raised."""
    problem = problem_of(exc, context)
    headers = dict(problem.headers)
    if problem.status == UNAUTHORIZED:
        headers["WWW-Authenticate"] = context["view"].challenge
    return Response(body_of(problem.status, message_of(problem)), status=problem.status, headers=headers)


def nothing_here(request: HttpRequest, rest: str = "") -> HttpResponse:
    """Answer for an address below the mount that nothing answers for."""
    body = body_of(404, f"Cannot {request.method} /{rest}")
    return HttpResponse(dumps(body), status=404, content_type="application/json")
