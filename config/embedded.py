"""A real PostgreSQL and a real Redis out of their wheels, for as long as somebody uses them.

Every process that needs the services calls `start()` and is a *user* from then on: it holds a shared lock on the
service's file `users`. The kernel drops that lock when the process ends, however it ends. Each service has one *keeper*
(`config/keeper.py`): a small process that starts the server, restarts it if it dies, and stops it once it can lock
`users` for itself, which means that the last user has gone. So nothing is counted, and nobody who was killed is
remembered.

The keeper holds the lock on `keeper` all its life. Whoever finds it free starts the next keeper and hands the locked
file on to it, so there are never two. All who look at that lock hold `start` meanwhile, or a look would be taken for a
keeper.
"""

import atexit
import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO

from django.conf import settings

from config import addresses

# A first start makes the database cluster; a slow disk may take its time over it.
START_SECONDS = 120.0
STOP_SECONDS = 30.0

_held: dict[Path, IO[bytes]] = {}
_owners: set[int] = set()


class EmbeddedServiceError(RuntimeError):
    """An embedded service did not start; the message carries the end of its log."""


def start() -> None:
    """Use the embedded services that the settings name, starting those that are not running.

    Returns when they answer. They stop when the last process that uses them has ended; calling it twice is calling it
    once. Raises EmbeddedServiceError.
    """
    for name in settings.EMBEDDED_SERVICES:
        use(settings.DATA_DIR, name, durable=settings.EMBEDDED_DURABLE)


def use(data_dir: Path, name: str, *, durable: bool) -> None:
    """Use one service of a data directory, "postgres" or "redis", until this process ends or calls `leave`."""
    home = data_dir.absolute() / name
    if home in _held:
        return
    home.mkdir(parents=True, exist_ok=True)
    users = (home / "users").open("ab")
    # Waits here while a keeper that saw the last user go is still stopping its server.
    fcntl.flock(users, fcntl.LOCK_SH)
    with _lock_on(home / "start"):
        _ensure_keeper(home, name, durable=durable)
    _held[home] = users
    if os.getpid() not in _owners:
        _owners.add(os.getpid())
        atexit.register(leave)


def leave() -> None:
    """Stop using the services. The last user waits until they have stopped, so that nothing is left behind."""
    if os.getpid() not in _owners:
        return  # a forked child shares its parent's locks; they are not its own to give away
    for users in _held.values():
        users.close()
    for home in _held:
        _wait(partial(_is_over, home), STOP_SECONDS)
    _held.clear()


def _ensure_keeper(home: Path, name: str, *, durable: bool) -> None:
    """Return when the service answers, with a new keeper if there was none."""
    ready = home / "ready"
    with (home / "keeper").open("ab") as lock, suppress(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        ready.unlink(missing_ok=True)
        _launch_keeper(home, name, lock.fileno(), durable=durable)
    _wait(lambda: ready.exists() or not _locked(home / "keeper"), START_SECONDS)
    if not ready.exists():
        end = (home / "log").read_text(errors="replace")[-2000:]
        message = f"The embedded {name} in {home} did not start. The end of its log:\n{end}"
        raise EmbeddedServiceError(message)


def _launch_keeper(home: Path, name: str, lock: int, *, durable: bool) -> None:
    script = Path(__file__).with_name("keeper.py")
    mode = "durable" if durable else "fast"
    with (home / "log").open("wb") as log:
        subprocess.Popen(  # noqa: S603 - our own script
            # -P keeps the script's folder off the import path: it holds a celery.py that is not Celery.
            [sys.executable, "-P", script, name, home, addresses.socket_dir(home), mode, str(lock)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(addresses.REPOSITORY), *sys.path[1:]])},
            start_new_session=True,  # Ctrl-C is for the users, not for the services
            pass_fds=[lock],
        )


@contextmanager
def _lock_on(path: Path) -> Iterator[None]:
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _locked(path: Path, lock: int = fcntl.LOCK_EX) -> bool:
    with path.open("ab") as file:
        try:
            fcntl.flock(file, lock | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def _has_keeper(home: Path) -> bool:
    with _lock_on(home / "start"):
        return _locked(home / "keeper")


def _is_over(home: Path) -> bool:
    """The service has stopped, or others share `users`; a keeper that is stopping has that for itself."""
    return not _has_keeper(home) or (_locked(home / "users") and not _locked(home / "users", fcntl.LOCK_SH))


def _wait(done: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not done() and time.monotonic() < until:
        time.sleep(0.02)
