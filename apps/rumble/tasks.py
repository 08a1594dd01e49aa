"""Doorbells of rumble tournaments."""

from celery import shared_task

from apps.core import clock, doorbell
from apps.rumble.services import stopping

TICK = "rumble.tick"


@shared_task(name=TICK)
def tick(**_: object) -> None:
    """Give back containers whose lifetime is over or whose application is gone; one worker at a time."""
    doorbell.attend(TICK, lambda: stopping.tick(at=clock.now()))
