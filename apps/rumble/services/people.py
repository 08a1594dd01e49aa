"""What an application, and the player's own pages, show of a player."""

from dataclasses import dataclass
from decimal import Decimal

from apps.ledger.money import to_amount
from apps.ledger.services import reports
from apps.operators.models import Player
from apps.rumble import words
from apps.rumble.services.ground import UPX


@dataclass(frozen=True, slots=True)
class Profile:
    """A player as the dialect knows them. `upx` is what they may spend now."""

    user_id: str
    eos_id: str
    username: str
    avatar_url: str
    upx: Decimal


def profile_of(player: Player) -> Profile:
    """Return a player's profile; the UPX of an operator without that asset are 0."""
    return Profile(
        user_id=words.user_id(player.pk),
        eos_id=words.eos_of(player),
        username=player.display_name or player.handle or player.external_id,
        avatar_url="",
        upx=available_upx(player),
    )


def available_upx(player: Player) -> Decimal:
    """Return what a player may spend: nothing that is held for a payment on its way."""
    for wallet in reports.wallets(player.operator_id, player.pk):
        if wallet.asset == UPX:
            return to_amount(wallet.available, wallet.scale)
    return Decimal(0)
