"""Who calls: an application by Basic authentication, or a player by the token that it holds (rumble.md 2)."""

import base64
import binascii
from typing import Any

from django.contrib.auth.models import AnonymousUser
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from apps.core import clock
from apps.core.api.client import address_of
from apps.operators import limits
from apps.operators.api.access import RateLimit, credential_of
from apps.operators.models import Credential
from apps.operators.services import credentials
from apps.operators.services.credentials import Unauthorized
from apps.rumble.models import Application, Connection
from apps.rumble.services import applications, connections

# None is documented; this one keeps a runaway client from its neighbours (rumble.md 9).
CALLS_PER_MINUTE = 6000


class ProvenApplication(AnonymousUser):
    """Nobody in particular, calling for an application."""

    def __init__(self, application: Application) -> None:
        """Keep the application."""
        super().__init__()
        self.application = application


def _presented(request: Request, scheme: str) -> str:
    given, _, rest = request.headers.get("Authorization", "").strip().partition(" ")
    if given.lower() != scheme or not rest.strip():
        raise Unauthorized
    return rest.strip()


class ApplicationKey(BaseAuthentication):
    """`Authorization: Basic base64("<app id>:<secret key>")`."""

    def authenticate(self, request: Request) -> tuple[ProvenApplication, Credential]:
        """Return the application and its credential. Raises Unauthorized and its kin, ApplicationNotFound."""
        try:
            pair = base64.b64decode(_presented(request, "basic"), validate=True).decode()
        except (binascii.Error, ValueError) as problem:
            raise Unauthorized from problem
        app_id, _, secret = pair.partition(":")
        at, address = clock.now(), address_of(request)
        application, credential = applications.authenticate(app_id.strip(), secret, address=address, at=at)
        credentials.note_use(credential, address=address, at=at)
        return ProvenApplication(application), credential

    def authenticate_header(self, request: Request) -> str:
        """Make refusals 401; what the challenge says is the view's."""
        return 'Basic realm="developers-api"'


class PlayerToken(BaseAuthentication):
    """`Authorization: Bearer <accessToken>`."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Connection]:
        """Return nobody in particular and the connection that the token stands for. Raises Unauthorized."""
        return AnonymousUser(), connections.authenticate(_presented(request, "bearer"))

    def authenticate_header(self, request: Request) -> str:
        """Make refusals 401."""
        return "Bearer"


class ApplicationRate(RateLimit):
    """Calls a minute, per application; the answers carry no headers about it."""

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count the call."""
        allowed = super().allow_request(request, view)
        for name in [name for name in view.headers if name.startswith("X-RateLimit")]:
            del view.headers[name]
        return allowed

    def owner(self, request: Request) -> str:
        """Return whose counters they are."""
        proven = request.auth
        if isinstance(proven, Connection):
            return f"rumble:{proven.application_id}:{proven.application.operator_id}"
        return super().owner(request)

    def windows(self, request: Request, view: Any) -> list[limits.Window]:
        """Return the one window."""
        return [limits.Window("rumble", CALLS_PER_MINUTE, 60)]


class ApplicationKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Applications in the API description."""

    target_class = "apps.rumble.api.dialect.access.ApplicationKey"
    name = "application"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Return the scheme."""
        return {"type": "http", "scheme": "basic", "description": "App id and secret key."}


class PlayerTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Players' tokens in the API description."""

    target_class = "apps.rumble.api.dialect.access.PlayerToken"
    name = "player"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Return the scheme."""
        return {"type": "http", "scheme": "bearer", "description": "The accessToken of AuthenticationSuccess."}


__all__ = ["ApplicationKey", "ApplicationRate", "PlayerToken", "ProvenApplication", "credential_of"]
