"""Runs Podium's five processes on one machine, for `manage.py up` and `manage.py demo`.

A process that ends by itself is started again, after a pause that doubles while it keeps failing. `stop` ends all of
them; if this process is killed, the kernel does. Larger installations run the same commands under their own manager.
"""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Self

from django.conf import settings

from apps.core import leash

LONGEST_PAUSE = 30.0
# A process that lived this long has started well: its next pause is short again.
SETTLED_SECONDS = 30.0
GRACE_SECONDS = 10.0


class NotStartedError(RuntimeError):
    """Podium can't run like this; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a process listens."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The address as a browser on this machine reaches it."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)  # noqa: S104 - read, not bound
        return f"http://{host}:{self.port}"

    def refuse_if_taken(self, option: str) -> None:
        """Raise NotStartedError if somebody else listens there, or nobody can."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
            except (OSError, OverflowError) as problem:
                message = f"Can't listen on {self.host}:{self.port} ({problem}). Choose another port with {option}."
                raise NotStartedError(message) from problem

    def answers(self) -> bool:
        """Say whether a web server answers there; an error page for a path it doesn't know is an answer too."""
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=2):  # noqa: S310 - our own address
                return True
        except urllib.error.HTTPError as answer:
            return answer.code < 500  # noqa: PLR2004 - from there on the server is at fault
        except OSError:
            return False


@dataclass(slots=True)
class Program:
    """One process to keep running: a Python module with its arguments, and the address it serves, if it serves one."""

    name: str
    module: str
    arguments: Sequence[str]
    address: Address | None = None
    process: "subprocess.Popen[bytes] | None" = None
    started: float = 0.0
    pause: float = 1.0
    due: float = 0.0


