"""Tasks of what was done at once and outside of any room, so that a client that polls gets its end (rooms.md 4)."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from apps.core.actors import Actor
from apps.rooms.models import Task


def task_id(at: datetime) -> str:
    """Return a new id in the form that tasks have."""
    return f"{int(at.timestamp() * 1000)}-{secrets.randbelow(10**20):020d}"


def done(
    public_id: str,
    *,
    operator_id: int,
    game_id: str,
    method: str,
    params: Mapping[str, Any],
    result: Mapping[str, Any],
    actor: Actor,
    at: datetime,
) -> Task:
    """Store a task that has succeeded, in the transaction of what it did."""
    task = Task(
        public_id=public_id,
        operator_id=operator_id,
        game_id=game_id,
        method=method,
        params=dict(params),
        result=dict(result),
        actor=str(actor),
        due_at=at,
        created_at=at,
    )
    task.succeed(at=at)
    task.save(force_insert=True)
    return task
