"""What a player may know of: players outside the list of a tournament do not see it (rounds.md 5.3)."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q

from apps.operators.models import Brand
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
    player_id, brand, user_id = _named(operator_id, viewer)
    invited = Invitation.objects.filter(tournament=OuterRef("pk"), brand_ref=brand, player_ref=user_id)
    among = Q(Exists(invited))
    if player_id is not None:
        among |= Q(Exists(Entry.objects.filter(tournament=OuterRef("pk"), player=player_id).on_board()))
    return ~Q(entry_mode=EntryMode.INVITED) | among


def sees(viewer: Viewer, tournament: Tournament) -> bool:
    """Tell whether a player sees a tournament of their operator."""
    if tournament.entry_mode != EntryMode.INVITED:
        return True
    mine: Any = Tournament.objects.filter(pk=tournament.pk)
    return bool(mine.filter(seen(tournament.operator_id, viewer)).exists())


def _named(operator_id: int, viewer: Viewer) -> tuple[int | None, str, str]:
    """Return the player if they are known, and the brand's and the operator's own ids by which they are invited."""
    brands = Brand.objects.for_operator(operator_id).order_by("pk")
    if viewer.brand_id is None:
        try:
            player = resolve_player(operator_id, viewer.user_id)
        except PlayerNotFound:
            first = brands.first()
            return None, first.external_id if first else "", viewer.user_id
        return player.pk, player.brand.external_id, player.external_id
    brand = brands.filter(external_id=viewer.brand_id).first()
    known = brand and brand.players.filter(external_id=viewer.user_id).first()
    return known.pk if known else None, viewer.brand_id, viewer.user_id
