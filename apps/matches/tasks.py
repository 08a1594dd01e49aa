"""Doorbells of matches: ids in, one service call, safe to run twice."""

from typing import Any

from celery import shared_task

from apps.core import clock, doorbell
from apps.matches.services import delivering, notices, timekeeping

TICK = "matches.tick"


@shared_task(name=TICK)
def tick(**_future: Any) -> None:
    """Do what is due, and ring for every webhook call whose time has come; one worker at a time."""
    doorbell.attend(TICK, keep_time)


def keep_time() -> None:
    """What a tick does."""
    at = clock.now()
    timekeeping.tick(at=at)
    for notice_id in delivering.due(at):
        doorbell.ring(notices.DELIVER, notice_id=notice_id)


@shared_task(name=notices.DELIVER, acks_late=True)
def deliver(*, notice_id: int, **_future: Any) -> None:
    """Make one webhook call. Running it again before its next try is due changes nothing."""
    doorbell.answered(notices.DELIVER, notice_id=notice_id)
    delivering.deliver(notice_id, at=clock.now())
