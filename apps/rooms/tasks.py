"""Doorbells of rooms: ids in, one service call, safe to run twice."""

from typing import Any

from celery import shared_task

from apps.core import clock, doorbell
from apps.rooms.services import expiry, tasks

TICK = "rooms.tick"


@shared_task(name=TICK)
def tick(**_future: Any) -> None:
    """Ring for every room whose queue has something due, and notice what has expired; one worker at a time."""
    doorbell.attend(TICK, keep_time)


def keep_time() -> None:
    """What a tick does."""
    at = clock.now()
    for room_id in tasks.waiting(at=at):
        doorbell.ring(tasks.RUN, room_id=room_id)
    expiry.notice(at=at)


@shared_task(name=tasks.RUN, acks_late=True)
def run(*, room_id: int, **_future: Any) -> None:
    """Do what is due in one room's queue, then ring again if there may be more: other rooms have their turn between."""
    doorbell.answered(tasks.RUN, room_id=room_id)
    if tasks.execute_all(room_id, at=clock.now()):
        doorbell.ring(tasks.RUN, room_id=room_id)


@shared_task(name="rooms.forget_tasks")
def forget_tasks(**_future: Any) -> None:
    """Delete tasks that nobody will ask for any more."""
    tasks.forget(at=clock.now())