def podium(host: str, port: int, live_port: int) -> list[Program]:
    """Return web, live, worker, beat and relay, sized for this machine."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    web, live = Address(host, port), Address(host, live_port)
    serve = ("--log-level", "warning", "--host", host, "--port")
    celery = ("-A", "config", "--quiet")
    return [
        Program(
            "web",
            "granian",
            # Threads cover the wait for PostgreSQL and its locks, and let calls do their work together (core/together);
            # many more would fight over the interpreter's.
            [*serve, str(port), "--interface", "wsgi", "--workers", str(max(2, cores)), "--blocking-threads", "16",
             "--respawn-failed-workers", "config.wsgi:application"],
            web,
        ),
        Program(
            "live",
            "granian",
            # granian takes no more connections than this, and a socket is one for as long as it is open.
            [*serve, str(live_port), "--interface", "asginl", "--backlog", "4096", "--backpressure", "65536",
             "config.asgi:application"],
            live,
        ),
        Program(
            "worker",
            "celery",
            [*celery, "worker", "--concurrency", str(max(2, cores)), "--loglevel", "WARNING",
             "--without-gossip", "--without-mingle", "--without-heartbeat"],
        ),
        Program("beat", "celery", [*celery, "beat", "--loglevel", "WARNING", "--pidfile", ""]),
        Program("relay", "manage", ["relay"]),
    ]  # fmt: skip


def reached_at(programs: Sequence[Program], kept: Path) -> dict[str, str]:
    """Return the environment in which every program knows where clients reach the first one that listens.

    Kept in a file too, for commands of another terminal. A PUBLIC_URL of the operator's own is left alone.
    """
    if os.environ.get("PUBLIC_URL"):
        return {}
    url = next(program.address.url for program in programs if program.address)
    kept.write_text(f"{url}\n")
    return {"PUBLIC_URL": url}


@dataclass(slots=True)
class Supervisor:
    """Keeps programs running between `start` and `stop`; as a context manager, between its two ends.

    `say` gets one line for whatever a person should know. With `logs`, each program writes to `<logs>/<name>.log`
    instead of to our own output.
    """

    programs: Sequence[Program]
    say: Callable[[str], None] = print
    environment: Mapping[str, str] = field(default_factory=dict)
    logs: Path | None = None
    _stopping: threading.Event = field(default_factory=threading.Event)
    _watcher: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, whatever happened."""
        self.stop()

    def start(self) -> None:
        """Start every program. Raises NotStartedError, with nothing started, if an address is taken."""
        for program in self.programs:
            if program.address:
                program.address.refuse_if_taken("--live-port" if program.name == "live" else "--port")
        # The thread that starts a process must outlive it: the kernel's leash is tied to the thread.
        self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._watcher.start()

    def wait_ready(self, seconds: float = 60.0) -> bool:
        """Return True when every address answers, False when asked to stop first.

        Raises NotStartedError if an address stays silent.
        """
        until = time.monotonic() + seconds
        for address in [program.address for program in self.programs if program.address]:
            while not address.answers():
                if self._stopping.wait(0.1):
                    return False
                if time.monotonic() > until:
                    raise NotStartedError(f"{address.url} does not answer; see {self.logs or 'the log above'}.")
        return True

    def ask_to_stop(self) -> None:
        """Begin to stop, and return at once: fit for a signal handler."""
        self._stopping.set()

    def wait(self) -> None:
        """Return when somebody has asked to stop."""
        self._stopping.wait()

    def stop(self) -> None:
        """End every program and whatever it started, after a grace by force. Returns when none is left."""
        self.ask_to_stop()
        if self._watcher:
            self._watcher.join()

    def _watch(self) -> None:
        while not self._stopping.wait(0.1):
            for program in self.programs:
                self._look_after(program)
        self._end_all()

    def _look_after(self, program: Program) -> None:
        now = time.monotonic()
        if program.process is None:
            if now >= program.due:
                self._launch(program)
        elif (code := program.process.poll()) is not None:
            self._sweep(program.process)
            program.process = None
            if now - program.started > SETTLED_SECONDS:
                program.pause = 1.0
            how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            self.say(f"{program.name} ended ({how}); it starts again in {program.pause:.0f} s")
            program.due = now + program.pause
            program.pause = min(program.pause * 2, LONGEST_PAUSE)

    def _launch(self, program: Program) -> None:
        on_leash = [sys.executable, "-P", leash.__file__, str(os.getpid())]
        with self._output(program) as output:
            program.process = subprocess.Popen(  # noqa: S603 - our own programs
                [*on_leash, sys.executable, "-m", program.module, *program.arguments],
                env={**os.environ, **self.environment},
                cwd=settings.BASE_DIR,  # where `config` can be imported from
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # A group of its own: Ctrl-C in the terminal is ours to pass on, and what it leaves behind can be found.
                start_new_session=True,
            )
        program.started = time.monotonic()

    def _end_all(self) -> None:
        running = [program.process for program in self.programs if program.process]
        for process in running:
            process.terminate()
        until = time.monotonic() + GRACE_SECONDS
        for process in running:
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            self._sweep(process)
        for program in self.programs:
            program.process = None

    @contextmanager
    def _output(self, program: Program) -> Iterator[IO[bytes] | None]:
        if self.logs is None:
            yield None  # ours
            return
        self.logs.mkdir(parents=True, exist_ok=True)
        with (self.logs / f"{program.name}.log").open("ab") as file:
            yield file

    @staticmethod
    def _sweep(leader: "subprocess.Popen[bytes]") -> None:
        """End what a program left behind: a web worker without its master would keep the port."""
        with suppress(ProcessLookupError):
            os.killpg(leader.pid, signal.SIGKILL)


@contextmanager
def only_one(data_dir: Path) -> Iterator[None]:
    """Be the only supervisor of a data directory, for as long as this process lives. Raises NotStartedError."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / "up.lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = f"Podium is already up on {data_dir}. Stop it first, or set PODIUM_DATA_DIR to another directory."
            raise NotStartedError(message) from None
        yield
