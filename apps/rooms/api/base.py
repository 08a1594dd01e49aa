"""What every view of the room dialect shares.

`GameView` is a call with a game key: name `rate_class` when it isn't `rooms`, read the body from `self.body(request)`,
and raise DomainErrors. `PublicView` is a call that anyone may make. Addresses go to `urls.py` of the view's folder.
"""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, cast

from django.http.response import HttpResponseBase
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from apps.core.actors import Actor
from apps.operators.api.access import JsonOnly, KeyedView, actor_of, credential_of
from apps.operators.models import Credential
from apps.rooms.api import access, bodies, errors


class _AnyBody(JsonOnly):
    """Every body is read by the dialect's own parser, whatever its content type (rooms.md 3.0)."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        return next(iter(parsers))


class GameView(KeyedView):
    """A call with a game key. Who calls: `credential`, `operator_id`, `game_id` and `actor`."""

    authentication_classes: tuple[type[access.GameKey], ...] = (access.GameKey,)
    permission_classes: tuple[type[BasePermission], ...] = (access.HasRole,)
    throttle_classes: tuple[type[BaseThrottle], ...] = (access.GameRate,)
    parser_classes = (bodies.Parser,)
    content_negotiation_class = _AnyBody
    http_method_names = ["get", "post", "head"]
    rate_class: ClassVar[str | Mapping[str, str]] = "rooms"
    role: ClassVar[str] = "user"

    def get_exception_handler(self) -> Any:
        """Errors as rooms.md 5 has them."""
        return errors.exception_handler

    def refusal(self, status: int, body: dict[str, Any]) -> dict[str, Any]:
        """Return an error's body with whatever else this call's page documents for it."""
        return body

    @property
    def credential(self) -> Credential:
        """The key that signed the request."""
        return credential_of(self.request)

    @property
    def operator_id(self) -> int:
        """Whose game calls."""
        return self.credential.operator_id

    @property
    def game_id(self) -> str:
        """The id of the game that the key belongs to: never taken from a body (rooms.md 6.10)."""
        return self.credential.ref

    @property
    def actor(self) -> Actor:
        """The caller, for the verbs' `actor=`."""
        return actor_of(self.request)

    def body(self, request: Request) -> dict[str, Any]:
        """Return the body's fields. Raises ParseError (400), and GameMismatch if it names another game."""
        fields = cast("dict[str, Any]", request.data)
        named = fields.get("gameId")
        if named is not None and (not isinstance(named, str) or named.strip().lower() != self.game_id.lower()):
            raise errors.GameMismatch
        return fields


class PublicView(GameView):
    """A call that anyone may make; one that is signed knows its game. Its POSTs read only, so retries need no key."""

    authentication_classes = (access.MaybeGameKey,)
    permission_classes = ()
    throttle_classes = (access.PublicRate,)

    def _answer(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        answer: HttpResponseBase = getattr(self, str(request.method).lower())(request, *args, **kwargs)
        return answer
