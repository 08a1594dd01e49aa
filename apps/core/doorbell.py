"""Wake a worker early. Rows are the queue: a bell that is lost delays work until the next beat and loses nothing.

A bell is a task with its ids. It has two marks in Redis, both of which run out by themselves: *rung* (a message is on
its way, or somebody is at it; further rings need none) and *attended* (a worker is at it).
"""

import threading
import time
from collections.abc import Callable
from functools import lru_cache

import structlog
from celery import current_app
from django.db import connection, transaction
from kombu import pools
from kombu.connection import Connection
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from apps.core import redis

log = structlog.get_logger(__name__)

# A ring that nobody answered lets the next one through after this long.
RUNG_SECONDS = 2
# A worker that was killed keeps others away from its bell for no longer than this.
ATTENDED_SECONDS = 5
# Turns in a row before a worker makes way for what else is queued.
TURNS = 5

# What a ring may cost whoever wrote something: Celery's own defaults would let an unreachable broker hold the request
# for many seconds, or for ever. After a failure this process stays silent for a while, so not every request pays it.
CONNECT_SECONDS = 0.25
SEND_SECONDS = 0.5
SILENT_SECONDS = 5.0
NO_PATIENCE = {"max_retries": 0, "interval_start": 0, "interval_step": 0, "interval_max": 0}
TROUBLE = (RedisError, KombuError, OSError)

_silent_until = 0.0


def ring(task: str, **ids: int) -> None:
    """Ask for `task(**ids)` once the running transaction has committed; not at all if it rolls back.

    Rings for the same task and ids collapse into one message until a worker answers, so ten thousand writers do not put
    ten thousand messages on the broker. Never raises, and never waits long: the broker may be down while money moves.
    """
    bell = _name(task, ids)
    here = set(connection.savepoint_ids)
    for savepoints, hook, *_ in connection.run_on_commit:
        # One that would be forgotten only together with ours already rings for us.
        if getattr(hook, "bell", None) == bell and savepoints <= here:
            return

    def send() -> None:
        _send(task, ids)

    send.bell = bell  # type: ignore[attr-defined]
    transaction.on_commit(send, robust=True)


class Often:
    """A bell that one process rings many times a second: what rings soon after a ring goes together, as one ring.

    No ring is lost: the one that stands for others is sent after all of them, `seconds` later at most.
    """

    def __init__(self, task: str, *, seconds: float) -> None:
        """Remember what to ring."""
        self.task = task
        self.seconds = seconds
        self._lock = threading.Lock()
        self._quiet_until = 0.0
        self._waits = False

    def ring(self) -> None:
        """Ring as `ring` does; in a transaction, once it has committed."""
        if connection.in_atomic_block:
            ring(self.task)
            return
        with self._lock:
            if self._waits:
                return
            pause = self._quiet_until - time.monotonic()
            if pause <= 0:
                self._quiet_until = time.monotonic() + self.seconds
            else:
                self._waits = True
        if pause <= 0:
            _send(self.task, {})
        else:
            later = threading.Timer(pause, self._ring_for_all)
            later.daemon = True
            later.start()

    def _ring_for_all(self) -> None:
        with self._lock:
            self._waits = False
            self._quiet_until = time.monotonic() + self.seconds
        _send(self.task, {})


def answered(task: str, **ids: int) -> None:
    """Let the next ring through. A task calls it first, so that a change committed while it works rings again."""
    try:
        redis.client().delete(_rung(task, ids))
    except RedisError as problem:
        log.warning("doorbell_not_answered", task=task, problem=str(problem))


def attend(task: str, work: Callable[[], object], **ids: int) -> None:
    """Answer the bell and do the work, again for as long as it rings meanwhile, and as the only worker who does.

    For work that one worker does best, and that is asked for without pause: a second worker who hears the bell leaves
    at once, without answering it, and the first looks once more before it leaves. Nobody may rely on being alone:
    without Redis, or when the mark runs out, two work side by side. What `work` raises is raised, and the bell can ring
    again.
    """
    for _ in range(TURNS):
        if not _take(task, ids):
            return
        try:
            answered(task, **ids)
            work()
        finally:
            _leave(task, ids)
        if not _is_rung(task, ids):
            return
    answered(task, **ids)
    ring(task, **ids)


def _name(task: str, ids: dict[str, int]) -> str:
    return ":".join([task, *(f"{name}={value}" for name, value in sorted(ids.items()))])


def _rung(task: str, ids: dict[str, int]) -> str:
    return f"podium:doorbell:rung:{_name(task, ids)}"


def _attended(task: str, ids: dict[str, int]) -> str:
    return f"podium:doorbell:attended:{_name(task, ids)}"


def _send(task: str, ids: dict[str, int]) -> None:
    global _silent_until  # noqa: PLW0603 - one process, one patience
    if time.monotonic() < _silent_until:
        return
    try:
        marks = redis.client()
        # Whoever attends the bell looks at it once more after leaving, so the mark is enough. In this order: either
        # they see our mark, or we see that they have left.
        if marks.set(_rung(task, ids), 1, nx=True, ex=RUNG_SECONDS) and not marks.exists(_attended(task, ids)):
            _publish(task, ids)
    except TROUBLE as problem:
        _silent_until = time.monotonic() + SILENT_SECONDS
        log.warning("doorbell_not_heard", task=task, problem=str(problem))


def _publish(task: str, ids: dict[str, int]) -> None:
    with pools.producers[_broker()].acquire(block=True, timeout=CONNECT_SECONDS) as producer:
        # A connection that idled while the broker restarted gets one more try; a broker that is gone gets none.
        retry = {**NO_PATIENCE, "max_retries": 1}
        current_app.send_task(task, kwargs=ids, producer=producer, retry=True, retry_policy=retry)


@lru_cache(maxsize=1)
def _broker() -> Connection:
    """The address of the broker with our short patience; the pool opens its connections from it."""
    address: Connection = current_app.connection_for_write(
        connect_timeout=CONNECT_SECONDS,
        transport_options={
            **NO_PATIENCE,
            "socket_connect_timeout": CONNECT_SECONDS,
            "socket_timeout": SEND_SECONDS,
        },
    )
    return address


def _take(task: str, ids: dict[str, int]) -> bool:
    try:
        return bool(redis.client().set(_attended(task, ids), 1, nx=True, ex=ATTENDED_SECONDS))
    except RedisError:
        return True


def _leave(task: str, ids: dict[str, int]) -> None:
    try:
        redis.client().delete(_attended(task, ids))
    except RedisError as problem:
        log.warning("doorbell_not_left", task=task, problem=str(problem))


def _is_rung(task: str, ids: dict[str, int]) -> bool:
    """Asked after leaving: whoever rings from here on finds nobody there, and a worker of its own."""
    try:
        return bool(redis.client().exists(_rung(task, ids)))
    except RedisError:
        return False
