"""Do operations now or in their room's turn, exactly once, and tell what became of them (rooms.md 3.0 and 4).

The contract between the dialect and this module:

* `submit(operation, params=…, sync=…)` returns the stored task. With `sync` and nothing queued before it in its room,
  the operation is done before it returns. Raises RoomError where the refusal is `early` (no task is left), and, unless
  `sync`, for everything else that is known to fail already; with `sync` the other refusals are a FAILED task.
* `wait(task, seconds=…)` returns the task when it has ended, or as it is when the time is over.
* `find(operator_id, game_id, public_id)` raises TaskNotFound.

A task's `result` is what rooms.md 3.1 to 3.11 answer: gameId, roomId, roomAddress, and where they apply plyrIds,
payments [{plyrId, token, amount}] and distributions [{plyrId, token, amount, fee, net}].
"""

from datetime import datetime
from typing import Any

from apps.core.actors import Actor
from apps.rooms.errors import TaskNotFound
from apps.rooms.models import Task
from apps.rooms.operations import Operation


def submit(
    operation: Operation, *, params: dict[str, Any], sync: bool, key: str | None = None, actor: Actor, at: datetime
) -> Task:
    """Do the operation, or put it into its room's queue. `key` asked for before returns that task."""
    raise NotImplementedError


def wait(task: Task, *, seconds: float) -> Task:
    """Return the task when it has ended, or as it is after `seconds`."""
    raise NotImplementedError


def find(*, operator_id: int, game_id: str, public_id: str) -> Task:
    """Return a task of the game. Raises TaskNotFound."""
    found: Task | None = Task.objects.for_operator(operator_id).filter(game_id=game_id, public_id=public_id).first()
    if found is None:
        raise TaskNotFound
    return found
