"""Errors of the room dialect: `{error, errors, code, hint}` and what the error itself has to say (rooms.md 5)."""

from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework.response import Response

from apps.core.api.camel import camel
from apps.core.api.errors import problem_of
from apps.core.api.problems import Problem
from apps.core.errors import DomainError

# Codes that leave with another status than their family's; a refusal of any other code is 400, as every page of the
# original's documentation says.
STATUS = {
    "ROOM_NOT_FOUND": 400,
    "TOKEN_INVALID": 401,
    "NOT_APPROVED": 401,
    "ALLOWANCE_INSUFFICIENT": 401,
    "NOT_JOINED": 401,
    "SESSION_INVALID": 401,
    "OTP_INVALID": 401,
    "OTP_REUSED": 401,
    "USER_LOCKED": 403,
    "IPP_NO_OTP": 403,
    "IDEMPOTENCY_KEY_REUSED": 409,
}
# What the rest of Podium says, in this dialect's words.
CODES = {
    "VALIDATION_ERROR": "INVALID_PARAMS",
    "UNAUTHORIZED": "API_KEY_INVALID",
    "INSUFFICIENT_PERMISSIONS": "FORBIDDEN",
    "RATE_LIMIT_EXCEEDED": "RATE_LIMITED",
    "INTERNAL_ERROR": "INTERNAL",
}
HINTS = {
    "INVALID_PARAMS": "Correct the fields that the message names, sign the new body and send it again.",
    "RATE_LIMITED": "Wait as many seconds as Retry-After says.",
    "BODY_TOO_LARGE": "A body has at most 1 MiB: send fewer entries per call.",
    "METHOD_NOT_ALLOWED": "The Allow header names the methods of this address.",
    "INTERNAL": "Try again; if it stays so, tell the operator the X-Request-Id of this answer.",
    "NOT_FOUND": "Check the spelling of the address.",
}
CONFLICT, REFUSED = 409, 400


class AuthHeadersMissing(DomainError):
    """Missing authentication headers"""  # noqa: D400, D415 - word for word (rooms.md 2.3), as are the next ones

    kind = "unauthenticated"
    code = "AUTH_HEADERS_MISSING"
    hint = "Send the headers apikey, signature and timestamp with every request."


class ApiKeyInvalid(DomainError):
    """Invalid API key"""  # noqa: D400, D415

    kind = "unauthenticated"
    code = "API_KEY_INVALID"
    hint = "Check the apikey header; the key may have been revoked or have expired."


class SignatureInvalid(DomainError):
    """Invalid signature"""  # noqa: D400, D415

    kind = "unauthenticated"
    code = "SIGNATURE_INVALID"
    hint = "Sign the timestamp header followed by the body exactly as sent, with HMAC-SHA256, and send lower-case hex."


class RequestExpired(DomainError):
    """Request expired"""  # noqa: D400, D415

    kind = "unauthenticated"
    code = "REQUEST_EXPIRED"
    hint = "Send the current Unix time in milliseconds as timestamp; it may be off by five minutes."


class Forbidden(DomainError):
    """Insufficient permissions"""  # noqa: D400, D415

    kind = "forbidden"
    code = "FORBIDDEN"
    hint = "Use a key whose role may make this call."


class GameMismatch(DomainError):
    """The gameId is not that of the API key."""

    kind = "invalid"
    code = "GAME_MISMATCH"
    hint = "Leave gameId out, or send the id of the game that the apikey belongs to."


def status_of(code: str, status: int) -> int:
    """Return the status that an error leaves with: its code's own, else its family's, where a conflict is a 400."""
    return STATUS.get(code, REFUSED if status == CONFLICT else status)


def body_of(
    message: str, *, code: str, hint: str = "", errors: Sequence[str] = (), details: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return an error's body: `error` is always one text, `errors` are its parts, details stand beside them."""
    told = {camel(name): value for name, value in (details or {}).items() if name != "errors"}
    parts = [str(part) for part in errors] or [message]
    told |= {"error": message, "errors": parts, "code": code}
    hint = hint or HINTS.get(code, "")
    return told | ({"hint": hint} if hint else {})


def answer_to(problem: Problem) -> tuple[int, dict[str, Any]]:
    """Return a problem's status and body in this dialect."""
    code = CODES.get(problem.code, problem.code)
    message, errors = problem.message, problem.details.get("errors", ())
    fields = problem.details.get("fields")
    if isinstance(fields, Mapping) and fields:
        errors = _sentences(fields)
        message = "; ".join(errors)
    body = body_of(message, code=code, hint=problem.hint, errors=errors, details=problem.details)
    return status_of(code, problem.status), body


def _sentences(value: Any, path: str = "") -> list[str]:
    """Return what is wrong with each field as `field: what`, in one flat list."""
    if isinstance(value, Mapping):
        return [
            text for name, item in value.items() for text in _sentences(item, f"{path}.{name}" if path else str(name))
        ]
    if isinstance(value, list | tuple):
        return [text for item in value for text in _sentences(item, path)]
    # "body" stands for the request as a whole.
    return [str(value) if path in {"", "body"} else f"{path}: {value}"]


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> Response:
    """Answer whatever a view raised; `view.refusal` may add what its own page documents."""
    problem = problem_of(exc, context)
    status, body = answer_to(problem)
    headers = {name: value for name, value in problem.headers.items() if name != "WWW-Authenticate"}
    refusal = getattr(context.get("view"), "refusal", None)
    return Response(refusal(status, body) if refusal else body, status=status, headers=headers)
