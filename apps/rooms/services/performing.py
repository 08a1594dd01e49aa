"""Do an operation: hold the room, decide, write. One transaction, two statements (rooms.md 6.1)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, OperationalError, connection, transaction

from apps.core import ids
from apps.core.actors import Actor
from apps.core.exact import dumps
from apps.events.services import recording as events
from apps.ledger.models import AccountKind
from apps.ledger.models.books import BOUNDED, HOT_SLOTS
from apps.ledger.services.journals import OVERDRAWN, violated
from apps.rooms import errors, facts, ground, rules
from apps.rooms.ground import Ground
from apps.rooms.lifecycle import TaskStatus
from apps.rooms.models import Room, Task
from apps.rooms.operations import Operation
from apps.rooms.rules import Change

# The first column comes first: the patience holds for the locks of the second, and for the rest of the transaction.
HOLD = """
    SELECT set_config('lock_timeout', %s, TRUE),
           rooms_hold(%s, %s, %s, %s::bigint[], %s::bigint[], %s::text[], %s)
"""
WRITE = "SELECT set_config('lock_timeout', %s, TRUE), rooms_write(%s::jsonb)"
# The constraint that speaks when a player revoked, or spent elsewhere, what an operation had seen.
OVERSPENT = "rooms_allowance_not_negative"
# How long an operation waits for whoever holds its room: operations take milliseconds, so more is somebody stuck.
PATIENCE = "2s"
LOCK_NOT_AVAILABLE = "55P03"


@contextmanager
def patience() -> Iterator[None]:
    """Raise RoomBusy when a lock was not to be had in time; the transaction is broken then."""
    try:
        yield
    except OperationalError as problem:
        if getattr(problem.__cause__, "sqlstate", None) == LOCK_NOT_AVAILABLE:
            raise errors.RoomBusy from problem
        raise


def hold(operation: Operation) -> Ground:
    """Lock what the operation changes and read what it needs. Raises RoomNotFound, and RoomBusy after a while."""
    codes = {entry.asset_code for entry in (*operation.pays, *operation.earns)}
    parameters: list[Any] = [
        PATIENCE,
        operation.operator_id,
        operation.game_id,
        operation.room_id,
        sorted(rules.players_of(operation)),
        sorted({entry.player_id for entry in operation.pays if entry.player_id is not None}),
        sorted(codes),
        rules.house_subject(operation.game_id) if operation.earns else None,
    ]
    with patience(), connection.cursor() as cursor:
        cursor.execute(HOLD, parameters)
        held = ground.decode(cursor.fetchone()[1])
    if held.room is None:
        raise errors.RoomNotFound(f"Room not found: {operation.room_id}")
    return held


@transaction.atomic
def perform(operation: Operation, *, actor: Actor, at: datetime) -> dict[str, Any]:
    """Do an operation at once, whatever is queued, and return what it answers. Raises RoomError; then nothing is done.

    For staff and tests: games' operations have a task (`services.tasks`).
    """
    return carry_out(operation, hold(operation), None, actor=actor, at=at)


def create_at_once(operation: Operation, task: Task, *, actor: Actor, at: datetime) -> None:
    """Do an operation that creates its room. Two statements, of which the second is the whole transaction.

    Nobody else can hold the room, and what players may have spent or revoked since the first statement the second one
    refuses, so nothing need be locked between them. Raises as `carry_out` does.
    """
    # Inside somebody's transaction a refusal must leave that one whole.
    with transaction.atomic() if connection.in_atomic_block else nullcontext():
        carry_out(operation, hold(operation), task, actor=actor, at=at)


def carry_out(operation: Operation, held: Ground, task: Task | None, *, actor: Actor, at: datetime) -> dict[str, Any]:
    """Decide and write, in the transaction that holds the ground; `task` ends as SUCCEEDED with it.

    A task without a key is written whole. Raises RoomError with nothing written; InsufficientBalance and
    AllowanceInsufficient also when somebody took what was seen here, and then the transaction is broken: let it roll
    back.
    """
    room = _room(operation, held, at)
    change = rules.decide(operation, held, room, at=at)
    if change.ends:
        room.end(at=at)
    answer = rules.answer(operation, held, room, change)
    if task is not None:
        task.succeed(at=at)
        task.room_id, task.result = room.pk, answer
    task_id = task.public_id if task else None
    whole = {
        "operator": operation.operator_id,
        "game": operation.game_id,
        "actor": str(actor),
        "request": actor.request_id,
        "at": at,
        "action": operation.action,
        "room": {
            "id": room.pk,
            "new": operation.creates,
            "status": room.status,
            "max_players": room.max_players,
            "expires_at": room.expires_at,
            "ended_at": room.ended_at if change.ends else None,
        },
        "joins": change.joins,
        "leaves": change.leaves,
        "takes": [(allowance_id, str(units)) for allowance_id, units in sorted(change.takes.items())],
        **_movement(operation, held, room, change, act=task_id or ids.token(16)),
        "facts": events.prepared(facts.of_operation(operation, room, change, answer, task_id=task_id), at=at),
        "activity": _activity(operation, room, answer, task_id),
        "task": _row(task) if task else None,
    }
    written = _write(whole)
    events.announce()
    if task is not None:
        task.pk = written
    return answer


def _write(change: Mapping[str, Any]) -> int | None:
    try:
        with patience(), connection.cursor() as cursor:
            cursor.execute(WRITE, [PATIENCE, dumps(change)])
            found: int | None = cursor.fetchone()[1]
            return found
    except IntegrityError as problem:
        if violated(problem) == OVERDRAWN:
            # Rooms are held, so it is a wallet: another room was quicker to take what we had seen.
            raise errors.InsufficientBalance from problem
        if violated(problem) == OVERSPENT:
            raise errors.AllowanceInsufficient from problem
        raise


def _room(operation: Operation, held: Ground, at: datetime) -> Room:
    row = held.room
    assert row is not None  # noqa: S101 - hold() has refused a missing room
    if operation.creates:
        capacity = held.capacity if operation.max_players is None else operation.max_players
        row.max_players, row.expires_at = capacity, at + timedelta(seconds=operation.lifetime)
    return Room(
        id=row.id,
        operator_id=operation.operator_id,
        game_id=operation.game_id,
        status=row.status,
        max_players=row.max_players,
        expires_at=row.expires_at,
    )


def _movement(operation: Operation, held: Ground, room: Room, change: Change, *, act: str) -> dict[str, Any]:
    """Return the journal, and the accounts that it needs and that are missing, in one order for everybody."""
    legs: list[tuple[Any, ...]] = []
    missing: list[tuple[Any, ...]] = []
    for (kind, subject, asset_id), account, units in rules.legs_of(change, held):
        legs.append((account.id if account else None, kind, subject, asset_id, str(units)))
        if account is None:
            slots = 1 if kind in {AccountKind.PLAYER, AccountKind.ESCROW} else HOT_SLOTS
            missing.append((kind, subject, asset_id, kind in BOUNDED, slots))
    if not legs:
        return {"accounts": [], "journal": None}
    step = operation.sweep or ("pay" if operation.pays else "earn")
    key = f"{room.subject}:{step}:{act}"
    journal = {"kind": f"room.{step}", "key": key, "memo": operation.reason, "legs": legs}
    return {"accounts": sorted(missing), "journal": journal}


def _activity(
    operation: Operation, room: Room, answer: Mapping[str, Any], task_id: str | None
) -> list[tuple[int, dict[str, Any]]]:
    """Return a line for everybody the operation was about, with the amounts that were theirs."""
    lines: dict[int, list[dict[str, Any]]] = {player_id: [] for player_id in (*operation.joins, *operation.leaves)}
    told = answer.get("payments") or answer.get("distributions") or ()
    for entry, line in zip(operation.pays or operation.earns, told, strict=True):
        if entry.player_id is not None:
            lines.setdefault(entry.player_id, []).append({"token": line["token"], "amount": line["amount"]})
    about = {"roomId": str(room.pk), "taskId": task_id}
    return [(player_id, {**about, "entries": entries}) for player_id, entries in lines.items()]


def _row(task: Task) -> dict[str, Any]:
    return {
        "id": task.pk,
        "public_id": task.public_id,
        "key": task.key,
        "method": task.method,
        "params": task.params,
        "status": TaskStatus(task.status),
        "result": task.result,
    }
