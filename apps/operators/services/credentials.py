"""Issue, check, rotate and revoke credentials (operators.md 2, podium.md 1 and 2).

Whatever a caller presents is stored as its SHA-256 and nothing else, so a copy of the database opens no door. The one
exception is a game's HMAC secret, which must be read back to check a signature: it is encrypted.
"""

import hashlib
import re
import secrets
import uuid
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from hmac import compare_digest
from ipaddress import ip_network

from django.db import connection, transaction

from apps.core import addresses, crypto, ids
from apps.core.actors import Actor
from apps.core.errors import DomainError, Invalid, NotFound
from apps.operators.models import Credential, CredentialKind
from apps.operators.scopes import EVERY_SCOPE, KEY_ROLES
from apps.operators.services.lookup import credentials_by, kept_by

# 43 characters of [a-z0-9] are 222 bits: a digest of them needs no salt and no slow hash.
SECRET_LENGTH = 43
# How much of a key people may see, beyond its form's fixed beginning.
SHOWN = 8
MAX_NETWORKS = 100
# Who a game key speaks for; clients put it into paths and tokens (rooms.md 1).
GAME_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}", re.ASCII)
LONGEST_KEY = 200
# How old "last used" may be; writing it at every call would cost a write per call.
LAST_USED_SECONDS = 60

# One statement, and so a transaction of its own: Django's select_for_update() would need one around it.
NOTE_USE = """
    UPDATE operators_credential SET last_used_at = %s, last_used_ip = %s
     WHERE id = (SELECT id FROM operators_credential
                  WHERE id = %s AND (last_used_at IS NULL OR last_used_at <= %s) FOR NO KEY UPDATE SKIP LOCKED)
"""


class Unauthorized(DomainError):
    """The API key is missing, unknown or revoked."""

    kind = "unauthenticated"
    code = "UNAUTHORIZED"


class KeyExpired(DomainError):
    """The API key has expired."""

    kind = "unauthenticated"
    code = "KEY_EXPIRED"
    hint = "Issue a new key, or rotate the old one before it ends."


class OperatorSuspended(DomainError):
    """The operator is suspended; every call of its keys is refused."""

    kind = "forbidden"
    code = "OPERATOR_SUSPENDED"


class AddressNotAllowed(DomainError):
    """The key may not be used from this address."""

    kind = "forbidden"
    code = "ADDRESS_NOT_ALLOWED"


class ScopeNotYours(DomainError):
    """A key can only pass on the permissions it has itself."""

    kind = "forbidden"
    code = "INSUFFICIENT_PERMISSIONS"


class KeyNotFound(NotFound):
    """There is no such key."""


class KeyNotLive(DomainError):
    """The key has been revoked or has expired."""

    code = "INVALID_STATE"


@dataclass(frozen=True, slots=True)
class Issued:
    """A new credential and the only copy of its secrets that will ever exist in the clear.

    `key` is what the caller presents. `secret` is the HMAC secret of a game key and empty for every other kind.
    """

    credential: Credential
    key: str
    secret: str = ""


