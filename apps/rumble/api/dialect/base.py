"""What every call of the rumble dialect shares.

`ApplicationView` is a call of an application, `PlayerView` one that it makes for a player. Whatever body comes with a
call that takes none is never looked at, and every 200 and 201 carries JSON (rumble.md 1, client habits).
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, ClassVar, cast

from django.http.response import HttpResponseBase
from rest_framework.authentication import BaseAuthentication
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.actors import Actor
from apps.core.api.json import Parser
from apps.core.errors import Invalid
from apps.operators.api.access import JsonOnly, KeyedView, actor_of
from apps.rumble.api.dialect import access, errors
from apps.rumble.models import Application, Connection


class _AnyBody(JsonOnly):
    """Every body is read as JSON, whatever its content type says."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        return next(iter(parsers))


class DialectView(KeyedView):
    """What both kinds of calls share."""

    permission_classes = ()
    throttle_classes = (access.ApplicationRate,)
    parser_classes = (Parser,)
    content_negotiation_class = _AnyBody
    http_method_names = ["get", "post", "patch", "delete", "head"]
    challenge: ClassVar[str]

    def get_exception_handler(self) -> Any:
        """Errors as rumble.md 9 has them."""
        return errors.exception_handler

    def body(self, request: Request) -> dict[str, Any]:
        """Return the body's fields; null is not given, an empty body has none. Raises ParseError, Invalid (400)."""
        fields: Any = request.data
        if not isinstance(fields, dict):
            raise Invalid("The body must be a JSON object.")
        return {name: value for name, value in fields.items() if value is not None}


class ApplicationView(DialectView):
    """A call with an app id and its secret key."""

    authentication_classes: tuple[type[BaseAuthentication], ...] = (access.ApplicationKey,)
    challenge = 'Basic realm="developers-api"'

    @property
    def application(self) -> Application:
        """Who calls."""
        return cast("access.ProvenApplication", self.request.user).application

    @property
    def actor(self) -> Actor:
        """The caller, for the verbs' `actor=`."""
        return actor_of(self.request)


class PlayerView(DialectView):
    """A call with a player's token. Retries need no key: what is done twice is refused the second time."""

    authentication_classes: tuple[type[BaseAuthentication], ...] = (access.PlayerToken,)
    challenge = "Bearer"

    @property
    def connection(self) -> Connection:
        """Who calls, for whom."""
        return cast("Connection", self.request.auth)

    @property
    def actor(self) -> Actor:
        """The player, acting through the application."""
        request_id = self.request.META.get("HTTP_X_REQUEST_ID", "")
        return Actor("player", f"{self.connection.player_id} via {self.connection.application.app_id}", request_id)

    def _answer(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        answer: HttpResponseBase = getattr(self, str(request.method).lower())(request, *args, **kwargs)
        return answer


def moment(at: datetime | None) -> str | None:
    """Write a moment as this dialect does: milliseconds, UTC, `Z`."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def given(**fields: Any) -> dict[str, Any]:
    """Return an object without the fields that have nothing to say."""
    return {name: value for name, value in fields.items() if value is not None}


def done() -> Response:
    """Answer 204, exactly."""
    return Response(status=204)
