"""Players as games see them (rooms.md 3.31 and 3.32)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.conf import settings

from apps.core.numbers import number
from apps.ledger.money import to_amount
from apps.ledger.services import reports
from apps.operators import handles, wallets
from apps.operators.models import Player
from apps.rooms.errors import PlayerNotFound
from apps.rooms.models import PlayPass

# The original's main chain; ours are addresses of the same look on no chain at all (rooms.md 7, row 22).
CHAIN_ID = 16180
UNKNOWN = "User not found"


@dataclass(frozen=True, slots=True)
class Profile:
    """Who a player is to games. `is_guest` holds until they claim their pass, `claimed` from then on."""

    player_id: int
    plyr_id: str
    primary_address: str
    mirror_address: str
    is_guest: bool
    claimed: bool
    created_at: datetime

    @property
    def avatar(self) -> str:
        """The address of their picture."""
        return avatar_url(self.plyr_id)


def avatar_url(plyr_id: str) -> str:
    """Return where the picture that belongs to a PLYR[ID] is served, whoever goes by it."""
    return f"{settings.PUBLIC_URL}/api/user/avatar/picture/{handles.normal(plyr_id)}.svg"


def profile_of(player: Player) -> Profile:
    """Return the profile of a player who has a handle."""
    return Profile(
        player_id=player.pk,
        plyr_id=str(player.handle),
        primary_address=wallets.address_of(wallets.PRIMARY, player.pk),
        mirror_address=wallets.address_of(wallets.MIRROR, player.pk),
        is_guest=player.is_guest,
        claimed=not player.is_guest and PlayPass.objects.filter(player_id=player.pk).exists(),
        created_at=player.created_at,
    )


def called(operator_id: int, plyr_id: str) -> Player:
    """Return the operator's player by their PLYR[ID]. Raises PlayerNotFound."""
    found: Player | None = Player.objects.for_operator(operator_id).called(plyr_id).first()
    if found is None:
        raise PlayerNotFound(UNKNOWN)
    return found


def identified(operator_id: int, identifier: str) -> Player:
    """Return the operator's player by PLYR[ID] or by primary (or mirror) address. Raises PlayerNotFound."""
    found: Player | None = None
    if identifier.strip().lower().startswith("0x"):
        for kind in (wallets.PRIMARY, wallets.MIRROR):
            pk = wallets.number_behind(kind, identifier)
            if pk is not None:
                found = Player.objects.for_operator(operator_id).filter(pk=pk, handle__isnull=False).first()
        if found is None:
            raise PlayerNotFound("Primary address not found")
        return found
    named: Player | None = Player.objects.for_operator(operator_id).called(identifier).first()
    if named is None:
        raise PlayerNotFound("PLYR[ID] not found")
    return named


def all_called(operator_id: int, plyr_ids: Iterable[str]) -> Mapping[str, Player]:
    """Return the players who go by these PLYR[ID]s, by their handles; who is unknown is left out."""
    wanted = {handles.normal(text) for text in plyr_ids}
    return {str(one.handle): one for one in Player.objects.for_operator(operator_id).filter(handle__in=wanted)}


def balances(player: Player) -> dict[str, str]:
    """Return what a player can spend of each token, as decimal text in whole tokens."""
    return {
        wallet.asset: format(Decimal(number(to_amount(wallet.available, wallet.scale))), "f")
        for wallet in reports.wallets(player.operator_id, player.pk)
    }
