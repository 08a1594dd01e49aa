"""A client's realm: its access tokens and its key, at the addresses of its configuration (matches.md 2, 3.1, 3.2)."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import MethodNotAllowed, Throttled
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import FormParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core import clock
from apps.core.api.client import address_of
from apps.core.api.errors import exception_handler as usual_handler
from apps.core.api.json import Renderer
from apps.core.errors import DomainError
from apps.matches.models import Client
from apps.matches.services import access, clients
from apps.operators import limits

KEY_SECONDS = 300
TOKENS_A_MINUTE = 300
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
FIELDS = ("client_id", "client_secret", "grant_type", "scope")

OAuthErrorOut = inline_serializer(
    "OAuthError", {"error": serializers.CharField(), "error_description": serializers.CharField()}
)
ERROR = OpenApiResponse(OAuthErrorOut, "RFC 6749, section 5.2")
TokenOut = inline_serializer(
    "GameAccessToken",
    {
        "access_token": serializers.CharField(),
        "expires_in": serializers.IntegerField(),
        "refresh_expires_in": serializers.IntegerField(),
        "token_type": serializers.CharField(),
        "not-before-policy": serializers.IntegerField(),
        "scope": serializers.CharField(),
    },
)
TokenIn = inline_serializer(
    "GameAccessTokenWanted",
    {
        "grant_type": serializers.ChoiceField(choices=["client_credentials"]),
        "client_id": serializers.CharField(),
        "client_secret": serializers.CharField(),
        "scope": serializers.CharField(required=False),
    },
)
RealmOut = inline_serializer(
    "GameRealm",
    {
        "realm": serializers.CharField(),
        "public_key": serializers.CharField(),
        "token-service": serializers.CharField(),
        "account-service": serializers.CharField(),
        "tokens-not-before": serializers.IntegerField(),
    },
)


class Refusal(Exception):
    """An error of RFC 6749, section 5.2."""

    def __init__(self, status: int, error: str, description: str) -> None:
        """Keep the words and the status."""
        super().__init__(error)
        self.status, self.error, self.description = status, error, description


class _Any(BaseContentNegotiation):
    """The first parser and renderer: what is no form is then refused in our own words."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return next((one for one in parsers if request.content_type.startswith(one.media_type)), None)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class RealmView(APIView):
    """What all of a realm shares: open to everybody, errors as OAuth has them."""

    authentication_classes = ()
    permission_classes = ()
    renderer_classes = (Renderer,)
    parser_classes = (FormParser,)
    content_negotiation_class = _Any
    metadata_class = None
    http_method_names = ["get", "post", "head"]

    def get_exception_handler(self) -> Any:
        """Errors as RFC 6749 has them."""
        return _handler

    def realm(self, client_id: str) -> Client:
        """Return the client of a realm."""
        found = clients.known(client_id, at=clock.now())
        if found is None:
            raise Refusal(404, "not_found", "Realm does not exist.")
        return found


def _handler(exc: Exception, context: Mapping[str, Any]) -> Response:
    if isinstance(exc, Refusal):
        headers = dict(NO_STORE)
        if exc.status == 401:  # noqa: PLR2004 - unauthorized
            headers["WWW-Authenticate"] = 'Basic realm="match client"'
        return Response({"error": exc.error, "error_description": exc.description}, exc.status, headers=headers)
    answer = usual_handler(exc, context)
    error = {429: "slow_down", 500: "server_error"}.get(answer.status_code, "invalid_request")
    answer.data = {"error": error, "error_description": str(answer.data["message"])}
    return answer


@extend_schema(tags=["Match clients: realm"], auth=[])
class TokenView(RealmView):
    """Access tokens."""

    @extend_schema(
        operation_id="game_token",
        request={"application/x-www-form-urlencoded": TokenIn},
        responses={
            200: TokenOut,
            **dict.fromkeys((400, 401, 403, 404, 405, 409, 413, 415, 429, 500), ERROR),
        },
    )
    def post(self, request: Request, client_id: str) -> Response:
        """Exchange a client's id and secret for an access token (matches.md 3.1)."""
        form = _form(request)
        own_id, secret = _credentials(request, form)
        if not form.get("grant_type"):
            raise Refusal(400, "invalid_request", "grant_type is missing.")
        if form["grant_type"] != "client_credentials":
            raise Refusal(400, "unsupported_grant_type", "The only grant type is client_credentials.")
        unknown = set(form.get("scope", "").split()) - {access.SCOPE}
        address = address_of(request)
        _limit(client_id, address)
        try:
            if own_id != client_id:
                raise access.BadClient
            found = access.grant(own_id, secret, address=address, at=clock.now())
        except DomainError as refusal:
            raise Refusal(401, "unauthorized_client", refusal.message) from refusal
        if unknown:
            raise Refusal(400, "invalid_scope", f"The only scope is {access.SCOPE}.")
        told = {
            "access_token": found.token,
            "expires_in": found.seconds,
            "refresh_expires_in": 0,
            "token_type": "Bearer",
            "not-before-policy": 0,
            "scope": found.scope,
        }
        return Response(told, headers=NO_STORE)


