"""Threads that work beside each other: one for each thing that is wanted, for as long as it is wanted."""

import threading
from collections.abc import Callable, Collection, Hashable
from typing import Generic, TypeVar

import structlog
from django.db import connection

log = structlog.get_logger(__name__)

# How often `wanted` is asked.
LOOK_SECONDS = 2.0
# How long threads that were told to stop are waited for.
GRACE_SECONDS = 10.0

Key = TypeVar("Key", bound=Hashable)


class Crew(Generic[Key]):
    """Asks what is wanted and has a thread work at each; a thread that ends while it is wanted begins again.

    `work(key, told)` works until the event is set. It ends only then, or by a failure of its own.
    """

    def __init__(
        self, name: str, wanted: Callable[[], Collection[Key]], work: Callable[[Key, threading.Event], None]
    ) -> None:
        """Nothing runs before `run`."""
        self.name = name
        self.wanted = wanted
        self.work = work
        self.running: dict[Key, tuple[threading.Event, threading.Thread]] = {}

    def run(self, stop: threading.Event) -> None:
        """Start and stop threads as things are wanted, until told to stop; then let each finish what it has begun."""
        while not stop.is_set():
            try:
                self._keep(self.wanted())
            except Exception:
                log.exception("crew_not_asked", crew=self.name)
            finally:
                connection.close()
            stop.wait(LOOK_SECONDS)
        last = [thread for _, thread in self.running.values()]
        self._keep(())
        for thread in last:
            thread.join(GRACE_SECONDS)

    def _keep(self, wanted: Collection[Key]) -> None:
        for key, (told, thread) in [*self.running.items()]:
            if key not in wanted:
                told.set()
            if not thread.is_alive():
                del self.running[key]
        for key in wanted:
            if key not in self.running:
                told = threading.Event()
                thread = threading.Thread(target=self._work, args=(key, told), name=f"{self.name} {key}", daemon=True)
                self.running[key] = (told, thread)
                thread.start()

    def _work(self, key: Key, told: threading.Event) -> None:
        try:
            self.work(key, told)
        except Exception:
            log.exception("crew_member_failed", crew=self.name, key=key)
        finally:
            connection.close()
