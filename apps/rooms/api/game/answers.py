"""What a task answers: to whoever waits for it, and to whoever asks later (rooms.md 3.0 and 4)."""

from collections.abc import Mapping
from typing import Any

from apps.rooms.api import values
from apps.rooms.api.errors import body_of
from apps.rooms.lifecycle import TaskStatus
from apps.rooms.models import Task

WORDS = {TaskStatus.QUEUED: "PENDING", TaskStatus.SUCCEEDED: "SUCCESS", TaskStatus.FAILED: "FAILED"}
TIMEOUT = "TIMEOUT"
LATE = "The operation is still in progress and may still succeed; ask for the task by its id."
LATE_HINT = "Poll GET /task/status/{taskId} until it says SUCCESS or FAILED; do not send the operation again."
# Amounts inside a result's lines.
AMOUNTS = ("amount", "fee", "net")


def queued(task: Task) -> dict[str, Any]:
    """Return what is answered at once: the task's id (rooms.md 3.0.1)."""
    return {"task": {"id": task.public_id, "status": "PENDING"}}


def ended(task: Task) -> tuple[int, dict[str, Any]]:
    """Return the answer to who waited: what was done and the record of the task, or why not (rooms.md 3.0.2 on)."""
    status = TaskStatus(task.status)
    if status == TaskStatus.SUCCEEDED:
        return 200, {name: value for name, value in _result(task).items() if name != "gameId"} | record(task)
    if status == TaskStatus.FAILED:
        return 400, record(task)
    body = body_of(LATE, code="TASK_TIMEOUT", hint=LATE_HINT)
    body |= {"taskId": task.public_id, "status": TIMEOUT, "errorMessage": LATE, **queued(task)}
    return 504, body


def record(task: Task) -> dict[str, Any]:
    """Return the record of a task (rooms.md 4), in every shape that clients know."""
    status = TaskStatus(task.status)
    told: dict[str, Any] = {"taskId": task.public_id, "status": WORDS[status], "taskData": _data(task)}
    if status == TaskStatus.QUEUED:
        return told
    told |= {"hash": task.hash, "completedAt": values.moment(task.completed_at)}
    if status == TaskStatus.SUCCEEDED:
        return told | {"result": _result(task)}
    details = task.error_details if isinstance(task.error_details, Mapping) else {}
    failure = body_of(
        task.error_message,
        code=task.error_code,
        hint=task.error_hint,
        errors=details.get("errors", ()),
        details=details,
    )
    return failure | told | {"errorMessage": task.error_message}


def _data(task: Task) -> dict[str, Any]:
    params = dict(task.params)
    data = {"0": task.method, "1": params, "method": task.method, "body": params}
    return data | ({"result": _result(task)} if task.status == TaskStatus.SUCCEEDED else {})


def _result(task: Task) -> dict[str, Any]:
    found: dict[str, Any] = dict(task.result)
    for name in ("payments", "distributions"):
        if name in found:
            found[name] = [
                {key: values.exact(value) if key in AMOUNTS else value for key, value in line.items()}
                for line in found[name]
            ]
    return found
