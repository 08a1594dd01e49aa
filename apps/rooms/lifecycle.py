"""The life of a room and of a task. Transitions change their own row and nothing else.

A room: OPEN → ENDED. That it has expired is no state: it only refuses to be joined or paid, and it comes by itself.
A task: QUEUED → SUCCEEDED | FAILED. It is never seen RUNNING: what it does and how it ended commit together.
"""

from datetime import datetime

import django_fsm as fsm
from django.db import models


class RoomStatus(models.TextChoices):
    """Where a room stands."""

    OPEN = "OPEN", "Open"
    ENDED = "ENDED", "Ended"


class TaskStatus(models.TextChoices):
    """Where a task stands: the words of jobs."""

    QUEUED = "QUEUED", "Queued"
    SUCCEEDED = "SUCCEEDED", "Succeeded"
    FAILED = "FAILED", "Failed"


ROOM_EDGES = ((RoomStatus.OPEN, RoomStatus.ENDED),)
TASK_EDGES = ((TaskStatus.QUEUED, TaskStatus.SUCCEEDED), (TaskStatus.QUEUED, TaskStatus.FAILED))


class RoomLifecycle(models.Model):
    """States and edges of a room."""

    status = fsm.FSMField(max_length=5, choices=RoomStatus.choices, default=RoomStatus.OPEN, protected=True)
    ended_at: datetime | None

    class Meta:
        abstract = True

    @fsm.transition(field=status, source=RoomStatus.OPEN, target=RoomStatus.ENDED)
    def end(self, *, at: datetime) -> None:
        """Nothing moves in or out of it any more. Whoever ends it has seen that it is empty."""
        self.ended_at = at


class TaskLifecycle(models.Model):
    """States and edges of a task."""

    status = fsm.FSMField(max_length=9, choices=TaskStatus.choices, default=TaskStatus.QUEUED, protected=True)
    completed_at: datetime | None

    class Meta:
        abstract = True

    @fsm.transition(field=status, source=TaskStatus.QUEUED, target=TaskStatus.SUCCEEDED)
    def succeed(self, *, at: datetime) -> None:
        """What it asked for is done."""
        self.completed_at = at

    @fsm.transition(field=status, source=TaskStatus.QUEUED, target=TaskStatus.FAILED)
    def fail(self, *, at: datetime) -> None:
        """It was refused, and nothing of it is done."""
        self.completed_at = at
