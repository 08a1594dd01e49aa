"""From exceptions to one neutral problem. A dialect's exception handler writes the problem in its own words."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404
from rest_framework import exceptions as rest

from apps.core.errors import DomainError, Kind

STATUS: Mapping[Kind, int] = {
    "invalid": 400,
    "unauthenticated": 401,
    "forbidden": 403,
    "not_found": 404,
    "conflict": 409,
    "unavailable": 503,
}

REST_CODES = {
    400: "VALIDATION_ERROR",
    401: "UNAUTHORIZED",
    403: "INSUFFICIENT_PERMISSIONS",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    406: "NOT_ACCEPTABLE",
    413: "BODY_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    429: "RATE_LIMIT_EXCEEDED",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong, in no dialect's words."""

    status: int
    code: str
    message: str
    hint: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def _flat(detail: Any) -> Any:
    """Serializer errors as plain lists and dictionaries of text."""
    if isinstance(detail, Mapping):
        return {str(key): _flat(value) for key, value in detail.items()}
    if isinstance(detail, list):
        return [_flat(value) for value in detail]
    return str(detail)


def describe(exc: Exception) -> Problem | None:
    """Return the problem behind an exception, or None for a bug, which must crash and be logged."""
    if isinstance(exc, DomainError):
        headers = {"WWW-Authenticate": "Bearer"} if exc.kind == "unauthenticated" else {}
        return Problem(STATUS[exc.kind], exc.code, exc.message, exc.hint, exc.details, headers)
    if isinstance(exc, Http404):
        return Problem(404, "NOT_FOUND", "Not found.")
    if isinstance(exc, PermissionDenied):
        return Problem(403, "INSUFFICIENT_PERMISSIONS", "Permission denied.")
    if isinstance(exc, RequestDataTooBig):
        return Problem(413, "BODY_TOO_LARGE", "The body is too large.")
    if isinstance(exc, rest.ValidationError):
        fields = _flat(exc.detail)
        if not isinstance(fields, Mapping):
            fields = {"body": fields}
        return Problem(400, "VALIDATION_ERROR", "Invalid request parameters.", details={"fields": fields})
    if isinstance(exc, rest.APIException):
        headers = {}
        if challenge := getattr(exc, "auth_header", None):
            headers["WWW-Authenticate"] = challenge
        if wait := getattr(exc, "wait", None):
            headers["Retry-After"] = str(math.ceil(wait))
        return Problem(exc.status_code, REST_CODES.get(exc.status_code, "ERROR"), str(exc.detail), headers=headers)
    return None
