"""Doorbells of rumble tournaments."""

from celery import shared_task

from apps.core import clock, doorbell
from apps.rumble.services import stopping


@shared_task(name=stopping.TICK)
def tick(**_: object) -> None:
    """Give back containers whose lifetime is over or whose application is gone; one worker at a time."""
    doorbell.attend(stopping.TICK, lambda: stopping.tick(at=clock.now()))
