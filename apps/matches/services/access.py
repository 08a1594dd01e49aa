"""Who a game back-end is: access tokens, the key per client, tokens on webhooks (matches.md 2).

Two keys, never mixed: one signs the access tokens that games send to us, and each client has another that signs what we
send to its webhook. Only the latter is published. A documented client checks nothing but signature and expiry, so what
is signed by a published key must only ever be a webhook call of that client.
"""

import base64
import secrets
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from django.db.models import Exists, OuterRef, Q

from apps.core.errors import DomainError
from apps.matches.models import Client
from apps.matches.services import clients
from apps.operators.models import Credential, CredentialKind
from apps.operators.services import credentials, signing

SCOPE = "olp-report-api"
ACCESS = "match-access"
LIFE = timedelta(seconds=600)
WEBHOOK_LIFE = timedelta(seconds=120)
# Clocks differ; a token that has just ended is still one.
LEEWAY = timedelta(seconds=30)
LONGEST_TOKEN = 4096
# How long a process trusts what it knows about a key; long enough to ask seldom, short enough for a rotation.
KEY_SECONDS = 30.0


class BadClient(DomainError):
    """Invalid client or Invalid client credentials."""

    kind = "unauthenticated"
    code = "UNAUTHORIZED_CLIENT"


class BadToken(DomainError):
    """The access token is missing, expired or not one of ours."""

    kind = "unauthenticated"
    code = "UNAUTHORIZED"


class ScopeMissing(DomainError):
    """The access token does not carry the scope olp-report-api."""

    kind = "forbidden"
    code = "SCOPE_MISSING"


@dataclass(frozen=True, slots=True, repr=False)
class Access:
    """A fresh access token and how many seconds it lives. No repr: no log line shows it."""

    token: str
    seconds: int
    scope: str


def webhook_purpose(client: Client) -> str:
    """Return what a client's own key is kept under."""
    return f"match-webhook:{client.pk}"


def grant(client_id: str, secret: str, *, address: str, at: datetime) -> Access:
    """Exchange a client's id and secret for an access token. Old tokens stay valid until they end.

    Raises BadClient; OperatorSuspended and AddressNotAllowed as for any credential.
    """
    try:
        credential = credentials.authenticate(secret, kind=CredentialKind.MATCH_CLIENT, address=address, at=at)
    except (credentials.Unauthorized, credentials.KeyExpired) as refusal:
        raise BadClient from refusal
    client = clients.known(client_id, at=at) if credential.ref == client_id else None
    if client is None or credential.operator_id != client.operator_id:
        raise BadClient
    credentials.note_use(credential, address=address, at=at)
    claims = _claims(client, at=at, life=LIFE) | {"typ": "Bearer", "scope": SCOPE, "cred": credential.pk}
    return Access(_sign(ACCESS, claims, at=at), int(LIFE.total_seconds()), SCOPE)


def check(token: str, *, at: datetime) -> Client:
    """Return the client, with its operator, that an access token speaks for.

    The algorithm is the key's own, whatever the token claims, and the key is looked for among those that sign access
    tokens. Issuer and audience must be the client's, and its credential still live. Raises BadToken, ScopeMissing,
    OperatorSuspended.
    """
    claims = _verified(token, at=at)
    client_id, credential_id, scope = claims.get("azp"), claims.get("cred"), claims.get("scope")
    if not isinstance(client_id, str) or not isinstance(credential_id, int):
        raise BadToken
    if claims["aud"] != client_id or claims["iss"] != clients.realm_url(client_id):
        raise BadToken
    if not isinstance(scope, str) or SCOPE not in scope.split():
        raise ScopeMissing
    live = Credential.objects.filter(
        Q(revoked_at=None) | Q(revoked_at__gt=at),
        Q(expires_at=None) | Q(expires_at__gt=at),
        pk=credential_id,
        kind=CredentialKind.MATCH_CLIENT,
        ref=OuterRef("client_id"),
        operator_id=OuterRef("operator_id"),
    )
    found = Client.objects.select_related("operator").annotate(may=Exists(live)).filter(client_id=client_id).first()
    if found is None or not found.may:
        raise BadToken
    if found.operator.suspended_at is not None:
        raise credentials.OperatorSuspended
    client: Client = found
    return client


def webhook_token(client: Client, *, at: datetime) -> str:
    """Return a fresh token for one call of a client's webhook, signed by the key that the client can look up."""
    claims = _claims(client, at=at, life=WEBHOOK_LIFE) | {"typ": "Bearer", "scope": "olp-webhook"}
    return _sign(webhook_purpose(client), claims, at=at)


def public_key(client: Client, *, at: datetime) -> str:
    """Return a client's published key: base64 of the DER SubjectPublicKeyInfo, without armour or line breaks."""
    key = signing.current_key(webhook_purpose(client), signing.RS256, at=at)
    der = key.checking.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def key_set(client: Client, *, at: datetime) -> dict[str, Any]:
    """Return the same key as a JSON Web Key Set."""
    key = signing.current_key(webhook_purpose(client), signing.RS256, at=at)
    jwk = jwt.algorithms.RSAAlgorithm.to_jwk(key.checking, as_dict=True)
    return {"keys": [{**jwk, "kid": key.kid, "alg": signing.RS256, "use": "sig", "key_ops": ["verify"]}]}


def _claims(client: Client, *, at: datetime, life: timedelta) -> dict[str, Any]:
    return {
        "iss": clients.realm_url(client.client_id),
        "sub": client.client_id,
        "aud": client.client_id,
        "azp": client.client_id,
        "iat": int(at.timestamp()),
        "exp": int((at + life).timestamp()),
        "jti": secrets.token_hex(16),
    }


def _sign(purpose: str, claims: dict[str, Any], *, at: datetime) -> str:
    key = signing.current_key(purpose, signing.RS256, at=at)
    return jwt.encode(claims, key.signing, algorithm=key.algorithm, headers={"kid": key.kid, "typ": "JWT"})


def _verified(token: str, *, at: datetime) -> dict[str, Any]:
    """Return the claims of a token that our access key has signed and that has not ended."""
    if len(token) > LONGEST_TOKEN or not token.isascii():
        raise BadToken
    try:
        kid = jwt.get_unverified_header(token).get("kid")
        key = _key(kid) if isinstance(kid, str) else None
        if key is None:
            raise BadToken
        wanted = {"require": ["exp", "iat", "iss", "aud"], "verify_aud": False, "verify_exp": False}
        options = {**wanted, "verify_iat": False, "verify_nbf": False}
        claims: dict[str, Any] = jwt.decode(token, key.checking, algorithms=[key.algorithm], options=options)  # type: ignore[arg-type]
        issued, ends = int(claims["iat"]), int(claims["exp"])
    except (jwt.InvalidTokenError, ValueError, TypeError, OverflowError) as problem:
        raise BadToken from problem
    now, leeway = at.timestamp(), LEEWAY.total_seconds()
    # Compared with `at`, the moment of the call, as everything else is.
    if ends + leeway <= now or issued > now + leeway:
        raise BadToken("The access token has expired.")
    if key.retired_at is not None and issued > key.retired_at.timestamp() + leeway:
        raise BadToken
    return claims


_keys: dict[str, tuple[float, signing.Key | None]] = {}


def _key(kid: str) -> signing.Key | None:
    """Return the access key of that id; asked for again after a while, because it may have been retired."""
    known = _keys.get(kid)
    if known is not None and known[0] > time.monotonic():
        return known[1]
    found = signing.find_key(ACCESS, kid[:40])
    if found is not None:
        _keys[kid] = time.monotonic() + KEY_SECONDS, found
    return found
