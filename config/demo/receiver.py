"""An operator's own server: takes webhooks, checks their signature, and now and then is too busy."""

import threading
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook, WebhookVerificationError

from config.demo.waiting import came

# One call in so many is answered 503, so that the delivery log has a retry to show.
BUSY_EVERY = 25


class Receiver(ThreadingHTTPServer):
    """Answers 204 to what its secret verifies, 401 to anything else."""

    daemon_threads = True

    def __init__(self, port: int, secret: str, *, say: Callable[[str], None]) -> None:
        """Listen on loopback; nothing is served before `start`."""
        super().__init__(("127.0.0.1", port), _Handler)
        self.verifier = Webhook(secret)
        self.say = say
        self.calls = 0
        self.taken: set[str] = set()

    @property
    def url(self) -> str:
        """Where webhooks go."""
        return f"http://127.0.0.1:{self.server_port}/webhooks"

    def start(self) -> None:
        """Serve from a thread of its own, until `shutdown`."""
        threading.Thread(target=self.serve_forever, name="receiver", daemon=True).start()

    def has_taken(self, ids: Iterable[str], *, seconds: float) -> bool:
        """Tell whether all of these facts have arrived before the time is up."""
        wanted = set(ids)
        return came(lambda: wanted <= self.taken, seconds=seconds)


class _Handler(BaseHTTPRequestHandler):
    server: Receiver
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Take one delivery."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(self._verdict(body))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _verdict(self, body: bytes) -> int:
        """Return the status; what was taken once is known by its id when it comes again."""
        self.server.calls += 1
        if self.server.calls % BUSY_EVERY == 0:
            return 503
        try:
            self.server.verifier.verify(body, dict(self.headers.items()))
        except WebhookVerificationError as problem:
            self.server.say(f"receiver: {problem}")
            return 401
        self.server.taken.add(self.headers["webhook-id"])
        return 204

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing about each call."""
