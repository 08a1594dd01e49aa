"""Who may call what, how often: the authentication, permission and throttle of operator and internal keys.

The order of the checks is that of operators.md 10: key, rate, method, permission, body, existence, state. A view that
names no scope for a method is a crash in its first test, not an open door.
"""

import time
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import NotFound, Throttled
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from apps.core import clock
from apps.core.actors import Actor
from apps.core.api.client import address_of
from apps.core.api.errors import exception_handler
from apps.core.api.json import Parser, Renderer
from apps.core.errors import DomainError, Invalid
from apps.operators import limits
from apps.operators.api import idempotency
from apps.operators.models import Credential, CredentialKind
from apps.operators.preferences import RateLimits
from apps.operators.scopes import Scope
from apps.operators.services import credentials

NUL = "\x00"


class InsufficientPermissions(DomainError):
    """The key does not have the permission for this call."""

    kind = "forbidden"
    code = "INSUFFICIENT_PERMISSIONS"


class _KeyAuthentication(BaseAuthentication):
    """A key as a bearer token or in a header of its own."""

    kind: ClassVar[CredentialKind]
    header: ClassVar[str]

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Credential]:
        """Return nobody in particular and the credential; raises Unauthorized, KeyExpired and their kin."""
        presented = self._presented(request)
        if not presented:
            raise credentials.Unauthorized("Send your API key as a bearer token.")
        at, address = clock.now(), address_of(request)
        credential = credentials.authenticate(presented, kind=self.kind, address=address, at=at)
        credentials.note_use(credential, address=address, at=at)
        return AnonymousUser(), credential

    def _presented(self, request: Request) -> str:
        scheme, _, token = request.headers.get("Authorization", "").strip().partition(" ")
        if scheme.lower() == "bearer" and token.strip():
            return token.strip()
        found: str = request.headers.get(self.header, "").strip()
        return found

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a 401."""
        return "Bearer"


class OperatorKey(_KeyAuthentication):
    """An operator key: `Authorization: Bearer` (any case) or `X-API-Key` (operators.md 2.1)."""

    kind = CredentialKind.OPERATOR
    header = "X-API-Key"


class InternalKey(_KeyAuthentication):
    """An internal key: `Authorization: Bearer` or `X-Internal-Api-Key` (operators.md 2.3)."""

    kind = CredentialKind.INTERNAL
    header = "X-Internal-Api-Key"


def credential_of(request: Request) -> Credential:
    """Return the credential that the request proved."""
    if not isinstance(request.auth, Credential):
        message = "the view did not authenticate with a credential"
        raise ImproperlyConfigured(message)
    return request.auth


def actor_of(request: Request) -> Actor:
    """Return the caller for the verbs' `actor=`: the visible part of the key, with the request's id."""
    credential = credential_of(request)
    kind = "game" if credential.kind == CredentialKind.INTERNAL else "key"
    return Actor(kind, credential.prefix, request.META.get("HTTP_X_REQUEST_ID", ""))


def reach_of(request: Request) -> int | None:
    """Return the only operator whose rows an internal key sees, or None when it sees all (operators.md 12)."""
    credential = credential_of(request)
    return None if credential.all_operators else credential.operator_id


class HasScope(BasePermission):
    """The key carries the scope that `view.scopes` names for the method, or any of a tuple of them."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return True, or raise InsufficientPermissions; ImproperlyConfigured for a view that names no scope."""
        method = "get" if request.method == "HEAD" else str(request.method).lower()
        wanted = getattr(view, "scopes", {}).get(method)
        if not wanted:
            message = f"{type(view).__name__} names no scope for {method.upper()}"
            raise ImproperlyConfigured(message)
        accepted = (wanted,) if isinstance(wanted, str) else tuple(wanted)
        credential = credential_of(request)
        if any(scope in credential.scopes for scope in accepted):
            return True
        # operators.md 13, row 3: an operator may let writers cancel.
        if (
            Scope.TOURNAMENTS_DELETE in accepted
            and Scope.TOURNAMENTS_WRITE in credential.scopes
            and credential.operator.settings.write_implies_delete
        ):
            return True
        raise InsufficientPermissions(required=" or ".join(str(scope) for scope in accepted))


def _operator_windows(rates: RateLimits, rate_class: str) -> list[limits.Window]:
    return [
        limits.Window(rate_class, getattr(rates, rate_class), 60),
        limits.Window("minute", rates.ceiling, 60),
        limits.Window("burst", rates.burst_per_ten_seconds, 10),
    ]


def _internal_windows(rates: RateLimits) -> list[limits.Window]:
    return [
        limits.Window("minute", rates.internal, 60),
        limits.Window("burst", rates.internal_burst_per_ten_seconds, 10),
    ]


def rate_class_of(request: Request, view: APIView) -> str:
    """Return the class of operation that a view counts a call under: `view.rate_class`, or one per method."""
    named: str | Mapping[str, str] = getattr(view, "rate_class", "standard")
    return named if isinstance(named, str) else named.get(str(request.method).lower(), "standard")


