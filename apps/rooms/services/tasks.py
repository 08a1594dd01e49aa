"""Do operations now or in their room's turn, exactly once, and tell what became of them (rooms.md 3.0 and 4).

The contract between the dialect and this module:

* `submit(operation, params=…, sync=…)` returns the stored task. With `sync` and nothing queued before it in its room,
  the operation is done before it returns. Raises RoomError where the refusal is `early` (no task is left), and, unless
  `sync`, for everything else that is known to fail already; with `sync` the other refusals are a FAILED task.
* `wait(task, seconds=…)` returns the task when it has ended, or as it is when the time is over.
* `find(operator_id=…, game_id=…, public_id=…)` raises TaskNotFound.

A task's `result` is what rooms.md 3.1 to 3.11 answer: gameId, roomId, roomAddress, and where they apply plyrIds,
payments [{plyrId, token, amount}] and distributions [{plyrId, token, amount, fee, net}].
"""

import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
import structlog
from django.db import IntegrityError, transaction

from apps.core import clock, doorbell
from apps.core.actors import Actor
from apps.jobs import services as jobs
from apps.ledger.services.journals import violated
from apps.rooms import errors
from apps.rooms.ground import Ground
from apps.rooms.lifecycle import TaskStatus
from apps.rooms.models import Room, Task
from apps.rooms.operations import Operation
from apps.rooms.services import leftovers, performing, receipts

log = structlog.get_logger(__name__)

# The bell of one room's queue; room 0 stands for the tasks that will create one.
RUN = "rooms.run"
KEY_ONCE = "rooms_task_key_once"
# A crash, not a refusal, is tried again after 1, 2, 4, … seconds, and ends the task after this many.
MAX_TRIES = 6
# Between two looks of somebody who waits.
LOOK_SECONDS = 0.05
KEPT = timedelta(days=30)
BATCH = 5000


def submit(
    operation: Operation,
    *,
    params: Mapping[str, Any],
    sync: bool,
    key: str | None = None,
    actor: Actor,
    at: datetime,
) -> Task:
    """Do the operation, or put it into its room's queue; see above. A `key` that was asked for before returns its task.

    Raises RoomError.
    """
    if key is not None and (first := _first(operation, key)):
        return first
    task = new_task(operation, params, key=key, actor=actor, at=at)
    try:
        try:
            if sync and operation.creates:
                performing.create_at_once(operation, task, actor=actor, at=at)
                return task
            return _submitted(operation, task, sync=sync, actor=actor, at=at)
        except errors.RoomBusy:
            return _queued_unseen(operation, new_task(operation, params, key=key, actor=actor, at=at))
        except errors.RoomError as refusal:
            if refusal.early or not sync:
                raise
            return _refused(new_task(operation, params, key=key, actor=actor, at=at), refusal, at=at)
    except IntegrityError as problem:
        if violated(problem) == KEY_ONCE and (first := _first(operation, key)):
            return first  # somebody asked for the same at the same time, and was quicker
        raise


@transaction.atomic
def _submitted(operation: Operation, task: Task, *, sync: bool, actor: Actor, at: datetime) -> Task:
    held = performing.hold(operation)
    if sync and not held.busy:
        performing.carry_out(operation, held, task, actor=actor, at=at)
        return task
    if not held.busy:
        _would_succeed(operation, held, actor=actor, at=at)
    enqueue(task, operation)
    return task


@transaction.atomic
def _queued_unseen(operation: Operation, task: Task) -> Task:
    """Queue an operation whose room somebody holds for long: what stands against it is found in its turn."""
    if operation.room_id is not None:
        get_room(operator_id=operation.operator_id, game_id=operation.game_id, room_id=operation.room_id)
    enqueue(task, operation)
    return task


def enqueue(task: Task, operation: Operation) -> None:
    """Put a new task at the end of its room's queue; the caller holds the room, if it is to be had."""
    task.request = msgspec.to_builtins(operation, str_keys=True)
    task.save(force_insert=True)
    doorbell.ring(RUN, room_id=operation.room_id or 0)


