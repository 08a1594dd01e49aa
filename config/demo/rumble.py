"""A third-party application that runs rumble tournaments over HTTP: it connects players and is told by webhook."""

import random
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from apps.core.api.json import loads
from config.demo.client import Client, Refused
from config.demo.waiting import wait_for

RACERS = 12
WELCOME = "5000"
SETTINGS = {
    "name": "Friday Drag Rumble",
    "description": "One lap, best time points",
    "minParticipants": 2,
    "maxParticipants": 12,
    "registrationFeeInUpx": 100,
    "developerFeePercentage": 5,
    "prizeDistributionRules": [
        {"minParticipants": 2, "distribution": [100]},
        {"minParticipants": 4, "distribution": [70, 30]},
        {"minParticipants": 8, "distribution": [50, 25, 15, 10]},
    ],
}


class Inbox(ThreadingHTTPServer):
    """The application's webhook: keeps the tokens of players who connect, and what it is told of tournaments."""

    daemon_threads = True

    def __init__(self) -> None:
        """Listen on loopback; nothing is served before `start`."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.token = secrets.token_urlsafe(24)
        self.tokens: dict[str, str] = {}  # connection code → access token
        self.told: list[Mapping[str, Any]] = []

    @property
    def url(self) -> str:
        """Where the platform calls."""
        return f"http://127.0.0.1:{self.server_port}/upland"

    def start(self) -> None:
        """Serve from a thread of its own, until `shutdown`."""
        threading.Thread(target=self.serve_forever, name="application webhook", daemon=True).start()

    def take(self, notice: Mapping[str, Any]) -> None:
        """Keep what came."""
        self.told.append(notice)
        del self.told[:-500]
        if notice["type"] == "AuthenticationSuccess":
            self.tokens[notice["data"]["code"]] = notice["data"]["accessToken"]

    def token_for(self, code: str) -> str:
        """Return the token that a code was exchanged for. Raises Refused when none came in time."""
        wait_for(lambda: code in self.tokens, f"No token came for the code {code}.")
        return self.tokens.pop(code)


class _Handler(BaseHTTPRequestHandler):
    server: Inbox
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """A notice."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        ours = self.headers.get("Authorization") == f"Bearer {self.server.token}"
        if ours:
            self.server.take(loads(body))
        self.send_response(204 if ours else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing about each call."""


class AppClient:
    """Calls the dialect with the application's key, or with a player's token, and expects success."""

    def __init__(self, base_url: str, app_id: int, secret: str) -> None:
        """Keep one connection open, as a server would."""
        self._http = httpx.Client(base_url=f"{base_url}/developers-api", timeout=30)
        self.app_id, self._basic = app_id, httpx.BasicAuth(str(app_id), secret)

    def call(self, method: str, path: str, body: Any = None, *, token: str = "") -> Any:
        """Return the decoded answer, None for 204. Raises Refused on any status but success."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = self._http.request(method, path, json=body, headers=headers, auth=None if token else self._basic)
        if not answer.is_success:
            raise Refused(f"{method} {path}: {answer.status_code} {answer.text}")
        return None if answer.status_code == httpx.codes.NO_CONTENT else answer.json()


@dataclass(slots=True)
class Races:
    """Runs tournaments until `stop` is set; a refusal is said and play goes on."""

    app: AppClient
    operator: Client
    inbox: Inbox
    say: Callable[[str], None]
    stop: threading.Event
    pause: float = 5.0
    _racers: dict[str, str] = field(default_factory=dict)  # user id on the wire → access token
    _settings: str = ""
    _dice: random.Random = field(default_factory=random.Random)

    def run(self) -> None:
        """Connect players, leave tournaments in several states, then run one after the other."""
        furnished = False
        while not self.stop.is_set():
            try:
                if not self._racers:
                    self.connect([f"player-{number}" for number in range(1, RACERS + 1)])
                if not furnished:
                    self.furnish()
                    furnished = True
                self.race(self._dice.randint(4, 10))
            except (Refused, httpx.HTTPError) as problem:
                self.say(f"rumble: {problem}")
                self._racers = {}
                self.stop.wait(5)
            self.stop.wait(self.pause)

    def listen(self) -> None:
        """Tell the platform where the application's webhook is."""
        wanted = {
            "webhookUrl": self.inbox.url,
            "webhookToken": self.inbox.token,
            "name": "Drag Races",
            "signing": "auto",
        }
        self.operator.call("PUT", f"/api/applications/{self.app.app_id}", wanted)

    def connect(self, names: Sequence[str]) -> None:
        """Give players UPX and have them enter codes."""
        self.listen()
        for name in names:
            deposit = {"asset": "UPX", "amount": WELCOME, "reference": f"racing-{name}-{secrets.token_hex(4)}"}
            self.operator.post(f"/api/players/{name}/deposits", deposit)
            code = self.app.call("POST", "/auth/otp/init")["code"]
            user = self.operator.post(f"/api/players/{name}/connections", {"code": code})["userId"]
            self._racers[user] = self.inbox.token_for(code)

    def furnish(self) -> None:
        """Leave one tournament that waits, one in progress, one closed and one canceled."""
        self.opened(3)
        running = self.opened(5)
        self.settled(running)
        self.app.call("PATCH", f"/rumble-tournaments/{running}/start")
        self.score(running)
        self.race(8)
        called_off = self.opened(4)
        self.settled(called_off)
        self.app.call("POST", f"/rumble-tournaments/{called_off}/cancel")

    def opened(self, players: int) -> str:
        """Make a tournament that some players join; return its id."""
        self._settings = self._settings or self.app.call("POST", "/rumble-tournament-settings", SETTINGS)["id"]
        tournament = str(self.app.call("POST", "/rumble-tournaments", {"settingsId": self._settings})["id"])
        for user in self._dice.sample(sorted(self._racers), players):
            self.app.call("POST", f"/rumble-tournaments/{tournament}/join", token=self._racers[user])
        return tournament

    def settled(self, tournament: str) -> None:
        """Wait until no payment is on its way."""
        path = f"/rumble-tournaments/{tournament}/participants?pageSize=1&status=PROCESSING_PAYMENT"
        wait_for(lambda: not self.app.call("GET", path)["totalResults"], f"The payments of {tournament} hang.")

    def score(self, tournament: str) -> None:
        """Report a score for everybody."""
        path = f"/rumble-tournaments/{tournament}/participants?pageSize=100&status=ACTIVE"
        users = [one["userId"] for one in self.app.call("GET", path)["results"]]
        scores = [{"userId": user, "value": self._dice.randrange(100, 1000)} for user in users]
        self.app.call("POST", f"/rumble-tournaments/{tournament}/scores", {"scores": scores})

    def race(self, players: int) -> tuple[str, Any]:
        """Run one tournament to its scoreboard; return its id and that."""
        tournament = self.opened(players)
        self.settled(tournament)
        self.app.call("PATCH", f"/rumble-tournaments/{tournament}/start")
        for _ in range(3):
            self.score(tournament)
            self.stop.wait(self.pause)
        return tournament, self.app.call("POST", f"/rumble-tournaments/{tournament}/resolve")

    def prove(self) -> str:
        """Run one tournament of seven to its end and check every amount (rumble.md 5.3, A). Raises Refused."""
        self.pause = 0.1
        names = [f"racer-{secrets.token_hex(3)}" for _ in range(7)]
        for name in names:
            self.operator.post("/api/players", {"userId": name, "displayName": name.title()})
        self.connect(names)
        tournament, board = self.race(7)
        prizes = [prize["prizeInUpx"] for prize in board["prizeDistributions"]]
        if (board["totalPrizePoolInUpx"], prizes) != (630, [441, 189]):
            raise Refused(f"The prizes of {tournament} are not what they should be: {board}")
        path = f"/rumble-tournaments/{tournament}"
        wait_for(lambda: self.app.call("GET", path)["status"] == "CLOSED", f"{tournament} did not close.")
        for prize in board["prizeDistributions"]:
            balances = self.app.call("GET", "/user/balances", token=self._racers[prize["userId"]])
            if balances["availableUpx"] != int(WELCOME) - 100 + prize["prizeInUpx"]:
                raise Refused(f"{prize['userId']} has {balances} after winning {prize['prizeInUpx']}.")
        wait_for(lambda: self._was_told(tournament, "RumbleTournamentClosed"), "The end was not told.")
        return f"played rumble {tournament}: seven paid 100 UPX, the prizes are 441 and 189; told by webhook"

    def _was_told(self, tournament: str, kind: str) -> bool:
        about = [one for one in list(self.inbox.told) if one["data"].get("tournamentId") == tournament]
        return any(one["type"] == kind for one in about)
