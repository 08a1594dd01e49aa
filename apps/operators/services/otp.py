"""One-time codes of players (rooms.md 3.20): TOTP with SHA-1, six digits and thirty seconds, one step of grace.

A code can be tried once in five minutes, even if the first try failed for another reason. Every fifth wrong code in a
row locks the player out for a minute. Both hold however many try at once: a try locks the player's secret.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp
from django.db import transaction

from apps.core import crypto
from apps.core.actors import Actor
from apps.core.errors import DomainError, NotFound
from apps.operators.models import Player, PlayerSecret
from apps.operators.services import players

ISSUER = "Podium"
GRACE_STEPS = 1
SPENT_FOR = timedelta(minutes=5)
PATIENCE = 5
LOCKED_FOR = timedelta(seconds=60)
# Six digits and nothing that merely looks like them: pyotp would take other scripts' digits for the same code.
CODE = re.compile(r"[0-9]{6}", re.ASCII)

# In the words that clients of rooms.md 3.20 look for.
REFUSED = "Invalid 2fa token"
SPENT = "2FA token already used"
LOCKED = "User is temporary locked"


class CodeRefused(DomainError):
    """The code is not the player's."""

    kind = "unauthenticated"
    code = "OTP_INVALID"
    hint = "Enter the code that the player's authenticator shows now."


class CodeSpent(DomainError):
    """The code has been tried already."""

    kind = "unauthenticated"
    code = "OTP_REUSED"
    hint = "Wait for the next code; each is good for one try."


class PlayerLocked(DomainError):
    """Too many wrong codes were tried for this player."""

    kind = "forbidden"
    code = "USER_LOCKED"
    hint = "Wait a minute and try again."


class AlreadyEnrolled(DomainError):
    """The player has a second factor already."""

    code = "TOTP_ENROLLED"
    hint = "Remove it first; the player then needs the new one."


class NotEnrolled(NotFound):
    """The player has no second factor."""

    code = "TOTP_NOT_ENROLLED"


class GuestsHaveNone(DomainError):
    """A guest has no second factor: they claim their account first."""

    code = "PLAYER_IS_GUEST"


@dataclass(frozen=True, slots=True, repr=False)
class Enrolment:
    """A player's new secret, in the only clear copy there will ever be. No repr: a log line must not show it."""

    player: Player
    secret: str
    otpauth_url: str


@transaction.atomic
def enrol(player_id: int, *, handle: str | None = None, actor: Actor, at: datetime) -> Enrolment:
    """Give a player a second factor, and a handle if they have none: `handle`, or one made of their user id.

    Raises PlayerNotFound, GuestsHaveNone, AlreadyEnrolled, and as `players.named_player` does.
    """
    player = players.named_player(player_id, handle=handle, actor=actor, at=at)
    if player.is_guest:
        raise GuestsHaveNone
    secret = pyotp.random_base32()
    kept, created = PlayerSecret.objects.get_or_create(
        player=player, defaults={"sealed_secret": crypto.encrypt(secret), "enrolled_at": at}
    )
    if not created:
        raise AlreadyEnrolled(since=kept.enrolled_at.isoformat())
    url = pyotp.TOTP(secret).provisioning_uri(name=player.handle or "", issuer_name=ISSUER)
    return Enrolment(player, secret, url)


@transaction.atomic
def remove(player_id: int, *, actor: Actor, at: datetime) -> Player:  # noqa: ARG001 - logged by who asks
    """Take a player's second factor away; they can't log in until enrolled again. Raises NotEnrolled."""
    deleted, _ = PlayerSecret.objects.filter(player_id=player_id).delete()
    if not deleted:
        raise NotEnrolled
    player: Player = Player.objects.select_related("brand").get(pk=player_id)
    return player


def verify(player: Player, code: str, *, at: datetime) -> None:
    """Return if `code` is the player's now. The try is kept whatever comes of it, so it commits on its own.

    Raises CodeSpent, PlayerLocked and CodeRefused, in this order of precedence; who has no second factor has no right
    code. Raises RuntimeError inside a transaction, which could undo the count of a guess.
    """
    with transaction.atomic(durable=True):
        refusal = _try(player, code, at)
    if refusal is not None:
        raise refusal


def _try(player: Player, code: str, at: datetime) -> DomainError | None:
    kept = PlayerSecret.objects.select_for_update(no_key=True).filter(player_id=player.pk).first()
    if kept is None:
        return CodeRefused(REFUSED)
    recent = [one for one in kept.spent if one[1] > (at - SPENT_FOR).timestamp()]
    if any(spent == code for spent, _ in recent):
        return CodeSpent(SPENT)
    if kept.locked_until is not None and at < kept.locked_until:
        # Not kept as tried: whoever guesses while locked out must not push out what was.
        return PlayerLocked(LOCKED, until=kept.locked_until.isoformat())
    plausible = CODE.fullmatch(code) is not None
    right = plausible and _totp(kept).verify(code, for_time=at, valid_window=GRACE_STEPS)
    kept.spent = [*recent, [code, int(at.timestamp())]] if plausible else recent
    kept.failures = 0 if right else kept.failures + 1
    if kept.failures == PATIENCE:
        kept.failures, kept.locked_until = 0, at + LOCKED_FOR
    kept.save(update_fields=["spent", "failures", "locked_until"])
    return None if right else CodeRefused(REFUSED)


def _totp(kept: PlayerSecret) -> pyotp.TOTP:
    return pyotp.TOTP(crypto.decrypt(kept.sealed_secret))