def _would_succeed(operation: Operation, held: Ground, *, actor: Actor, at: datetime) -> None:
    """Do the operation and undo it: what fails already need not wait for its turn. Raises RoomError."""
    with transaction.atomic():
        performing.carry_out(operation, held, None, actor=actor, at=at)
        transaction.set_rollback(True)


def new_task(
    operation: Operation, params: Mapping[str, Any], *, key: str | None = None, actor: Actor, at: datetime
) -> Task:
    """Return the task of an operation, not stored yet."""
    return Task(
        operator_id=operation.operator_id,
        public_id=receipts.task_id(at),
        game_id=operation.game_id,
        room_id=operation.room_id,
        key=key,
        method=operation.method,
        params=dict(params),
        actor=str(actor),
        due_at=at,
        created_at=at,
    )


def _first(operation: Operation, key: str | None) -> Task | None:
    found: Task | None = (
        Task.objects.for_operator(operation.operator_id).filter(game_id=operation.game_id, key=key).first()
    )
    return found


@transaction.atomic
def _refused(task: Task, refusal: errors.RoomError, *, at: datetime) -> Task:
    """Store the task of an operation that was refused after its room was found."""
    _note_refusal(task, refusal, at=at)
    if isinstance(refusal, errors.RoomNotFound):
        task.room_id = None
    task.save(force_insert=True)
    return task


def _note_refusal(task: Task, refusal: errors.RoomError, *, at: datetime) -> None:
    task.fail(at=at)
    task.error_code, task.error_message, task.error_hint = refusal.code, refusal.message, refusal.hint
    task.error_details = dict(refusal.details)


ENDED_FIELDS = (
    "status", "completed_at", "error_code", "error_message", "error_hint", "error_details",
)  # fmt: skip


def execute_next(room_id: int, *, at: datetime) -> bool:
    """Do the task whose turn it is in a room (0: among those that create one); tell whether there may be more to do.

    Safe to call from any number of workers: what a task does and that it has ended commit together, and its row is held
    meanwhile. A refusal ends the task as FAILED. A crash leaves it in the queue with its next try booked; the last one
    ends it too, so that everybody who polls gets an end.
    """
    task = _booked(room_id, at=at)
    if task is None:
        return False
    try:
        _execute(task.pk, at=at)
    except errors.RoomBusy:
        _put_back(task, at=at)
        return False
    except Exception as problem:
        log.exception("room_task_crashed", task=task.public_id, tries=task.tries)
        if task.tries >= MAX_TRIES:
            _give_up(task.pk, problem, at=at)
    return True


@transaction.atomic
def _booked(room_id: int, *, at: datetime) -> Task | None:
    """Return the head of the queue with its next try booked, or None if it is empty, not due, or somebody is at it."""
    queue = Task.objects.filter(status=TaskStatus.QUEUED).order_by("pk")
    queue = queue.filter(room_id=room_id) if room_id else queue.filter(room=None)
    if room_id:
        # The order holds: whoever follows a head that is not due, or that somebody is at, waits.
        head = queue.only("pk", "due_at").first()
        if head is None or head.due_at > at:
            return None
        queue = queue.filter(pk=head.pk)
    task: Task | None = queue.filter(due_at__lte=at).select_for_update(skip_locked=True).first()
    if task is not None:
        task.tries += 1
        task.due_at = at + timedelta(seconds=2 ** (task.tries - 1))
        task.save(update_fields=["tries", "due_at"])
    return task


def _put_back(task: Task, *, at: datetime) -> None:
    """Undo the booking of a try that never began: waiting for a room is no crash, however long it takes."""
    waiting_still = Task.objects.filter(pk=task.pk, status=TaskStatus.QUEUED, tries=task.tries)
    waiting_still.update(tries=task.tries - 1, due_at=at)


