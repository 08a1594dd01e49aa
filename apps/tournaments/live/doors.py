"""Who may listen (operators.md 2 and 7): the same keys, tokens and order of checks as over HTTP."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any, ClassVar, cast

from django.core.exceptions import SuspiciousOperation
from django.core.handlers.asgi import ASGIRequest
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.core import clock
from apps.core.api.errors import BUG, error_body
from apps.core.api.json import dumps
from apps.core.api.problems import Problem, describe
from apps.core.errors import DomainError, Invalid
from apps.operators.api.access import (
    InsufficientPermissions,
    InternalKey,
    OperatorKey,
    RateLimit,
    credential_of,
    reach_of,
)
from apps.operators.scopes import Scope
from apps.operators.services.credentials import OperatorSuspended, Unauthorized
from apps.tournaments.api.casino import reads
from apps.tournaments.api.internal import reads as internal
from apps.tournaments.live.listener import Pass
from apps.tournaments.models import Tournament
from apps.tournaments.services import tokens
from apps.tournaments.services.entries import TournamentNotFound

INTERNAL = "internal_"
NUL = "\x00"


class OriginNotAllowed(DomainError):
    """Pages of this origin may not connect."""

    kind = "forbidden"
    code = "ORIGIN_NOT_ALLOWED"
    hint = "Add the origin to allowedOrigins in the operator's settings."


class _Call:
    """What the rate limit wants to know of a view."""

    rate_class: ClassVar[str] = "results"

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}


def request_of(scope: Mapping[str, Any]) -> Request:
    """Return the handshake as a request."""
    return Request(ASGIRequest({**scope, "method": "GET"}, BytesIO()))


def admit(request: Request, ref: str) -> Pass:
    """Return a pass for the tournament the path names.

    Raises Invalid for a hostile query; then Unauthorized, KeyExpired, Throttled, InsufficientPermissions,
    TournamentNotFound, OriginNotAllowed and their kin, in this order: key, rate, permission, existence, origin.
    """
    try:
        said = request.GET.lists()
    except SuspiciousOperation as problem:  # thousands of parameters
        raise Invalid("The query is not acceptable.") from problem
    if any(NUL in text for name, values in said for text in (name, *values)):
        raise Invalid("The query holds a NUL character.")
    presented = request.headers.get("Authorization", "").partition(" ")[2].strip()
    if "X-Internal-Api-Key" in request.headers or presented.startswith(INTERNAL):
        found, allowed = _by_internal_key(request, ref)
    elif presented or "X-API-Key" in request.headers or "token" not in request.GET:
        found, allowed = _by_operator_key(request, ref)
    else:
        found, allowed = _by_token(str(request.GET["token"]), ref)
    _check_origin(request.headers.get("Origin"), found.operator.settings.allowed_origins)
    return allowed


def _by_operator_key(request: Request, ref: str) -> tuple[Tournament, Pass]:
    _, request.auth = OperatorKey().authenticate(request)
    _count(request)
    credential = credential_of(request)
    if Scope.RESULTS_READ not in credential.scopes:
        raise InsufficientPermissions(required=str(Scope.RESULTS_READ))
    found = reads.tournament(credential.operator_id, ref)
    return found, Pass(found.operator_id, found.pk, credential_id=credential.pk, ends_at=credential.expires_at)


def _by_internal_key(request: Request, ref: str) -> tuple[Tournament, Pass]:
    _, request.auth = InternalKey().authenticate(request)
    _count(request)
    credential = credential_of(request)
    found = internal.tournament(reach_of(request), ref)
    return found, Pass(found.operator_id, found.pk, credential_id=credential.pk, ends_at=credential.expires_at)


def _by_token(token: str, ref: str) -> tuple[Tournament, Pass]:
    verdict = tokens.check_token(token, at=clock.now())
    entry = verdict.entry
    if entry is None:
        raise Unauthorized("The player token opens no door.", reason=verdict.error)
    found = entry.tournament
    if found.operator.suspended_at is not None:
        raise OperatorSuspended
    if reads.row_id(ref) != found.pk:
        raise TournamentNotFound
    return found, Pass(found.operator_id, found.pk, entry_id=entry.pk, ends_at=verdict.expires_at)


def _count(request: Request) -> None:
    limit, call = RateLimit(), _Call()
    if not limit.allow_request(request, cast("APIView", call)):
        raise Throttled(limit.wait())


def _check_origin(origin: str | None, allowed: list[str]) -> None:
    """Only browsers send one; an operator that names its pages keeps others out."""
    if origin and allowed and _plain(origin) not in {_plain(one) for one in allowed}:
        raise OriginNotAllowed


def _plain(origin: str) -> str:
    return origin.strip().rstrip("/").lower()


def denial(problem: Exception, request: Request) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of the answer to somebody who may not listen (operators.md 10)."""
    told: Problem = describe(problem) or BUG
    return told.status, dict(told.headers), dumps(error_body(told, request))
