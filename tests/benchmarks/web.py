"""The real web server on the test's own database, and somebody who asks it without pause."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from django.conf import settings

from apps.core import leash
from config import addresses
from tests.workers import database_url

START_SECONDS = 60.0


def environment() -> dict[str, str]:
    """What a process of ours needs to work on this test's data."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
        "DATABASE_URL": database_url(),
        "REDIS_URL": settings.REDIS_URL,
        "LOG_LEVEL": "WARNING",
        # As it is outside of tests, which switch it off.
        "INTEGRATION_KEYS_SECONDS": "1",
        "GAME_KEYS_SECONDS": "1",
    }


@contextmanager
def server(*, workers: int = 2, threads: int = 16) -> Iterator[int]:
    """Run granian as `manage.py up` does; give its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    granian = [
        sys.executable, "-m", "granian", "--log-level", "warning", "--host", "127.0.0.1", "--port", str(port),
        "--interface", "wsgi", "--workers", str(workers), "--blocking-threads", str(threads), "config.wsgi:application",
    ]  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-P", leash.__file__, str(os.getpid()), *granian],
        cwd=addresses.REPOSITORY,
        env=environment(),
        stdin=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        assert process.poll() is None, f"the web server ended with {process.returncode}"
        assert time.monotonic() < until, "the web server does not answer"
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5)
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return


def load(*, rate: float, seconds: float, request: bytes, **more: str | int | bool) -> dict:
    """Ask at a fixed rate from another process; give the seconds that each answer took, and what was bad."""
    flags = [f"--{name}" if value is True else f"--{name}={value}" for name, value in more.items()]
    asker = subprocess.run(
        [
            sys.executable, "-m", "tests.benchmarks.openloop", f"--rate={rate}", f"--seconds={seconds}",
            f"--request={request.hex()}", *flags,
        ],
        cwd=addresses.REPOSITORY, stdout=subprocess.PIPE, check=True, text=True,
    )  # fmt: skip
    return json.loads(asker.stdout)


def get(path: str, key: str) -> bytes:
    """An HTTP request as it goes over the wire."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\nAccept: application/json\r\n\r\n"
    ).encode()


def command(*words: str | int) -> bytes:
    """A Redis command as it goes over the wire."""
    parts = [f"${len(str(word))}\r\n{word}\r\n" for word in words]
    return f"*{len(words)}\r\n{''.join(parts)}".encode()


def redis_socket() -> tuple[str, str]:
    """The path of Redis's socket and the number of the test's database."""
    parts = urlsplit(settings.REDIS_URL)
    return parts.path, parts.query.removeprefix("db=")
