"""Who sends game rounds: integration keys, known by the integration's name (rounds.md 2)."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from hmac import compare_digest

from django.conf import settings

from apps.core import addresses
from apps.core.errors import DomainError
from apps.operators.models import Credential, CredentialKind
from apps.operators.services.credentials import (
    LONGEST_KEY,
    AddressNotAllowed,
    KeyExpired,
    OperatorSuspended,
    Unauthorized,
    digest_of,
)
from apps.operators.services.lookup import credentials_by, kept_by


def authenticate(ref: str, presented: str, *, address: str, needs_allow_list: bool, at: datetime) -> Credential:
    """Return the live key of an integration that a caller presented, its operator loaded, in one query.

    The address is checked first, against the lists of all keys that the integration has; a key without a list lets
    every address in, or none if `needs_allow_list`. Unauthorized is raised for no key, an unknown one and one of
    another integration alike. Raises AddressNotAllowed, Unauthorized, KeyExpired, OperatorSuspended.
    """
    if kept := kept_by("ref", ref, kind=CredentialKind.INTEGRATION):
        with suppress(DomainError):
            return _judged(kept, presented, address=address, needs_allow_list=needs_allow_list, at=at)
    return _judged(_read(ref), presented, address=address, needs_allow_list=needs_allow_list, at=at)


def _read(ref: str) -> list[Credential]:
    """Return the keys of an integration, each with its operator, and keep them for INTEGRATION_KEYS_SECONDS."""
    if not ref or "\x00" in ref:
        return []
    keep = settings.INTEGRATION_KEYS_SECONDS
    return credentials_by("ref", ref, kind=CredentialKind.INTEGRATION, keep_seconds=keep)


def _judged(
    known: Sequence[Credential], presented: str, *, address: str, needs_allow_list: bool, at: datetime
) -> Credential:
    live = [credential for credential in known if credential.is_live(at)]
    if live and not any(_admits(credential, address, needs_allow_list) for credential in live):
        raise AddressNotAllowed
    found = _proven(known, presented)
    if found.revoked_at is not None and found.revoked_at <= at:
        raise Unauthorized
    if not found.is_live(at):
        raise KeyExpired
    if found.operator.suspended_at is not None:
        raise OperatorSuspended
    if not _admits(found, address, needs_allow_list):
        raise AddressNotAllowed
    return found


def _admits(credential: Credential, address: str, needs_allow_list: bool) -> bool:  # noqa: FBT001 - private
    if not credential.allowed_ips:
        return not needs_allow_list
    return addresses.is_among(address, credential.allowed_ips)


def _proven(known: Sequence[Credential], presented: str) -> Credential:
    """Return the key that was presented; the time it takes tells nothing of how close a wrong one was."""
    if not presented or len(presented) > LONGEST_KEY or not (presented.isascii() and presented.isprintable()):
        raise Unauthorized
    digest = digest_of(presented)
    found: Credential | None = None
    for candidate in known:
        if compare_digest(candidate.digest, digest):
            found = candidate
    if found is None:
        raise Unauthorized
    return found