def digest_of(key: str) -> str:
    """Return what is stored of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


def _new_key(kind: str, *, compound: bool) -> tuple[str, str]:
    """Return a fresh key in the form its kind has on the wire, and the part of it that people may see."""
    if kind == CredentialKind.OPERATOR and compound:
        public = f"pk_{ids.token(20)}"
        return f"{public}:sk_{ids.token(SECRET_LENGTH)}", public
    if kind == CredentialKind.GAME:
        key = secrets.token_hex(16)
        return key, key[:SHOWN]
    if kind == CredentialKind.MATCH_CLIENT:
        key = str(uuid.uuid4())
        return key, key[:SHOWN]
    form = {CredentialKind.OPERATOR: "sk_live_", CredentialKind.INTERNAL: "internal_"}.get(CredentialKind(kind), "")
    key = form + ids.token(SECRET_LENGTH)
    return key, key[: len(form) + SHOWN]


def scopes_of(*, scopes: Sequence[str] | None, role: str | None) -> list[str]:
    """Return the scopes a request for a key names, either one by one or as a role (operators.md 2.1).

    Raises Invalid for both, neither, an unknown role or an unknown scope. The order is that of the one list of scopes.
    """
    if (scopes is None) == (role is None):
        raise Invalid("Name either scopes or a role.", fields={"scopes": ["Give scopes or a role, not both."]})
    if role is not None:
        if role not in KEY_ROLES:
            known = ", ".join(KEY_ROLES)
            raise Invalid("There is no such role.", fields={"role": [f"One of {known}."]})
        return [str(scope) for scope in EVERY_SCOPE if scope in KEY_ROLES[role]]
    wanted = set(scopes or ())
    unknown = sorted(wanted - {str(scope) for scope in EVERY_SCOPE})
    if unknown:
        raise Invalid("Unknown scope.", fields={"scopes": [f"Unknown: {', '.join(unknown)}."]})
    return [str(scope) for scope in EVERY_SCOPE if scope in wanted]


def _networks(allowed_ips: Sequence[str]) -> list[str]:
    """Return the allow-list in its shortest spelling. Raises Invalid for what is no address or network."""
    if len(allowed_ips) > MAX_NETWORKS:
        raise Invalid("Too many networks.", fields={"allowedIps": [f"At most {MAX_NETWORKS}."]})
    found = []
    for text in allowed_ips:
        try:
            found.append(str(ip_network(text.strip(), strict=False)))
        except ValueError as problem:
            raise Invalid("No address or network.", fields={"allowedIps": [str(problem)]}) from problem
    return found


@transaction.atomic
def issue(
    *,
    operator_id: int,
    kind: str,
    name: str,
    scopes: Sequence[str] = (),
    ref: str = "",
    compound: bool = False,
    all_operators: bool = False,
    expires_at: datetime | None = None,
    allowed_ips: Sequence[str] = (),
    may_grant: Collection[str] | None = None,
    actor: Actor,
    at: datetime,
) -> Issued:
    """Issue a credential of any kind; its key is in the answer and can never be shown again.

    `may_grant` holds the scopes that whoever asks has; None is for staff, whose role decided before. `compound` makes
    an operator key of the form `pk_…:sk_…`. `ref` is the public name of an integration, game or match client; an
    application numbers itself. Raises Invalid, and ScopeNotYours when more is asked than may be given.
    """
    kept_scopes = scopes_of(scopes=scopes, role=None)
    if kept_scopes and kind != CredentialKind.OPERATOR:
        raise Invalid("Only operator keys carry scopes.", fields={"scopes": ["Not for this kind of key."]})
    _refuse_beyond(kept_scopes, may_grant)
    if kind == CredentialKind.GAME and GAME_ID.fullmatch(ref) is None:
        raise Invalid("No usable game.", fields={"ref": ["The game's id: 1 to 120 letters, digits, dots, - and _."]})
    if expires_at is not None and expires_at <= at:
        raise Invalid("The key would have expired already.", fields={"expiresAt": ["Must lie in the future."]})
    return _store(
        Credential(
            operator_id=operator_id,
            kind=kind,
            name=name,
            ref=ref,
            scopes=kept_scopes,
            all_operators=all_operators,
            allowed_ips=_networks(allowed_ips),
            expires_at=expires_at,
            created_by=str(actor),
            created_at=at,
        ),
        compound=compound,
    )


def _refuse_beyond(scopes: Sequence[str], may_grant: Collection[str] | None) -> None:
    beyond = sorted(set(scopes) - set(may_grant)) if may_grant is not None else []
    if beyond:
        raise ScopeNotYours(required=", ".join(beyond))


def _store(credential: Credential, *, compound: bool) -> Issued:
    key, prefix = _new_key(credential.kind, compound=compound)
    secret = secrets.token_hex(32) if credential.kind == CredentialKind.GAME else ""
    credential.prefix = prefix
    credential.digest = digest_of(key)
    credential.sealed_secret = crypto.encrypt(secret) if secret else ""
    credential.save(force_insert=True)
    if credential.kind == CredentialKind.APPLICATION and not credential.ref:
        # The dialect wants an integer that is unique over all operators; the row's own number is one.
        credential.ref = str(credential.pk)
        credential.save(update_fields=["ref"])
    return Issued(credential, key, secret)


@transaction.atomic
def rotate(
    credential_id: int,
    *,
    operator_id: int,
    kind: CredentialKind | None = None,
    overlap_seconds: int,
    may_grant: Collection[str] | None = None,
    actor: Actor,
    at: datetime,
) -> Issued:
    """Issue a successor with the same rights now; the old key works for `overlap_seconds` more, or until its own end.

    The overlap lets a client switch without an outage. `kind` and `may_grant` narrow what a caller by key may reach.
    Raises KeyNotFound, KeyNotLive, ScopeNotYours, and Invalid for a negative overlap.
    """
    if overlap_seconds < 0:
        raise Invalid("The overlap can't be negative.", fields={"overlapSeconds": ["0 or more."]})
    old = _locked(credential_id, operator_id=operator_id, kind=kind)
    if not old.is_live(at):
        raise KeyNotLive
    _refuse_beyond(old.scopes, may_grant)
    fresh = Credential(
        operator_id=old.operator_id,
        kind=old.kind,
        name=old.name,
        ref=old.ref,
        scopes=old.scopes,
        all_operators=old.all_operators,
        allowed_ips=old.allowed_ips,
        expires_at=old.expires_at,
        created_by=str(actor),
        created_at=at,
    )
    issued = _store(fresh, compound=old.prefix.startswith("pk_"))
    end = at + timedelta(seconds=overlap_seconds)
    old.expires_at = min(old.expires_at, end) if old.expires_at else end
    old.save(update_fields=["expires_at"])
    return issued


@transaction.atomic
def revoke(
    credential_id: int, *, operator_id: int, kind: CredentialKind | None = None, actor: Actor, at: datetime
) -> Credential:
    """Make a key useless from now on. Revoking twice is revoking once. Raises KeyNotFound."""
    credential = _locked(credential_id, operator_id=operator_id, kind=kind)
    if credential.revoked_at is None:
        credential.revoked_at, credential.revoked_by = at, str(actor)
        credential.save(update_fields=["revoked_at", "revoked_by"])
    return credential


def _locked(credential_id: int, *, operator_id: int, kind: CredentialKind | None) -> Credential:
    rows = Credential.objects.for_operator(operator_id).select_for_update(no_key=True, of=("self",))
    if kind is not None:
        rows = rows.filter(kind=kind)
    found: Credential | None = rows.filter(pk=credential_id).first()
    if found is None:
        raise KeyNotFound
    return found


def signing_secret(credential: Credential) -> str:
    """Return a game key's HMAC secret in the clear. Decrypted once per process: every call of a game asks for it."""
    return _opened(credential.sealed_secret)


