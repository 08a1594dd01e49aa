"""Doorbells of rumble tournaments."""

from celery import shared_task

from apps.core import clock, doorbell
from apps.core.actors import SYSTEM
from apps.rumble.services import browsers, connections, stopping


@shared_task(name=stopping.TICK)
def tick(**_: object) -> None:
    """Give back containers whose lifetime is over or whose application is gone; one worker at a time."""
    doorbell.attend(stopping.TICK, lambda: stopping.tick(at=clock.now()))


@shared_task(name="rumble.expire_codes")
def expire_codes(**_: object) -> None:
    """Tell applications of connection codes that nobody entered in time."""
    connections.expire_codes(actor=SYSTEM, at=clock.now())


@shared_task(name="rumble.forget_browsers")
def forget_browsers(**_: object) -> None:
    """Drop the rows of sign-in links and browser sessions that ended long ago."""
    browsers.forget(at=clock.now())
