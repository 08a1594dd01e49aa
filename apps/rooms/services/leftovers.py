"""What a room holds and nobody paid out: give it back, or give it to the game. Only staff do, and they say why.

*Refund*: per asset, what the room holds is parted among the players in proportion to what each has paid in more than
got out of it. Where the game took nothing for itself, that is exactly what each paid minus what each got. Rounded down;
odd units go one by one to the players in ascending order of their keys, so the room is left with nothing.

*Close*: what an expired room holds goes to the game's own account (rooms.md 3.12 and 6.9).
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

from django.db import connection

from apps.ledger.models import AccountKind, Asset, Balance
from apps.ledger.money import written
from apps.operators.models import Player
from apps.rooms import errors, rules
from apps.rooms.models import Room, Task
from apps.rooms.operations import Entry, Operation

REFUND, CLOSE = "refund", "close"

# What each player has paid into a room more than got out of it, per asset.
PAID_IN = """
    SELECT substr(a.subject, 8)::bigint, a.asset_id, -SUM(p.units)
      FROM ledger_journal j
      JOIN ledger_posting p ON p.journal_id = j.id
      JOIN ledger_account a ON a.id = p.account_id
     WHERE j.operator_id = %s AND j.subject = %s AND a.kind = 'PLAYER'
     GROUP BY a.subject, a.asset_id
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of what a sweep would do now: who gets what. `player` None is the game."""

    player: Player | None
    asset: Asset
    units: int


def held_by(room: Room) -> dict[Asset, int]:
    """Return what a room holds, by asset, zeros left out."""
    slots = Balance.objects.filter(
        account__operator_id=room.operator_id,
        account__kind=AccountKind.ESCROW,
        account__subject=room.subject,
        units__gt=0,
    ).select_related("account__asset")
    found: dict[Asset, int] = defaultdict(int)
    for slot in slots.order_by("account__asset__code"):
        found[slot.account.asset] += int(slot.units)
    return dict(found)


def balances(room: Room) -> dict[str, str]:
    """Return what a room holds as plain decimal text by asset code."""
    return {asset.code: written(units, asset.scale) for asset, units in held_by(room).items()}


def preview(room: Room, sweep: str) -> list[Line]:
    """Return what a refund or closing would move now. Moves nothing."""
    return [
        Line(player, asset, units) for asset, parts in _parts(room, sweep).items() for player, units in _named(parts)
    ]


def resolved(operation: Operation, *, at: datetime) -> Operation:
    """Return a sweep with who gets what, the room held from here on; any other operation as it is.

    Raises RoomNotFound, RoomEnded, RoomEmpty, NobodyPaid, RoomNotExpired.
    """
    if not operation.sweep:
        return operation
    rooms = Room.objects.of_game(operation.operator_id, operation.game_id).locked_for_update()
    room: Room | None = rooms.filter(pk=operation.room_id).first()
    if room is None:
        raise errors.RoomNotFound
    refuse(room, operation.sweep, at=at)
    parts = _parts(room, operation.sweep)
    entries = [
        Entry(player_id, asset.code, units) for asset, each in parts.items() for player_id, units in each.items()
    ]
    if operation.sweep == REFUND and len(parts) != len(held_by(room)):
        raise errors.NobodyPaid
    names = dict(
        Player.objects.filter(pk__in=[e.player_id for e in entries if e.player_id]).values_list("pk", "external_id")
    )
    return replace(operation, earns=tuple(entries), ends=True, names=names)


def refuse(room: Room, sweep: str, *, at: datetime) -> None:
    """Raise what stands against a sweep before anybody looks at who gets what."""
    if room.status == "ENDED":
        raise errors.RoomEnded
    if sweep == CLOSE and room.expires_at > at:
        raise errors.RoomNotExpired
    if sweep == REFUND and not held_by(room):
        raise errors.RoomEmpty


def _parts(room: Room, sweep: str) -> dict[Asset, dict[int | None, int]]:
    held = held_by(room)
    if sweep == CLOSE:
        return {asset: {None: units} for asset, units in held.items()}
    weights: dict[int, dict[int, int]] = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(PAID_IN, [room.operator_id, room.subject])
        for player_id, asset_id, units in cursor.fetchall():
            weights[asset_id][player_id] = int(units)
    parts: dict[Asset, dict[int | None, int]] = {}
    for asset, units in held.items():
        if each := rules.split(units, weights[asset.pk]):
            parts[asset] = cast("dict[int | None, int]", each)
    return parts


def _named(parts: Mapping[int | None, int]) -> list[tuple[Player | None, int]]:
    players: dict[Any, Player] = Player.objects.in_bulk([key for key in parts if key is not None])
    return [(players.get(key), units) for key, units in parts.items()]


def job_key(task: Task) -> str:
    """Return the key of the job that shows how far a sweep is."""
    return f"room_task:{task.public_id}"
