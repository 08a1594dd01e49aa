"""A player proves who they are with a one-time code (rooms.md 3.20)."""

from datetime import datetime

from apps.operators.models import Player
from apps.operators.services import otp
from apps.rooms import errors
from apps.rooms.services import profiles


class GuestsCantLogIn(errors.RoomError):
    """User is instant play pass, can not use 2fa to login"""  # noqa: D400, D415 - word for word (rooms.md 3.20)

    kind = "forbidden"
    code = "IPP_NO_OTP"
    hint = "Claim the pass first; then the player has codes."


def proven(operator_id: int, *, plyr_id: str, code: str, at: datetime, even_blocked: bool = False) -> Player:
    """Return the player whose one-time code this is. The try counts whatever comes of it.

    Raises PlayerNotFound, GuestsCantLogIn, PlayerMayNotPlay (unless `even_blocked`), and as `otp.verify` does. Not for
    use inside a transaction.
    """
    player = profiles.called(operator_id, plyr_id)
    if player.is_guest:
        raise GuestsCantLogIn("User is instant play pass, can not use 2fa to login")
    otp.verify(player, code, at=at)
    if not even_blocked and player.is_blocked(at):
        raise errors.PlayerMayNotPlay
    return player