@transaction.atomic
def _execute(task_id: int, *, at: datetime) -> None:
    """Do a task, if it still waits, with the room held before the task, as everybody does."""
    request, who = Task.objects.values_list("request", "actor").get(pk=task_id)
    operation: Operation = msgspec.convert(request, Operation, str_keys=True)
    actor = Actor(*who.split(":", 1))
    try:
        with transaction.atomic():
            operation = leftovers.resolved(operation, at=at)
            held = performing.hold(operation)
            task = Task.objects.select_for_update().get(pk=task_id)
            if task.status == TaskStatus.QUEUED:
                performing.carry_out(operation, held, task, actor=actor, at=at)
                _tell_job(task, operation, at=at)
    except errors.RoomError as refusal:
        _fail(task_id, refusal, operation, at=at)


def _fail(task_id: int, refusal: errors.RoomError, operation: Operation, *, at: datetime) -> None:
    task = Task.objects.select_for_update().get(pk=task_id)
    if task.status == TaskStatus.QUEUED:
        _note_refusal(task, refusal, at=at)
        task.save(update_fields=ENDED_FIELDS)
        _tell_job(task, operation, at=at)


def _tell_job(task: Task, operation: Operation, *, at: datetime) -> None:
    """End the job that staff watch with the task that does it."""
    if not operation.sweep:
        return
    key = leftovers.job_key(task)
    if task.status == TaskStatus.FAILED:
        jobs.fail(task.operator_id, key, error=task.error_message, at=at)
        return
    lines = len(operation.earns)
    jobs.report(task.operator_id, key, done=lines, total=lines, finished=True, at=at, **task.result)


@transaction.atomic
def _give_up(task_id: int, problem: Exception, *, at: datetime) -> None:
    request = Task.objects.values_list("request", flat=True).get(pk=task_id)
    operation = msgspec.convert(request, Operation, str_keys=True)
    _fail(task_id, errors.TaskFailed(kind=type(problem).__name__), operation, at=at)


def execute_all(room_id: int, *, at: datetime, most: int = 200) -> bool:
    """Do a room's tasks in their order, at most so many; tell whether some may be left."""
    return all(execute_next(room_id, at=at) for _ in range(most))


def waiting(*, at: datetime, most: int = 1000) -> list[int]:
    """Return the rooms (0: those to be created) whose queues have something due, for the beat to ring for."""
    due = Task.objects.filter(status=TaskStatus.QUEUED, due_at__lte=at)
    rooms = due.order_by().values_list("room_id", flat=True).distinct()[:most]
    return sorted({room_id or 0 for room_id in rooms})


def wait(task: Task, *, seconds: float) -> Task:
    """Return the task when it has ended, or as it is when the time is over.

    Whoever waits lends a hand: it does what is due in the room's queue, so it needs no worker.
    """
    until = time.monotonic() + seconds
    while task.status == TaskStatus.QUEUED:
        execute_all(task.room_id or 0, at=clock.now(), most=20)
        task = Task.objects.get(pk=task.pk)
        if task.status != TaskStatus.QUEUED or time.monotonic() >= until:
            break
        time.sleep(LOOK_SECONDS)
    return task


def find(*, operator_id: int, game_id: str, public_id: str) -> Task:
    """Return a task of the game. Raises TaskNotFound."""
    found: Task | None = Task.objects.for_operator(operator_id).filter(game_id=game_id, public_id=public_id).first()
    if found is None:
        raise errors.TaskNotFound
    return found


def forget(*, at: datetime) -> int:
    """Delete tasks that ended and are older than 30 days, in batches so that no lock is held long; return how many."""
    forgotten = 0
    while True:
        old = Task.objects.filter(created_at__lt=at - KEPT).exclude(status=TaskStatus.QUEUED)
        deleted, _ = Task.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:BATCH])).delete()
        forgotten += deleted
        if deleted < BATCH:
            return forgotten


def get_room(*, operator_id: int, game_id: str, room_id: int) -> Room:
    """Return a room of the game. Raises RoomNotFound."""
    found: Room | None = Room.objects.of_game(operator_id, game_id).filter(pk=room_id).first()
    if found is None:
        raise errors.RoomNotFound(f"Room not found: {room_id}")
    return found
