"""How players get to their own pages: links that work once, and the sessions of their browsers (podium.md 5)."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from apps.core.actors import Actor
from apps.core.errors import DomainError
from apps.operators.models import Player
from apps.operators.services import otp
from apps.rumble.models import PlaySession, SigninLink

LINK_LIVES = timedelta(minutes=15)
SESSION_LIVES = timedelta(hours=12)
BYTES = 32
PURGED_AFTER = timedelta(days=30)


class LinkSpent(DomainError):
    """The sign-in link has been used or has expired."""

    kind = "unauthenticated"
    code = "LINK_SPENT"
    hint = "Ask for a new one where you got it from."


@dataclass(frozen=True, slots=True, repr=False)
class Made:
    """A fresh secret, in its only clear copy. No repr: a log line must not show it."""

    token: str
    player_id: int
    expires_at: datetime


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


@transaction.atomic
def issue_link(player_id: int, *, actor: Actor, at: datetime) -> Made:
    """Return the secret of a link that signs the player in once, within a quarter of an hour."""
    token = secrets.token_urlsafe(BYTES)
    link = SigninLink.objects.create(
        player_id=player_id,
        digest=_digest(token),
        expires_at=at + LINK_LIVES,
        created_by=str(actor)[:80],
        created_at=at,
    )
    return Made(token, player_id, link.expires_at)


@transaction.atomic
def enter_by_link(token: str, *, at: datetime) -> Made:
    """Use up a link and open a session. Raises LinkSpent; of two who use one link at once, one gets in."""
    rows = SigninLink.objects.select_for_update(no_key=True).filter(digest=_digest(token), used_at=None)
    link = rows.filter(expires_at__gt=at).first()
    if link is None:
        raise LinkSpent
    link.used_at = at
    link.save(update_fields=["used_at"])
    return _open(link.player_id, at)


def enter_by_code(operator_slug: str, handle: str, code: str, *, at: datetime) -> Made:
    """Open a session for a player who shows the code of their authenticator. Must not run inside a transaction.

    Raises CodeRefused (whoever they may be), CodeSpent and PlayerLocked.
    """
    found = Player.objects.called(handle).filter(operator__slug=operator_slug.strip().lower())
    player = found.filter(operator__suspended_at=None).first()
    if player is None:
        raise otp.CodeRefused(otp.REFUSED)
    otp.verify(player, code.strip(), at=at)
    with transaction.atomic():
        return _open(player.pk, at)


def _open(player_id: int, at: datetime) -> Made:
    token = secrets.token_urlsafe(BYTES)
    session = PlaySession.objects.create(
        player_id=player_id, digest=_digest(token), expires_at=at + SESSION_LIVES, created_at=at
    )
    return Made(token, player_id, session.expires_at)


def player_behind(token: str, *, at: datetime) -> Player | None:
    """Return the player whose browser carries this secret, with their operator; None for any other."""
    session = PlaySession.objects.filter(digest=_digest(token)).select_related("player__operator").first()
    if session is None or not session.is_live(at) or session.player.operator.suspended_at is not None:
        return None
    return session.player


@transaction.atomic
def leave(token: str, *, at: datetime) -> None:
    """End a session. Ending it twice is ending it once."""
    PlaySession.objects.filter(digest=_digest(token), ended_at=None).update(ended_at=at)


@transaction.atomic
def forget(*, at: datetime) -> None:
    """Drop the rows of links and sessions that ended long ago."""
    SigninLink.objects.filter(expires_at__lt=at - PURGED_AFTER).delete()
    PlaySession.objects.filter(expires_at__lt=at - PURGED_AFTER).delete()
