"""A game server that keeps rooms busy over HTTP: they open, are paid, pay out and end; every call is signed."""

import hashlib
import hmac
import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import httpx

from config.demo.client import Client, Refused

TOKENS = {"UPX": 250, "gamr": 3}
GUESTS = 8


class GameClient:
    """Calls the API with a game's key and expects success."""

    def __init__(self, base_url: str, key: str, secret: str) -> None:
        """Keep one connection open, as a game server would."""
        self._http = httpx.Client(base_url=base_url, timeout=30)
        self._key, self._secret = key, secret

    def post(self, path: str, body: Any) -> Any:
        """Send a signed body and return the decoded answer. Raises Refused on any status but success."""
        text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
        stamp = str(time.time_ns() // 1_000_000)
        signature = hmac.new(self._secret.encode(), f"{stamp}{text}".encode(), hashlib.sha256).hexdigest()
        headers = {
            "apikey": self._key,
            "timestamp": stamp,
            "signature": signature,
            "Content-Type": "application/json",
        }
        answer = self._http.post(path, content=text.encode(), headers=headers)
        if not answer.is_success:
            raise Refused(f"POST {path}: {answer.status_code} {answer.text}")
        return answer.json()


@dataclass(slots=True)
class Guest:
    """A player with an Instant Play Pass, as their game knows them."""

    plyr_id: str
    session: str


@dataclass(slots=True)
class Table:
    """Plays rooms one after the other until `stop` is set; a refusal is said and play goes on."""

    game: GameClient
    operator: Client
    say: Callable[[str], None]
    stop: threading.Event
    pause: float = 4.0
    _guests: list[Guest] = field(default_factory=list)
    _dice: random.Random = field(default_factory=random.Random)

    def run(self) -> None:
        """Seat some guests, then play."""
        while not self.stop.is_set():
            try:
                if not self._guests:
                    self.sit_down()
                self.play_room()
            except (Refused, httpx.HTTPError) as problem:
                self.say(f"rooms: {problem}")
                self._guests = []
                self.stop.wait(5)

    def sit_down(self) -> None:
        """Let new guests in, with money."""
        self._guests = [self._new_guest() for _ in range(GUESTS)]

    def _new_guest(self) -> Guest:
        made = self.game.post("/api/instantPlayPass/register", {"tokens": list(TOKENS)})
        for token, stake in TOKENS.items():
            deposit = {"asset": token, "amount": str(stake * 100), "reference": f"welcome-{made['plyrId']}-{token}"}
            self.operator.post(f"/api/players/{made['plyrId']}/deposits", deposit)
        return Guest(made["plyrId"], made["sessionJwt"])

    def play_room(self) -> str:
        """Play one room from createJoinPay to earnLeaveEnd; return its id."""
        seats = self._dice.sample(self._guests, self._dice.randint(2, 4))
        token, stake = self._dice.choice(list(TOKENS.items()))
        opened = self.game.post(
            "/api/game/createJoinPay",
            {
                "sessionJwts": [guest.session for guest in seats],
                "tokens": [token] * len(seats),
                "amounts": [stake] * len(seats),
                "sync": True,
            },
        )
        room, pot = opened["roomId"], stake * len(seats)
        self.stop.wait(self.pause)
        # The winner takes two thirds, whoever is second the rest.
        first = Decimal(pot * 2 // 3)
        shares = [first, pot - first, *[Decimal(0)] * (len(seats) - 2)]
        self.game.post(
            "/api/game/earnLeaveEnd",
            {
                "roomId": room,
                "plyrIds": [guest.plyr_id for guest in seats],
                "tokens": [token] * len(seats),
                "amounts": [int(share) for share in shares],
                "sync": True,
            },
        )
        return str(room)
