"""An operator's payout and debit API: pays winners and takes buy-ins, each reference once, and refuses a few."""

import secrets
import threading
from collections.abc import Mapping
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from apps.core.api.json import dumps, loads
from config.demo.client import Client

# Whose account is closed, so that a person has to see to their prizes, and whose bank is never there.
CLOSED, UNREACHABLE = "player-9", "player-14"


class Cashier(ThreadingHTTPServer):
    """Answers 200 with the transaction of a reference, the same whenever it is asked again."""

    daemon_threads = True

    def __init__(self) -> None:
        """Listen on loopback; nothing is served before `start`."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.key = secrets.token_urlsafe(24)
        self.taken: dict[str, Mapping[str, Any]] = {}  # by reference

    def start(self, operator: Client) -> None:
        """Serve from a thread of its own, until `shutdown`, and tell the platform where and with which key."""
        threading.Thread(target=self.serve_forever, name="cashier", daemon=True).start()
        for kind in ("payout", "debit"):
            operator.call("PUT", "/api/callback-keys", {"kind": kind, "key": self.key})
        operator.call("PATCH", "/api/settings", {"payoutUrl": self.at("payouts"), "debitUrl": self.at("debits")})

    def at(self, path: str) -> str:
        """Return an address here."""
        return f"http://127.0.0.1:{self.server_port}/{path}"

    def prizes_of(self, promotion: str) -> dict[str, list[tuple[Decimal, str]]]:
        """Return what was paid of one tournament, by player: amounts and currencies."""
        paid: dict[str, list[tuple[Decimal, str]]] = {}
        for one in list(self.taken.values()):
            if one.get("promoName") == promotion:
                paid.setdefault(one["playerId"], []).append((Decimal(str(one["amount"])), one["currency"]))
        return paid


class _Handler(BaseHTTPRequestHandler):
    server: Cashier
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """A payout or a debit."""
        asked = loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        status, told = self._verdict(asked)
        body = dumps(told)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _verdict(self, asked: Mapping[str, Any]) -> tuple[int, Mapping[str, str]]:
        if self.headers.get("X-API-Key") != self.server.key:
            return 401, {"error": "UNAUTHORIZED"}
        if asked["playerId"] == CLOSED:
            return 400, {"error": "ACCOUNT_CLOSED", "message": "The account of this player is closed."}
        if asked["playerId"] == UNREACHABLE:
            return 503, {"error": "BANK_UNREACHABLE"}
        ref = asked.get("payoutRef") or asked["debitRef"]
        self.server.taken.setdefault(ref, asked)
        return 200, {"transactionId": f"tx-{ref[:8]}"}

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing about each call."""
