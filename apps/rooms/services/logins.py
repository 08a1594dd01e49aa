"""Log players in and out of games (rooms.md 3.20 to 3.23)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from apps.core.actors import Actor
from apps.operators.models import Player
from apps.rooms import errors
from apps.rooms.services import approvals, sessions
from apps.rooms.services.approvals import Grant
from apps.rooms.services.profiles import Profile, profile_of
from apps.rooms.services.proofs import proven
from apps.rooms.services.sessions import Opened, Seen, SessionInvalid

MISMATCH = "JWT and API key mismatch"


class GuestsStay(errors.RoomError):
    """Instant Play Pass user cannot logout"""  # noqa: D400, D415 - word for word (rooms.md 3.22)

    kind = "unauthenticated"
    code = "IPP_NO_LOGOUT"
    hint = "A guest has no way to log in again. Have them claim their pass first."


@dataclass(frozen=True, slots=True)
class Welcome:
    """A player who has just come in."""

    session: Opened
    profile: Profile


def login(
    operator_id: int,
    *,
    plyr_id: str,
    code: str,
    game_id: str,
    seconds: int,
    grants: Sequence[Grant] = (),
    actor: Actor,
    at: datetime,
) -> Welcome:
    """Open a session for a player who proves themselves, and replace what they let the game take, if they say so.

    Session and grants last `seconds`. Both or neither: whatever can be wrong is known before the earlier session ends.
    Raises as `proofs.proven` does.
    """
    player = proven(operator_id, plyr_id=plyr_id, code=code, at=at)
    with transaction.atomic():
        if grants:
            approvals.grant(player, game_id=game_id, grants=grants, seconds=seconds, actor=actor, at=at)
        opened = sessions.issue(player, game_id=game_id, seconds=seconds, actor=actor, at=at)
    return Welcome(opened, profile_of(player))


def logout(token: str, *, game_id: str, operator_id: int, actor: Actor, at: datetime) -> None:
    """End the session of a token. Raises SessionInvalid for one that is not live, GuestsStay."""
    seen = seen_live(token, game_id=game_id, operator_id=operator_id, at=at)
    if seen.is_guest:
        raise GuestsStay("Instant Play Pass user cannot logout")
    sessions.close(seen.player_id, game_id=game_id, actor=actor, at=at)


def look_at(token: str, *, game_id: str, operator_id: int, at: datetime) -> tuple[Seen, Profile]:
    """Return what a live token says and whose it is. Raises SessionInvalid."""
    seen = seen_live(token, game_id=game_id, operator_id=operator_id, at=at)
    return seen, profile_of(Player.objects.get(pk=seen.player_id))


def seen_live(token: str, *, game_id: str, operator_id: int, at: datetime) -> Seen:
    """Return what a token turned out to be. Raises SessionInvalid, saying why, unless it is live."""
    (seen,) = sessions.examine([token], game_id=game_id, operator_id=operator_id, at=at)
    if seen.reason:
        raise SessionInvalid(MISMATCH if seen.reason == sessions.OTHER_GAME else seen.reason)
    return seen
