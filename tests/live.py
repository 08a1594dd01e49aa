"""A real `live` process on the database and the Redis of the test, and clients of its sockets."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from django.conf import settings
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from apps.core import leash
from apps.core.supervisor import podium
from config import addresses
from tests.workers import database_url, eventually

START_SECONDS = 120.0
# For a machine that is busy with other things.
PATIENCE = 20.0
NOT_A_WORD = 1006


class Live:
    """A process that serves sockets."""

    def __init__(self, log: Path) -> None:
        self.log = log
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings.test",
            "DATABASE_URL": database_url(),
            "REDIS_URL": settings.REDIS_URL,
        }
        [program] = [one for one in podium("127.0.0.1", 0, self.port) if one.name == "live"]
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                # On a leash: a test run that is killed leaves nothing behind.
                [
                    sys.executable,
                    "-P",
                    leash.__file__,
                    str(os.getpid()),
                    sys.executable,
                    "-m",
                    program.module,
                    *program.arguments,
                ],
                cwd=addresses.REPOSITORY,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        eventually(self._answers, seconds=START_SECONDS, alive=self.must_live)

    def get(self, path: str) -> int:
        """The status of a plain HTTP request."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=PATIENCE) as answer:
                return answer.status
        except urllib.error.HTTPError as answer:
            return answer.code

    def _answers(self) -> bool:
        try:
            return self.get("/healthz") == 200
        except OSError:
            return False

    def must_live(self) -> None:
        assert self.process.poll() is None, f"live ended:\n{self.log.read_text(errors='replace')[-4000:]}"

    def terminate(self) -> int:
        """Ask it to stop; give its exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(30)
        finally:
            self.process.kill()
            self.process.wait()

    def open(self, path: str, **headers: str) -> "Socket":
        """Connect, as a client with these headers does."""
        return Socket(f"ws://127.0.0.1:{self.port}{path}", headers)

    def listen(self, tournament_id: int, key: str = "", query: str = "", **headers: str) -> "Socket":
        """Listen to a tournament with a key, or with what the query says."""
        known = {"Authorization": f"Bearer {key}"} if key else {}
        return self.open(f"/ws/tournaments/{tournament_id}{query}", **known, **headers)


class Socket:
    """A client."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._door = connect(
            url, additional_headers=named, open_timeout=PATIENCE, close_timeout=2, compression=None, proxy=None
        )
        self.connection: ClientConnection = self._door.__enter__()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._door.__exit__(None, None, None)

    def say(self, **message: Any) -> None:
        self.connection.send(json.dumps(message))

    def subscribe(self, *channels: str, **more: Any) -> dict[str, Any]:
        self.say(type="subscribe", channels=list(channels), **more)
        return self.until("subscribed")

    def next(self) -> dict[str, Any]:
        """The next message."""
        return json.loads(self.connection.recv(timeout=PATIENCE))

    def until(self, kind: str) -> dict[str, Any]:
        """The next message of a type; those before it are passed over."""
        while (message := self.next())["type"] != kind:
            pass
        return message

    def close_code(self) -> tuple[int, str]:
        """Wait for the close; give its code and reason."""
        with suppress(ConnectionClosed):
            while True:
                self.connection.recv(timeout=PATIENCE)
        code, reason = self.connection.close_code, self.connection.close_reason
        assert code != NOT_A_WORD, "it closed without a word"
        return code, reason


def refused(live: Live, path: str, **headers: str) -> tuple[int, dict[str, Any]]:
    """Try to connect; give the HTTP status and the body of the answer."""
    try:
        live.open(path, **headers)
    except InvalidStatus as answer:
        return answer.response.status_code, json.loads(answer.response.body)
    raise AssertionError("the door is open")


def token_query(token: str) -> str:
    """The query of a player."""
    return f"?token={quote(token)}"


@contextmanager
def running_live(folder: Path) -> Iterator[Live]:
    """Have a live process for the block."""
    live = Live(folder / "live.log")
    try:
        yield live
    finally:
        live.terminate()
