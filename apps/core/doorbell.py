"""Wake a worker early. Rows are the queue: a bell that is lost delays work until the next beat and loses nothing."""

from functools import partial

import structlog
from celery import current_app
from django.core.cache import cache
from django.db import transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

# How long one bell may stay unanswered before the next ring is let through again.
DEBOUNCE_SECONDS = 2


def ring(task: str, **ids: int) -> None:
    """Ask for `task(**ids)` once the running transaction has committed.

    Rings for the same task and ids collapse into one until a worker calls `answered`, so ten thousand writers do not
    put ten thousand messages on the broker. Never raises: the broker may be down while money moves.
    """
    transaction.on_commit(partial(_send, task, ids), robust=True)


def answered(task: str, **ids: int) -> None:
    """Let the next ring through. A task calls it first, so that a change made while it works rings again."""
    try:
        cache.delete(_key(task, ids))
    except RedisError as problem:
        log.warning("doorbell_not_reset", task=task, problem=str(problem))


def _key(task: str, ids: dict[str, int]) -> str:
    return ":".join(["doorbell", task, *(f"{name}={value}" for name, value in sorted(ids.items()))])


def _send(task: str, ids: dict[str, int]) -> None:
    try:
        if cache.add(_key(task, ids), 1, timeout=DEBOUNCE_SECONDS):
            current_app.send_task(task, kwargs=ids, retry=False)
    except (RedisError, OperationalError) as problem:
        log.warning("doorbell_not_heard", task=task, problem=str(problem))
