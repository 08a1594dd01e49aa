"""The platform's own keys: for each purpose one signs, and every one that ever signed can still be checked with."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from zlib import crc32

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connection, transaction

from apps.core import crypto, ids
from apps.operators.models import SigningKey

EDDSA = "EdDSA"
ES256 = "ES256"
RS256 = "RS256"
HS256 = "HS256"

# How the private keys of each asymmetric algorithm are made.
_MAKERS: dict[str, Callable[[], Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey]] = {
    EDDSA: Ed25519PrivateKey.generate,
    ES256: lambda: ec.generate_private_key(ec.SECP256R1()),
    RS256: lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
}
ALGORITHMS = (HS256, *_MAKERS)

# One namespace of advisory locks beside that of tournaments; never renumbered.
_FIRST_KEY_LOCKS = 2 << 48


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """A key ready for use. `signing` is secret; for HS256 `checking` is the same secret.

    No repr: a log line must not show it.
    """

    kid: str
    algorithm: str
    signing: Any
    checking: Any
    retired_at: datetime | None


def current_key(purpose: str, algorithm: str, *, at: datetime) -> Key:
    """Return the newest unretired key of a purpose and algorithm, made now if there is none yet.

    Ten processes that ask for the first key at once get the same one. Raises ValueError for an unknown algorithm.
    """
    if algorithm not in ALGORITHMS:
        message = f"no keys for the algorithm {algorithm}"
        raise ValueError(message)
    row = _newest(purpose, algorithm)
    if row is None:
        with transaction.atomic():
            with connection.cursor() as cursor:
                lock = _FIRST_KEY_LOCKS | crc32(f"{purpose}:{algorithm}".encode())
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock])
            # Its own statement: it must see what the one before us committed while we waited.
            row = _newest(purpose, algorithm) or _create(purpose, algorithm, at=at)
    return _ready(row)


def find_key(purpose: str, kid: str) -> Key | None:
    """Return the key of that purpose with that id, retired or not; None if there is none.

    The caller compares algorithms with the key's own, never with what a token claims, and refuses what was signed
    after `retired_at`.
    """
    row = SigningKey.objects.filter(purpose=purpose, kid=kid).first()
    return None if row is None else _ready(row)


@transaction.atomic
def rotate(purpose: str, algorithm: str, *, at: datetime) -> Key:
    """Retire the keys of a purpose and algorithm, and return the new one that signs from now on."""
    fresh = _create(purpose, algorithm, at=at)
    older = SigningKey.objects.filter(purpose=purpose, algorithm=algorithm, retired_at=None)
    older.exclude(pk=fresh.pk).update(retired_at=at)
    return _ready(fresh)


def _newest(purpose: str, algorithm: str) -> SigningKey | None:
    live = SigningKey.objects.filter(purpose=purpose, algorithm=algorithm, retired_at=None)
    return live.order_by("-created_at", "-pk").first()


def _create(purpose: str, algorithm: str, *, at: datetime) -> SigningKey:
    return SigningKey.objects.create(
        purpose=purpose,
        kid=ids.public_id("key", 12),
        algorithm=algorithm,
        sealed_private_key=crypto.encrypt(_new_private_key(algorithm)),
        created_at=at,
    )


def _new_private_key(algorithm: str) -> str:
    if algorithm == HS256:
        return secrets.token_hex(32)
    pem = _MAKERS[algorithm]().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem.decode()


def _ready(row: SigningKey) -> Key:
    signing, checking = _open(row.kid, row.algorithm, row.sealed_private_key)
    return Key(row.kid, row.algorithm, signing, checking, row.retired_at)


@lru_cache(maxsize=64)
def _open(kid: str, algorithm: str, sealed: str) -> tuple[Any, Any]:  # noqa: ARG001 - kid tells entries apart
    """Decrypt and parse once per process: registrations sign a token each."""
    text = crypto.decrypt(sealed)
    if algorithm == HS256:
        secret = bytes.fromhex(text)
        return secret, secret
    private = serialization.load_pem_private_key(text.encode(), password=None)
    return private, private.public_key()
