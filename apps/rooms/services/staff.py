"""What staff do to rooms. Each needs a reason, which is told with the fact and kept with the journal."""

from datetime import datetime

from django.db import transaction

from apps.core.actors import Actor
from apps.core.errors import Invalid
from apps.jobs import services as jobs
from apps.operators.models import Player
from apps.rooms import operations
from apps.rooms.models import Room, Task
from apps.rooms.operations import Game, Operation
from apps.rooms.services import leftovers, performing, tasks

MAX_REASON = 200
METHODS = {leftovers.REFUND: "refundGameRoom", leftovers.CLOSE: "closeGameRoom"}
TITLES = {leftovers.REFUND: "Refund", leftovers.CLOSE: "Close"}


def refund(room_id: int, *, reason: str, actor: Actor, at: datetime) -> Task:
    """Give what a room holds back to who paid it, and end it; `leftovers` says who gets what.

    Runs in the room's queue, behind what its game has asked for; a job shows how far it is. Raises Room.DoesNotExist,
    Invalid without a reason, RoomEnded, RoomEmpty, NobodyPaid.
    """
    return _sweep(room_id, leftovers.REFUND, reason=reason, actor=actor, at=at)


def close(room_id: int, *, reason: str, actor: Actor, at: datetime) -> Task:
    """End an expired room; what it holds goes to the game's own account. Runs, and raises, as `refund` does.

    Raises RoomNotExpired while its time is not over.
    """
    return _sweep(room_id, leftovers.CLOSE, reason=reason, actor=actor, at=at)


@transaction.atomic
def _sweep(room_id: int, sweep: str, *, reason: str, actor: Actor, at: datetime) -> Task:
    _refuse_no_reason(reason)
    room: Room = Room.objects.locked_for_update().get(pk=room_id)
    asked = Operation(
        METHODS[sweep], sweep, room.operator_id, room.game_id, room.pk, sweep=sweep, reason=reason.strip()
    )
    lines = len(leftovers.resolved(asked, at=at).earns)
    params = {"gameId": room.game_id, "roomId": str(room.pk), "reason": reason.strip()}
    task = tasks.new_task(asked, params, actor=actor, at=at)
    tasks.enqueue(task, asked)
    jobs.ask(
        operator_id=room.operator_id,
        kind=f"room.{sweep}",
        key=leftovers.job_key(task),
        subject=room.subject,
        title=f"{TITLES[sweep]} {room}",
        total=lines,
        actor=actor,
        at=at,
    )
    return task


def end(room_id: int, *, actor: Actor, at: datetime) -> Room:
    """End an empty room. Raises Room.DoesNotExist, RoomNotEmpty."""
    room: Room = Room.objects.get(pk=room_id)
    performing.perform(operations.end(Game(room.operator_id, room.game_id), room.pk), actor=actor, at=at)
    return room


def remove_player(room_id: int, *, player: Player, reason: str, actor: Actor, at: datetime) -> Room:
    """Take a player out of a room; what they paid stays in it. Raises Room.DoesNotExist, Invalid, NotJoined."""
    _refuse_no_reason(reason)
    room: Room = Room.objects.get(pk=room_id)
    game = Game(room.operator_id, room.game_id, {player.pk: player.external_id})
    leaving = operations.because(operations.leave(game, room.pk, [player.pk]), reason.strip())
    performing.perform(leaving, actor=actor, at=at)
    return room


def _refuse_no_reason(reason: str) -> None:
    if not 0 < len(reason.strip()) <= MAX_REASON:
        raise Invalid("A reason is needed.", fields={"reason": [f"1 to {MAX_REASON} characters."]})