@lru_cache(maxsize=1024)
def _opened(sealed: str) -> str:
    return crypto.decrypt(sealed)


def authenticate(
    presented: str, *, kind: CredentialKind, address: str, at: datetime, keep_seconds: float = 0.0
) -> Credential:
    """Return the live credential behind what a caller presented, its operator loaded, in one query.

    `pk_…:sk_…` is found by its public half and compared as a whole; every other form is found by its hash. With
    `keep_seconds` this process asks no more often than that for a key that it has let in: so long may a revoked one
    still be taken. Raises Unauthorized, KeyExpired, OperatorSuspended or AddressNotAllowed; none of them tells whether
    a wrong key was close.
    """
    if len(presented) > LONGEST_KEY or not (presented.isascii() and presented.isprintable()):
        raise Unauthorized
    digest = digest_of(presented)
    public, colon, _ = presented.partition(":")
    compound = bool(colon) and public.startswith("pk_")
    column, value = ("prefix", public) if compound else ("digest", digest)
    if keep_seconds and (kept := kept_by(column, value, kind=kind)):
        with suppress(DomainError):
            return _judged(kept, digest, address=address, at=at)
    return _judged(credentials_by(column, value, kind=kind, keep_seconds=keep_seconds), digest, address=address, at=at)


def _judged(candidates: Sequence[Credential], digest: str, *, address: str, at: datetime) -> Credential:
    found: Credential | None = None
    for candidate in candidates:
        if compare_digest(candidate.digest, digest):
            found = candidate
    if found is None or (found.revoked_at is not None and found.revoked_at <= at):
        raise Unauthorized
    if not found.is_live(at):
        raise KeyExpired
    if found.operator.suspended_at is not None:
        raise OperatorSuspended
    if found.allowed_ips and not addresses.is_among(address, found.allowed_ips):
        raise AddressNotAllowed
    return found


def note_use(credential: Credential, *, address: str, at: datetime) -> None:
    """Remember when and from where a key was used, at most once a minute, and never wait for anybody to do it."""
    before = at - timedelta(seconds=LAST_USED_SECONDS)
    if credential.last_used_at is not None and credential.last_used_at > before:
        return
    with connection.cursor() as cursor:
        cursor.execute(NOTE_USE, [at, address or None, credential.pk, before])
    # Whoever keeps the row for a while needn't note it again.
    credential.last_used_at = at
