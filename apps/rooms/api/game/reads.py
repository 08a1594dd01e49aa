"""What can be asked about a room without changing it. Everything is narrowed to the game of the key."""

from collections.abc import Collection
from typing import Any

from django.db.models import Sum

from apps.ledger.models import AccountKind, Balance
from apps.ledger.money import to_amount
from apps.operators import handles
from apps.rooms.api import values
from apps.rooms.models import Member, Room
from apps.rooms.services import tasks


def room(operator_id: int, game_id: str, room_id: int) -> dict[str, Any]:
    """Return a room as podium.md 7 has it. Raises RoomNotFound, for other games' rooms too."""
    found = tasks.get_room(operator_id=operator_id, game_id=game_id, room_id=room_id)
    return {
        "roomId": str(found.pk),
        "roomAddress": found.address,
        "status": "ended" if found.ended_at else "created",
        "expiresAt": values.moment(found.expires_at),
        "maxPlayers": found.max_players,
        "plyrIds": _members(found),
        "balances": _balances(found),
    }


def _members(subject: Room) -> list[str]:
    inside = Member.objects.filter(room=subject, left_at=None).order_by("pk")
    named = inside.values_list("player__handle", "player__external_id")
    return [handle or external_id for handle, external_id in named]


def _balances(subject: Room) -> dict[str, str]:
    """Return what the room holds of every token it ever handled, as plain decimal text."""
    held = (
        Balance.objects.filter(
            account__operator_id=subject.operator_id, account__kind=AccountKind.ESCROW, account__subject=subject.subject
        )
        .order_by("account__asset__code")
        .values_list("account__asset__code", "account__asset__scale")
        .annotate(total=Sum("units"))
    )
    return {code.lower(): values.plain(to_amount(int(total), scale)) for code, scale, total in held}


def is_joined(operator_id: int, game_id: str, room_id: int | None, plyr_id: str) -> bool:
    """Tell whether a player is in a room; nobody is in an unknown one. The game itself always is (rooms.md 3.7)."""
    handle = handles.normal(plyr_id)
    if handle == handles.normal(game_id):
        return True
    if room_id is None:
        return False
    inside = Member.objects.filter(
        room_id=room_id,
        left_at=None,
        room__operator_id=operator_id,
        room__game_id=game_id,
        player__operator_id=operator_id,
        player__handle=handle,
    )
    return inside.exists()


def all_joined(operator_id: int, game_id: str, room_id: int, players: Collection[int]) -> bool:
    """Tell whether players are in a room, every one of them."""
    inside = Member.objects.filter(
        room_id=room_id,
        left_at=None,
        player_id__in=players,
        room__operator_id=operator_id,
        room__game_id=game_id,
    )
    return inside.count() == len(set(players))
