"""Servers that take webhooks: they keep what they got and answer as they are told."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from apps.core.api.json import loads


@dataclass(frozen=True, slots=True)
class Got:
    """One call as it arrived."""

    path: str
    headers: Mapping[str, str]  # lower case
    body: bytes
    method: str = "POST"

    @property
    def json(self) -> Any:
        return loads(self.body)

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer."""

    status: int = 204
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Receiver(ThreadingHTTPServer):
    """A receiver on loopback, as a context manager.

    `answer(got, n)` gives the reply to the n-th call, 204 without it. While `gate` is closed, calls hang.
    """

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, answer: Callable[[Got, int], Reply] | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got: list[Got] = []
        self.connections = 0
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Semaphore(0)
        self._answer = answer or (lambda *_: Reply())
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hooks"

    @property
    def ids(self) -> list[str]:
        return [got.id for got in list(self.got)]

    def take(self, got: Got) -> Reply:
        with self._lock:
            self.got.append(got)
            n = len(self.got)
        self.entered.release()
        self.gate.wait(30)
        return self._answer(got, n)

    def wait_for(self, count: int, seconds: float = 20.0) -> None:
        until = time.monotonic() + seconds
        while len(self.got) < count:
            assert time.monotonic() < until, f"{len(self.got)} of {count} arrived"
            time.sleep(0.005)

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.gate.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, *_: object) -> None:
        """A caller that went away is the caller's business."""


class _Handler(BaseHTTPRequestHandler):
    server: Receiver
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.server.take(Got(self.path, headers, body, self.command))
        self.send_response_only(reply.status)
        for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    do_GET = do_PUT = do_DELETE = do_HEAD = do_POST  # noqa: N815 - the names that its base class looks for

    def log_message(self, *_: object) -> None:
        """Say nothing."""