class RateLimit(BaseThrottle):
    """The limits of operators.md 9, per key; `view.rate_class` names the class of the call, or one per method."""

    verdict: limits.Verdict | None = None

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Count the call; the answer's X-RateLimit headers say how much is left. Everything passes without Redis."""
        self.verdict = self.count(request, view)
        if self.verdict is None:
            return True
        view.headers |= {
            "X-RateLimit-Limit": str(self.verdict.limit),
            "X-RateLimit-Remaining": str(self.verdict.remaining),
            "X-RateLimit-Reset": str(int(time.time()) + self.verdict.reset_seconds),
        }
        return self.verdict.allowed

    def count(self, request: Request, view: APIView) -> limits.Verdict | None:
        """Count the call in all of its windows."""
        return limits.take(self.owner(request), self.windows(request, view))

    def owner(self, request: Request) -> str:
        """Return whose counters they are: the credential's."""
        # The digest, not the row's id: random, so that no counter of another installation or test run is met.
        return credential_of(request).digest[:24]

    def windows(self, request: Request, view: APIView) -> list[limits.Window]:
        """Return the windows that the call must fit into."""
        credential = credential_of(request)
        rates = credential.operator.settings.rate_limits
        if credential.kind == CredentialKind.INTERNAL:
            return _internal_windows(rates)
        return _operator_windows(rates, rate_class_of(request, view))

    def wait(self) -> float | None:
        """Return the seconds until the full window empties."""
        return self.verdict.reset_seconds if self.verdict else None


class JsonOnly(DefaultContentNegotiation):
    """JSON in and out, whatever the client says it accepts; a body without a content type is taken for JSON."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        """Return the parser of the content type, or None (415)."""
        if not request.content_type:
            return next(iter(parsers))
        return super().select_parser(request, parsers)

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        """Return the view's own renderer."""
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)


class KeyedView(APIView):
    """What operator and internal views share: the order of checks, the error body and idempotent retries."""

    renderer_classes = (Renderer,)
    parser_classes: tuple[type[BaseParser], ...] = (Parser,)
    content_negotiation_class = JsonOnly
    throttle_classes: tuple[type[BaseThrottle], ...] = (RateLimit,)
    # Named, so that no client reaches another attribute of the view by calling it a method.
    http_method_names = ["get", "post", "put", "patch", "delete", "head"]
    metadata_class = None
    rate_class: ClassVar[str | Mapping[str, str]] = "standard"
    # True for answers that show a secret: what is kept of them for retries is encrypted.
    seals_answers: ClassVar[bool] = False
    headers: dict[str, str]

    def get_exception_handler(self) -> Any:
        """Errors as operators.md 10 has them."""
        return exception_handler

    def throttled(self, request: Request, wait: float | None) -> None:  # type: ignore[override]
        """Refuse with 429 and Retry-After."""
        raise Throttled(wait)

    def check_order(self, request: Request) -> None:
        """Key, rate, method, permission: the checks before anything is read of the body."""
        self.perform_authentication(request)
        self.check_throttles(request)
        method = str(request.method).lower()
        if method not in self.http_method_names or not hasattr(self, method):
            self.headers["Allow"] = ", ".join(self.allowed_methods)
            self.http_method_not_allowed(request)
        if any(NUL in str(value) for value in self.kwargs.values()):
            raise NotFound
        self.check_permissions(request)
        if any(NUL in text for name, values in request.GET.lists() for text in (name, *values)):
            raise Invalid("The query holds a NUL character.")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Check, answer, and answer a repeated `Idempotency-Key` with what was answered first."""
        self.args, self.kwargs = args, kwargs
        self.request = asked = self.initialize_request(request, *args, **kwargs)
        self.headers = {}
        self.format_kwarg = None
        asked.accepted_renderer, asked.accepted_media_type = self.perform_content_negotiation(asked)
        try:
            self.check_order(asked)
            response = self._answer(asked, *args, **kwargs)
        except Exception as problem:  # noqa: BLE001 - the handler answers every one, and logs what is a bug
            response = self.handle_exception(problem)
        # The stubs know Response only; a replayed answer is its bytes.
        self.response = self.finalize_response(asked, response, *args, **kwargs)  # type: ignore[arg-type]
        return self.response

    def _answer(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        handler = getattr(self, str(request.method).lower())
        key = idempotency.key_of(request)
        if key is None:
            answer: HttpResponseBase = handler(request, *args, **kwargs)
            return answer
        return idempotency.answer_once(
            request,
            credential=credential_of(request),
            key=key,
            work=lambda: handler(request, *args, **kwargs),
            renderer=Renderer(),
            sealed=self.seals_answers,
            at=clock.now(),
        )


class OperatorView(KeyedView):
    """A call with an operator key. Name `scopes` per method, and `rate_class` when it isn't standard."""

    authentication_classes = (OperatorKey,)
    permission_classes = (HasScope,)
    scopes: ClassVar[Mapping[str, Scope | tuple[Scope, ...]]] = {}


class InternalView(KeyedView):
    """A call with an internal key, from a game platform. What it reaches is `reach_of(request)`."""

    authentication_classes = (InternalKey,)
    permission_classes = ()
