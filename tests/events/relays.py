"""Endpoints that lead to receivers of the test, and relays that run in threads of the test."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db.models import F

from apps.core import leash
from apps.core.actors import SYSTEM
from apps.events.models import Delivery, Endpoint
from apps.events.relay import webhooks
from apps.events.services import endpoints, numbering
from apps.operators.models import Operator
from config import addresses
from tests.events.factories import NOON, write
from tests.workers import database_url, eventually


def make(operator: Operator, url: str, events: list[str] | None = None, **more: Any) -> endpoints.Made:
    """An endpoint of the operator's, for every event unless told otherwise."""
    return endpoints.create_endpoint(operator.pk, url=url, events=events or ["*"], actor=SYSTEM, at=NOON, **more)


def tell(operator: Operator, *arguments: Any, **more: Any) -> list[Any]:
    """Facts, numbered and handed out."""
    told = write(operator, *arguments, **more)
    numbering.number_facts(operator.pk)
    return told


@contextmanager
def relaying(relays: int = 1, threads: int = 16) -> Iterator[threading.Event]:
    """Relays for the block. At its end they are told to stop, and have finished."""
    stop = threading.Event()
    running = [threading.Thread(target=webhooks.Relay(stop, threads).run, name=f"relay-{n}") for n in range(relays)]
    for thread in running:
        thread.start()
    try:
        yield stop
    finally:
        stop.set()
        for thread in running:
            thread.join()


@contextmanager
def relay_process() -> "Iterator[subprocess.Popen[bytes]]":
    """`manage.py relay` on the database of the test."""
    environment = {**os.environ, "DATABASE_URL": database_url(), "REDIS_URL": settings.REDIS_URL}
    environment.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
    process = subprocess.Popen(
        [sys.executable, "-P", leash.__file__, str(os.getpid()), sys.executable, "-m", "manage", "relay"],
        cwd=addresses.REPOSITORY,
        env=environment,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def states(endpoint: Endpoint) -> dict[str, int]:
    """How many deliveries of an endpoint stand where."""
    found: dict[str, int] = {}
    for status in Delivery.objects.filter(endpoint=endpoint).values_list("status", flat=True):
        found[status] = found.get(status, 0) + 1
    return found


def settled(endpoint: Endpoint, **wanted: int) -> None:
    """Return when an endpoint's deliveries stand as wanted: `settled(endpoint, DELIVERED=3)`."""
    eventually(lambda: states(endpoint) == wanted)


def make_due(**which: Any) -> None:
    """Let the time pass until the next try."""
    rows = Delivery.objects.filter(status="PENDING", leased_until=None, **which)
    rows.update(next_attempt_at=F("created_at"))
