"""Read what game platforms put on queues: hand it over, and delete it once that has committed (operators.md 6).

The queue keeps the order of a group: while a message of it is out, nobody gets the next. What is not well formed is
given back at once, so that the queue soon moves it to its dead letters; what failed here comes back after the queue's
visibility timeout. Several relays read side by side.
"""

import threading
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import structlog
from django.db import connection

from apps.core import clock
from apps.core.api.json import loads
from apps.core.crew import Crew
from apps.core.errors import DomainError
from apps.events.models import InboundQueue
from apps.events.relay import sqs
from apps.events.services import receiving

log = structlog.get_logger(__name__)

# The longest pause after failures, in seconds.
LONGEST_PAUSE = 30.0

# Takes one decoded message, in one transaction: `take(body, within=, at=)`. `within` is the only operator it may
# reach, None all. Raises DomainError for what will never be well formed.
Take = Callable[..., Any]


def carrier(take: Take) -> Callable[[threading.Event], None]:
    """Return the carrier of incoming queues; whoever composes the areas says who takes what comes."""
    return Crew("incoming queue", receiving.enabled_ids, partial(_read, take)).run


def _read(take: Take, pk: int, told: threading.Event) -> None:
    pause = 0.0
    while not told.wait(pause):
        try:
            # The wait is the longest part of all: nobody should lack a connection meanwhile.
            read_once(pk, take, before_wait=connection.close)
            pause = 0.0
        except sqs.Trouble as problem:
            pause = min(max(1.0, pause * 2), LONGEST_PAUSE)
            log.warning("incoming_queue_not_reached", queue=pk, problem=str(problem))
        except Exception:
            pause = min(max(1.0, pause * 2), LONGEST_PAUSE)
            log.exception("incoming_queue_failed", queue=pk)
        finally:
            connection.close()


def read_once(
    queue_id: int,
    take: Take,
    *,
    wait: int = sqs.WAIT_SECONDS,
    before_wait: Callable[[], None] = lambda: None,
    now: Callable[[], datetime] = clock.now,
) -> int:
    """Receive once and take what came, in its order; return how many messages were taken. Raises sqs.Trouble."""
    queue = receiving.current(queue_id)
    if queue is None:
        return 0
    before_wait()
    try:
        received = sqs.receive(queue, wait=wait)
        return _take_all(queue, received, take, now) if received else _well(queue, now)
    except sqs.Trouble as problem:
        receiving.note_trouble(queue, error=str(problem), at=now())
        raise


def _well(queue: InboundQueue, now: Callable[[], datetime]) -> int:
    if queue.failures:
        receiving.note_taken(queue, taken=0, at=now())
    return 0


def _take_all(queue: InboundQueue, received: list[sqs.Received], take: Take, now: Callable[[], datetime]) -> int:
    taken = 0
    failed: set[str] = set()
    for one in received:
        # Behind a message that failed here its group waits, or its events would be taken out of order.
        if one.group in failed:
            continue
        try:
            take(loads(one.body.encode()), within=queue.operator_id, at=now())
        except (DomainError, ValueError) as problem:
            log.warning("game_message_malformed", queue=queue.pk, message=one.id, times=one.times, problem=str(problem))
            receiving.note_malformed(queue, error=f"{one.id}: {problem}", first=one.times == 1, at=now())
            sqs.give_back(queue, one)
        except Exception as problem:
            log.exception("game_message_failed", queue=queue.pk, message=one.id)
            receiving.note_trouble(queue, error=f"{one.id}: {type(problem).__name__}", at=now())
            failed.add(one.group)
        else:
            sqs.delete(queue, one)
            taken += 1
    if taken:
        receiving.note_taken(queue, taken=taken, at=now())
    return taken
