"""What every call of a game shares: the access token, JSON, the error body, CORS for the game's own pages."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ImproperlyConfigured, RequestDataTooBig
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.core import clock
from apps.core.actors import Actor
from apps.core.api.json import MAX_BODY, Parser, Renderer
from apps.core.errors import Invalid
from apps.matches.api.game.errors import exception_handler
from apps.matches.api.game.folding import folded
from apps.matches.models import Client
from apps.matches.services import access
from apps.operators.api.access import JsonOnly

MAX_ORIGIN = 255
PREFLIGHT_SECONDS = 600


class GameToken(BaseAuthentication):
    """`Authorization: Bearer <access token>`; the scheme in any case (matches.md 2.4)."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Client]:
        """Return nobody in particular and the client; raises BadToken, ScopeMissing, OperatorSuspended."""
        scheme, _, token = request.headers.get("Authorization", "").strip().partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise access.BadToken("Send your access token as a bearer token.")
        return AnonymousUser(), access.check(token.strip(), at=clock.now())

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a 401."""
        return "Bearer"


class GameTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the description tells of access tokens."""

    target_class = GameToken
    name = "gameToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return a bearer token."""
        about = "An access token of POST /auth/realms/{client id}/protocol/openid-connect/token"
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": about}


class GameView(APIView):
    """A call with an access token. `client` is who calls."""

    authentication_classes = (GameToken,)
    permission_classes = ()
    parser_classes = (Parser,)
    renderer_classes = (Renderer,)
    content_negotiation_class = JsonOnly
    metadata_class = None
    http_method_names = ["get", "post", "head", "options"]

    def get_exception_handler(self) -> Any:
        """Errors as matches.md 3 has them."""
        return exception_handler

    @property
    def client(self) -> Client:
        """The client whose token the request carries."""
        if not isinstance(self.request.auth, Client):
            message = "the view did not authenticate a match client"
            raise ImproperlyConfigured(message)
        return self.request.auth

    @property
    def actor(self) -> Actor:
        """Who acts: the game."""
        return Actor("game", self.client.client_id, self.request.META.get("HTTP_X_REQUEST_ID", ""))

    def body(self) -> dict[str, Any]:
        """Return the JSON object of the body with every key in its one spelling. Raises Invalid, ConflictingKeys."""
        data: Any = self.request.data
        if not isinstance(data, Mapping):
            raise Invalid("The body must be a JSON object.")
        found: dict[str, Any] = folded(data)
        return found

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check the token and what of the address could reach the database."""
        super().initial(request, *args, **kwargs)
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdecimal() and int(length) > MAX_BODY:
            raise RequestDataTooBig
        if any("\x00" in text for name, values in request.GET.lists() for text in (name, *values)):
            raise Invalid("The query holds a NUL character.")

    def options(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        """Never reached: `dispatch` answers a preflight, which carries no token."""
        raise NotFound

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer; a browser's preflight asks without a token, and only for pages that some client has registered."""
        origin = request.headers.get("Origin", "")
        if request.method == "OPTIONS":
            methods = ", ".join(name.upper() for name in ("get", "post") if hasattr(self, name))
            answer: HttpResponseBase = HttpResponse(status=204)
            answer["Allow"] = f"{methods}, OPTIONS"
            if _is_registered(origin):
                answer["Access-Control-Allow-Methods"] = f"{methods}, OPTIONS"
                answer["Access-Control-Allow-Headers"] = "Authorization, Content-Type, Idempotency-Key, If-None-Match"
                answer["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
        else:
            answer = super().dispatch(request, *args, **kwargs)
        answer["Vary"] = "Origin"
        if origin and _is_registered(origin):
            answer["Access-Control-Allow-Origin"] = origin
            answer["Access-Control-Expose-Headers"] = "ETag, Retry-After, X-Request-Id"
        return answer


def _is_registered(origin: str) -> bool:
    if not 0 < len(origin) <= MAX_ORIGIN or "\x00" in origin:
        return False
    return Client.objects.filter(origins__contains=[origin.lower()]).exists()
