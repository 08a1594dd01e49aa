"""`manage.py relay`: carries facts out of the house. Every area that has something to carry adds its carrier here."""

import signal
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import structlog
from django.core.management import BaseCommand
from django.db import connection

from apps.core.actors import Actor
from apps.events.relay import sqs_in, sqs_out, webhooks
from apps.rounds.channels import consuming
from apps.tournaments.services.intake.messages import take_message

log = structlog.get_logger(__name__)

# Works until the event is set, then finishes what it has begun and returns.
Carrier = Callable[[threading.Event], None]

CARRIERS: Mapping[str, Carrier] = {
    "webhooks": webhooks.run,
    "queues": sqs_out.run,
    "round channels": lambda stop: consuming.crew().run(stop),
    "incoming queues": sqs_in.carrier(partial(take_message, actor=Actor("game", "queue"))),
}

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0


class Command(BaseCommand):
    """Run every carrier in a thread of its own, until told to stop. Several relays may run side by side."""

    help = "Carries facts to webhooks and queues, and game events and rounds from queues, until told to stop."

    def handle(self, **_: Any) -> None:
        """Return when all carriers have finished."""
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        threads = [
            threading.Thread(target=keep, args=(name, carrier, stop), name=name) for name, carrier in CARRIERS.items()
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():  # in turns: a join without end would keep signals waiting
                thread.join(0.5)


def keep(name: str, carrier: Carrier, stop: threading.Event) -> None:
    """Run one carrier; one that fails begins again after a pause, and the others go on meanwhile."""
    pause = FIRST_PAUSE
    while not stop.is_set():
        try:
            carrier(stop)
        except Exception:
            log.exception("carrier_failed", carrier=name)
        finally:
            connection.close()
        if stop.wait(pause):
            return
        pause = min(pause * 2, LONGEST_PAUSE)
