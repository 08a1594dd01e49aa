"""What every call of an integration shares: plain Django, because nothing else is as thin (rounds.md 2).

The order of the checks: TLS, address, key, rate, body. A client never retries a 4xx, so whatever may pass by itself
leaves as 503: too many calls, and a database that is away.
"""

from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.core.signals import got_request_exception
from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, ProgrammingError
from django.http import HttpRequest, HttpResponse
from django.views import View

from apps.core import clock
from apps.core.actors import Actor
from apps.core.api.client import address_of
from apps.core.api.json import dumps
from apps.core.api.problems import STATUS
from apps.core.errors import DomainError
from apps.operators import limits
from apps.operators.models import Credential
from apps.operators.services import credentials, integrations
from apps.rounds.reading import Faulty

log = structlog.get_logger(__name__)

MIB = 1024 * 1024
# A look at Redis for every call would take as long as all other checks together.
purses = limits.Purses(at_once=200)
# What our own statements never raise but for a bug; everything else of a database passes.
BUGS = (DataError, IntegrityError, ProgrammingError)


class HttpsRequired(DomainError):
    """Call by HTTPS only."""

    kind = "forbidden"
    code = "HTTPS_REQUIRED"
    hint = "The key has travelled in the clear: ask for a new one."


class BodyTooLarge(DomainError):
    """The body is too large."""

    kind = "invalid"
    code = "BODY_TOO_LARGE"


class Busy(DomainError):
    """Too many calls; send the same again a little later."""

    kind = "unavailable"
    code = "BUSY"


class Unavailable(DomainError):
    """The rounds could not be stored; send the same again a little later."""

    kind = "unavailable"
    code = "UNAVAILABLE"


# A refusal's own status where its family has another.
STATUSES = {"BODY_TOO_LARGE": 413}


def answer(status: int, body: Any, **headers: str) -> HttpResponse:
    """Write an answer."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpResponse(dumps(body), status=status, content_type="application/json", headers=names)


def refusal(problem: DomainError, *, retry_after: int = 1) -> HttpResponse:
    """Write a refusal: `{error, message, hint?, details: [{index, field, message}]}` (rounds.md 3.1)."""
    body: dict[str, Any] = {"error": problem.code, "message": problem.message}
    if problem.hint:
        body["hint"] = problem.hint
    faults = problem.faults if isinstance(problem, Faulty) else []
    body["details"] = [{"index": one.index, "field": one.field, "message": one.message} for one in faults]
    headers = {"Retry_After": str(retry_after)} if problem.kind == "unavailable" else {}
    return answer(STATUSES.get(problem.code, STATUS[problem.kind]), body, **headers)


class IntegrationView(View):
    """One call of an integration; handlers find the proven key in `self.credential`."""

    http_method_names = ["post"]
    body_limit = MIB
    credential: Credential

    def dispatch(self, request: HttpRequest, *args: Any, integration_id: str, **kwargs: Any) -> HttpResponse:
        """Check, answer, and turn whatever goes wrong into this dialect's words."""
        method = str(request.method).lower()
        handler: Callable[[HttpRequest], HttpResponse] | None = (
            getattr(self, method, None) if method in self.http_method_names else None
        )
        if handler is None:
            body = {"error": "METHOD_NOT_ALLOWED", "message": "This method is not known here.", "details": []}
            return answer(405, body, Allow=", ".join(name.upper() for name in self.http_method_names))
        try:
            busy = self.admit(request, integration_id)
            if busy:
                self.note(Busy.kind)
                return refusal(Busy(), retry_after=busy)
            return handler(request)
        except DomainError as problem:
            self.note(problem.kind)
            return refusal(problem)
        except BUGS:
            return self.crash(request)
        except (DatabaseError, InterfaceError) as problem:
            log.warning("rounds_not_stored", integration=integration_id, problem=str(problem))
            self.note(Unavailable.kind)
            return refusal(Unavailable(), retry_after=5)
        except Exception:  # noqa: BLE001 - answered in this dialect, and logged where crashes are
            return self.crash(request)

    def note(self, kind: str) -> None:
        """Take note that a call was not answered as it wished; for views that count."""

    def crash(self, request: HttpRequest) -> HttpResponse:
        """Answer 500 for a bug, and let those hear of it who listen for crashes."""
        got_request_exception.send(sender=type(self), request=request)
        return answer(500, {"error": "INTERNAL", "message": "Something went wrong on our side.", "details": []})

    def admit(self, request: HttpRequest, integration_id: str) -> int:
        """Prove the caller; return 0, or after how many seconds to come back. Raises what the checks raise."""
        if settings.INTEGRATIONS_REQUIRE_HTTPS and not request.is_secure():
            raise HttpsRequired
        at, address = clock.now(), address_of(request)
        self.credential = integrations.authenticate(
            integration_id,
            request.META.get("HTTP_X_API_KEY", "").strip(),
            address=address,
            needs_allow_list=settings.INTEGRATIONS_REQUIRE_ALLOW_LIST,
            at=at,
        )
        credentials.note_use(self.credential, address=address, at=at)
        per_minute = self.credential.operator.settings.rate_limits.rounds
        return purses.spend(self.credential.digest[:24], limits.Window("rounds", per_minute, 60))

    def body(self, request: HttpRequest) -> bytes:
        """Return the body, whatever its content type says. Raises BodyTooLarge."""
        raw: bytes = request.read(self.body_limit + 1)
        if len(raw) > self.body_limit:
            raise BodyTooLarge(f"A body here has at most {self.body_limit // MIB} MiB.")
        return raw

    @property
    def actor(self) -> Actor:
        """The caller, for the verbs' `actor=`."""
        return Actor("key", self.credential.prefix, self.request.META.get("HTTP_X_REQUEST_ID", ""))
