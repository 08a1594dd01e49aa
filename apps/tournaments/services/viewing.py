"""What a player may know of: players outside the list of a tournament do not see it (rounds.md 5.3)."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q

from apps.operators.models import Brand, Player
from apps.operators.services.players import PlayerNotFound, resolve_player
from apps.tournaments.models import Entry, EntryMode, Invitation, Tournament


@dataclass(frozen=True, slots=True)
class Viewer:
    """For whom a lobby or a page is made: the operator's id of a player, who may never have played, and their brand.

    Without a brand it is the player whom a registration would enter.
    """

    user_id: str
    brand_id: str | None = None


def seen(operator_id: int, viewer: Viewer) -> Q:
    """Return the condition for the tournaments that a player sees: those open to all, and where they are invited or in.

    Who has left again, and is not on the list, does not see it any more.
    """
    player = known(operator_id, viewer)
    if player is not None:
        brand, user_id = player.brand.external_id, player.external_id
    else:
        brand, user_id = viewer.brand_id or _first_brand(operator_id), viewer.user_id
    invited = Invitation.objects.filter(tournament=OuterRef("pk"), brand_ref=brand, player_ref=user_id)
    among = Q(Exists(invited))
    if player is not None:
        among |= Q(Exists(Entry.objects.filter(tournament=OuterRef("pk"), player=player).on_board()))
    return ~Q(entry_mode=EntryMode.INVITED) | among


def sees(viewer: Viewer, tournament: Tournament) -> bool:
    """Tell whether a player sees a tournament of their operator."""
    if tournament.entry_mode != EntryMode.INVITED:
        return True
    mine: Any = Tournament.objects.filter(pk=tournament.pk)
    return bool(mine.filter(seen(tournament.operator_id, viewer)).exists())


def known(operator_id: int, viewer: Viewer) -> Player | None:
    """Return the player with their brand, None for one who has not been named before."""
    if viewer.brand_id is None:
        try:
            return resolve_player(operator_id, viewer.user_id)
        except PlayerNotFound:
            return None
    mine = Player.objects.for_operator(operator_id).select_related("brand")
    found: Player | None = mine.filter(brand__external_id=viewer.brand_id, external_id=viewer.user_id).first()
    return found


def _first_brand(operator_id: int) -> str:
    """Return the brand that new players come to unless another one is named."""
    ref = Brand.objects.for_operator(operator_id).order_by("pk").values_list("external_id", flat=True).first()
    return ref or ""
