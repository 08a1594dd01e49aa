"""A real Celery worker, in a process of its own, on the database and the Redis of the test."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from celery import current_app
from django.conf import settings
from django.db import connection
from redis import Redis

from apps.core import leash
from apps.core.tasks import HEARTBEAT
from config import addresses

# A cold start imports everything; on a busy machine that takes its time.
START_SECONDS = 60.0


def database_url() -> str:
    """Name the database that this test writes to, whichever copy of it pytest has made."""
    to = connection.settings_dict
    user = quote(to["USER"] or "") + (f":{quote(to['PASSWORD'])}" if to["PASSWORD"] else "")
    if to["HOST"].startswith("/"):
        return f"postgres://{user}@/{quote(to['HOST'])}/{quote(to['NAME'])}"
    port = f":{to['PORT']}" if to["PORT"] else ""
    return f"postgres://{user}@{to['HOST']}{port}/{quote(to['NAME'])}"


def eventually(what: Callable[[], Any], *, seconds: float = 20.0, alive: Callable[[], object] | None = None) -> Any:
    """Return the first truthy answer of `what`; fails when there is none in time, or when `alive` raises."""
    until = time.monotonic() + seconds
    while not (found := what()):
        if alive:
            alive()
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)
    return found


class Worker:
    """One worker process. It may be killed and started again as often as a test likes.

    It runs tasks in that very process (pool "solo"), so a kill hits the task that runs. A message that it had taken and
    not acknowledged stays away for an hour, as with every killed worker: `ring` stands in for the beat, which rings
    again.
    """

    def __init__(self, log: Path, *arguments: str) -> None:
        self.log = log
        self.arguments = arguments
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Return when the worker has done a first task."""
        assert self.process is None, "the worker runs already"
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "config.settings.test"),
            "DATABASE_URL": database_url(),
            "REDIS_URL": settings.REDIS_URL,
        }
        celery = [
            sys.executable, "-m", "celery", "-A", "config", "--quiet", "worker", "--pool", "solo", "--loglevel", "INFO",
            "--without-gossip", "--without-mingle", "--without-heartbeat", *self.arguments,
        ]  # fmt: skip
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                # On a leash: a test run that is killed leaves no worker behind.
                [sys.executable, "-P", leash.__file__, str(os.getpid()), *celery],
                cwd=addresses.REPOSITORY,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        with Redis.from_url(settings.REDIS_URL) as redis:
            redis.delete(HEARTBEAT)
            self.ring("core.heartbeat")
            self.eventually(lambda: redis.exists(HEARTBEAT), seconds=START_SECONDS)
        return self

    def ring(self, task: str, **ids: int) -> None:
        """Put a task on the broker, as the beat does, whether or not its bell is marked as rung."""
        current_app.send_task(task, kwargs=ids)

    def eventually(self, what: Callable[[], Any], *, seconds: float = 20.0) -> Any:
        """Return the first truthy answer of `what`; fails, with the worker's log, if it takes too long."""
        try:
            return eventually(what, seconds=seconds, alive=self.must_live)
        except AssertionError as failed:
            message = f"{failed}; the end of the worker's log:\n{self.log.read_text(errors='replace')[-4000:]}"
            raise AssertionError(message) from failed

    def must_live(self) -> None:
        """Fail if the process has ended by itself."""
        assert self.process is not None, "the worker does not run"
        assert self.process.poll() is None, f"the worker ended with {self.process.returncode}"

    def kill(self) -> None:
        """End it where it stands, in the middle of whatever it does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to finish what it does and end."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self.process is None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(30)
        finally:
            self.process.kill()
            self.process.wait()
            self.process = None


@contextmanager
def running_worker(folder: Path, *arguments: str) -> Iterator[Worker]:
    """Have a worker for the block. What it has not fetched yet, it must not find: start on an empty Redis."""
    worker = Worker(folder / "worker.log", *arguments).start()
    try:
        yield worker
    finally:
        worker.kill()
