"""Is it alive, is it ready (podium.md 8). For load balancers and people with curl; no key needed."""

import time
from collections.abc import Callable

import structlog
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from apps.core.redis import client
from apps.core.tasks import HEARTBEAT, HEARTBEAT_SECONDS

log = structlog.get_logger(__name__)


class NotReadyError(Exception):
    """A part does not answer; the message says how."""


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001 - Django's signature
    """Answer 200: the process lives."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001 - Django's signature
    """Answer 200 when database, Redis and a worker answer, else 503 with the failing parts by name."""
    parts = {name: _state(check) for name, check in PARTS.items()}
    failing = [name for name, state in parts.items() if state != "ok"]
    body = {"status": "unavailable" if failing else "ok", "parts": parts, "failing": failing}
    return JsonResponse(body, status=503 if failing else 200)


def _state(check: Callable[[], None]) -> str:
    try:
        check()
    except NotReadyError as problem:
        return str(problem)
    except (DatabaseError, RedisError) as problem:
        # The text may hold addresses: it is for the log, not for whoever asks.
        log.warning("not_ready", check=check.__name__, problem=str(problem))
        return "unreachable"
    return "ok"


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _redis() -> None:
    client().ping()


def _worker() -> None:
    beat = client().get(HEARTBEAT)
    if beat is None:
        raise NotReadyError("no heartbeat")
    try:
        age = time.time() - float(beat)
    except ValueError as garbled:
        raise NotReadyError("no readable heartbeat") from garbled
    if age > HEARTBEAT_SECONDS:
        raise NotReadyError(f"last heartbeat {age:.0f} s ago")


PARTS = {"database": _database, "redis": _redis, "worker": _worker}
