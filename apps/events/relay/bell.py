"""Hear that there are new facts, or other work for a relay. Only a hint: relays look by themselves, too."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from redis.exceptions import RedisError

from apps.core import redis
from apps.events.wake import channel_of

log = structlog.get_logger(__name__)

ANY_OPERATOR = channel_of(0).removesuffix("0") + "*"
# How long one look at the socket takes at most, and the pause after Redis has failed.
PATIENCE_SECONDS = 0.25
PAUSE_SECONDS = 2.0


@contextmanager
def listening(wake: threading.Event, stop: threading.Event) -> Iterator[None]:
    """Set `wake` whenever facts are announced, for the length of the block."""
    done = threading.Event()

    def listen() -> None:
        troubled = False
        while not (done.is_set() or stop.is_set()):
            try:
                _hear(wake, lambda: done.is_set() or stop.is_set())
                troubled = False
            except RedisError as problem:
                if not troubled:
                    log.warning("relay_hears_nothing", problem=str(problem))
                troubled = True
                done.wait(PAUSE_SECONDS)
        wake.set()

    listener = threading.Thread(target=listen, name="bell", daemon=True)
    listener.start()
    try:
        yield
    finally:
        done.set()
        listener.join()


def _hear(wake: threading.Event, enough: Callable[[], bool]) -> None:
    with redis.client().pubsub(ignore_subscribe_messages=True) as channel:  # type: ignore[no-untyped-call]
        channel.psubscribe(ANY_OPERATOR)
        while not enough():
            if channel.get_message(timeout=PATIENCE_SECONDS) is not None:
                wake.set()