@extend_schema(tags=["Match clients: realm"], auth=[])
class PublicKeyView(RealmView):
    """The realm itself."""

    @extend_schema(operation_id="game_public_key", responses={200: RealmOut, 404: ERROR})
    def get(self, request: Request, client_id: str) -> Response:
        """Return the realm with `public_key`, which checks the tokens on the client's webhook (matches.md 3.2)."""
        client = self.realm(client_id)
        address = clients.realm_url(client.client_id)
        told = {
            "realm": client.client_id,
            "public_key": access.public_key(client, at=clock.now()),
            "token-service": f"{address}/protocol/openid-connect",
            "account-service": f"{address}/account",
            "tokens-not-before": 0,
        }
        return _cached(told)


@extend_schema(tags=["Match clients: realm"], auth=[])
class CertsView(RealmView):
    """The same key as a key set."""

    @extend_schema(operation_id="game_certs", responses={200: OpenApiTypes.OBJECT, 404: ERROR})
    def get(self, request: Request, client_id: str) -> Response:
        """Return the key set (RFC 7517)."""
        return _cached(access.key_set(self.realm(client_id), at=clock.now()))


@extend_schema(tags=["Match clients: realm"], auth=[])
class ConfigurationView(RealmView):
    """Discovery, for stricter clients."""

    @extend_schema(operation_id="game_openid_configuration", responses={200: OpenApiTypes.OBJECT, 404: ERROR})
    def get(self, request: Request, client_id: str) -> Response:
        """Return what OpenID clients look for."""
        address = clients.realm_url(self.realm(client_id).client_id)
        told = {
            "issuer": address,
            "token_endpoint": f"{address}/protocol/openid-connect/token",
            "jwks_uri": f"{address}/protocol/openid-connect/certs",
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": [],
            "subject_types_supported": ["public"],
            "scopes_supported": [access.SCOPE],
        }
        return _cached(told)


def _cached(told: dict[str, Any]) -> Response:
    return Response(told, headers={"Cache-Control": f"public, max-age={KEY_SECONDS}"})


def _form(request: Request) -> dict[str, str]:
    """Return the form's fields, each at most once."""
    if request.method != "POST":
        raise MethodNotAllowed(str(request.method))
    try:
        data: Any = request.data
        fields = {name: data.getlist(name) for name in FIELDS}
    except AttributeError as problem:
        raise Refusal(400, "invalid_request", "Send a form: application/x-www-form-urlencoded.") from problem
    if any(len(values) > 1 for values in fields.values()):
        raise Refusal(400, "invalid_request", "A field is there twice.")
    return {name: values[0] for name, values in fields.items() if values}


def _credentials(request: Request, form: Mapping[str, str]) -> tuple[str, str]:
    """Return the client's id and secret, from the form or from HTTP Basic; two ways at once are one too many."""
    scheme, _, encoded = request.headers.get("Authorization", "").strip().partition(" ")
    if scheme.lower() != "basic":
        if not form.get("client_id"):
            raise Refusal(400, "invalid_request", "client_id is missing.")
        return form["client_id"], form.get("client_secret", "")
    if "client_secret" in form:
        raise Refusal(400, "invalid_request", "Send the secret one way only.")
    try:
        own_id, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError) as problem:
        raise Refusal(401, "invalid_client", "The Authorization header is malformed.") from problem
    if not colon or form.get("client_id", unquote_plus(own_id)) != unquote_plus(own_id):
        raise Refusal(401, "invalid_client", "The Authorization header is malformed.")
    return unquote_plus(own_id), unquote_plus(secret)


def _limit(client_id: str, address: str) -> None:
    """Count by address too: anybody knows a client's id, and nobody should use up its tokens from elsewhere."""
    owner = f"match-token:{client_id[:64]}:{address}"
    verdict = limits.take(owner, [limits.Window("token", TOKENS_A_MINUTE, 60)])
    if verdict is not None and not verdict.allowed:
        raise Throttled(verdict.reset_seconds)
