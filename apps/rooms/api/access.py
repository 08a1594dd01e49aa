"""Who calls: a game key with a signature over every request (rooms.md 2)."""

from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.core import clock
from apps.core.api.client import address_of
from apps.operators import limits
from apps.operators.api.access import RateLimit, credential_of, rate_class_of
from apps.operators.models import Credential, CredentialKind
from apps.operators.services import credentials
from apps.rooms.api import bodies, errors, signatures

HEADERS = ("apikey", "signature", "timestamp")
_META = tuple(f"HTTP_{name.upper()}" for name in HEADERS)
# The original's roles, least first. A game's key has the middle one; every call of rooms asks for the first.
ROLES = {"user": 0, "game": 1, "admin": 2}
# Calls a minute from one address, to what needs no key.
PUBLIC_PER_MINUTE = 1200
# Calls that a busy process counts in one go.
CALLS_AT_ONCE = 20


class GameKey(BaseAuthentication):
    """The headers apikey, signature and timestamp, checked in the original's order (rooms.md 2.3)."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Credential] | None:
        """Return nobody in particular and the credential; raises AuthHeadersMissing, ApiKeyInvalid and their kin.

        A key may also be refused because its operator is suspended or it may not be used from here (403). A repeated
        signature is no offence: clients sign once and poll with it (rooms.md 2.3).
        """
        key, signature, timestamp = (request.META.get(name, "").strip() for name in _META)
        if not (key and signature and timestamp):
            raise errors.AuthHeadersMissing
        at, address = clock.now(), address_of(request)
        try:
            credential = credentials.authenticate(
                key, kind=CredentialKind.GAME, address=address, at=at, keep_seconds=settings.GAME_KEYS_SECONDS
            )
        except (credentials.Unauthorized, credentials.KeyExpired) as unknown:
            self._proves(signatures.NOBODY, request, timestamp, signature)
            raise errors.ApiKeyInvalid from unknown
        if not self._proves(credentials.signing_secret(credential), request, timestamp, signature):
            raise errors.SignatureInvalid
        if not signatures.is_fresh(timestamp, int(at.timestamp() * 1000)):
            raise errors.RequestExpired
        credentials.note_use(credential, address=address, at=at)
        return AnonymousUser(), credential

    def _proves(self, secret: str, request: Request, timestamp: str, signature: str) -> bool:
        raw = bodies.raw_of(request._request)  # noqa: SLF001 - bytes, before any parser
        return signatures.accepts(secret, timestamp, signature, raw, bodies.form_of(raw, request.content_type or ""))

    def authenticate_header(self, request: Request) -> str:
        """Make refusals 401; there is no challenge a browser could answer."""
        return "HMAC"


class MaybeGameKey(GameKey):
    """For what everyone may read: without any of the headers nobody calls, with one of them a game does."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Credential] | None:
        """Return None for a call without a key; raises as GameKey does for one with."""
        return super().authenticate(request) if any(request.META.get(name) for name in _META) else None


def role_of(credential: Credential) -> str:
    """Return a key's role. All keys that an operator issues to a game have the same."""
    return {CredentialKind.GAME: "game"}.get(CredentialKind(credential.kind), "user")


class HasRole(BasePermission):
    """The key's role is `view.role` or above (rooms.md 2.3, row 5)."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return True, or raise Forbidden."""
        if ROLES[role_of(credential_of(request))] < ROLES[getattr(view, "role", "user")]:
            raise errors.Forbidden
        return True


class GameRate(RateLimit):
    """Calls a minute per key, counted in the class that `view.rate_class` names: `rooms` or `room_polls`."""

    purses: ClassVar = limits.Purses(at_once=CALLS_AT_ONCE)

    def count(self, request: Request, view: APIView) -> limits.Verdict | None:
        """Count the call; games call by the thousand, so a process takes several at once."""
        (window,) = self.windows(request, view)
        return self.purses.take(self.owner(request), window)

    def windows(self, request: Request, view: APIView) -> list[limits.Window]:
        """Return the one window of the call's class."""
        rates = credential_of(request).operator.settings.rate_limits
        named = rate_class_of(request, view)
        return [limits.Window(named, getattr(rates, named), 60)]


class PublicRate(RateLimit):
    """Calls a minute per address, for what needs no key."""

    seconds: ClassVar[int] = 60

    def owner(self, request: Request) -> str:
        """Return the caller's address."""
        return f"rooms:{address_of(request)}"

    def windows(self, request: Request, view: APIView) -> list[limits.Window]:
        """Return the one window of all public calls."""
        return [limits.Window("public", PUBLIC_PER_MINUTE, self.seconds)]
