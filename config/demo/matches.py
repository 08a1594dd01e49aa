"""Two game back-ends that play skill matches over HTTP: one is told of them by webhook, the other asks."""

import random
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import jwt

from apps.core.api.json import loads
from config.demo.client import Client, Refused
from config.demo.traffic import PLAYING
from config.demo.waiting import wait_for

EARLY = 30


class Backend:
    """A game's server: gets its access tokens, asks who its players are, reports results."""

    def __init__(self, base_url: str, client_id: str, secret: str) -> None:
        """Keep one connection open, as a game server would."""
        self._http = httpx.Client(base_url=base_url, timeout=30)
        self.client_id, self._secret = client_id, secret
        self.realm = f"/auth/realms/{client_id}"
        self._token, self._until = "", 0.0

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call the game API and return the decoded answer. Raises Refused on any status but success."""
        headers = {"Authorization": f"Bearer {self._access()}"}
        answer = self._http.request(method, f"/api/game/v1/{path}", json=body, headers=headers)
        if not answer.is_success:
            raise Refused(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json()

    def public_key(self) -> str:
        """Return the key that checks our webhook's tokens, in the armour that every client adds."""
        bare = self._http.get(self.realm).json()["public_key"]
        return f"-----BEGIN PUBLIC KEY-----\n{bare}\n-----END PUBLIC KEY-----"

    def _access(self) -> str:
        if time.monotonic() >= self._until:
            form = {
                "grant_type": "client_credentials",
                "client_id": self.client_id,
                "client_secret": self._secret,
                "scope": "olp-report-api",
            }
            answer = self._http.post(f"{self.realm}/protocol/openid-connect/token", data=form)
            if not answer.is_success:
                raise Refused(f"no access token: {answer.status_code} {answer.text}")
            told = answer.json()
            self._token, self._until = told["access_token"], time.monotonic() + told["expires_in"] - EARLY
        return self._token


class Hook(ThreadingHTTPServer):
    """The webhook of a game that is told of its matches: keeps the stubs, forgets what is deleted."""

    daemon_threads = True

    def __init__(self, backend: Backend, *, port: int = 0, say: Callable[[str], None]) -> None:
        """Listen on loopback; nothing is served before `start`."""
        super().__init__(("127.0.0.1", port), _Handler)
        self.backend, self.say = backend, say
        self.stubs: dict[str, Mapping[str, Any]] = {}
        self._key = ""

    @property
    def url(self) -> str:
        """Where the platform calls."""
        return f"http://127.0.0.1:{self.server_port}/matches"

    def start(self) -> None:
        """Serve from a thread of its own, until `shutdown`."""
        threading.Thread(target=self.serve_forever, name="game webhook", daemon=True).start()

    def is_ours(self, header: str) -> bool:
        """Tell whether a call carries a token that the platform has signed for this game."""
        self._key = self._key or self.backend.public_key()
        try:
            token = header.removeprefix("Bearer ")
            jwt.decode(token, self._key, algorithms=["RS256"], audience=self.backend.client_id)
        except jwt.InvalidTokenError as problem:
            self.say(f"game webhook: {problem}")
            # It may have been rotated; the next call looks again.
            self._key = ""
            return False
        return True

    def stub_of(self, match_id: str, *, seconds: float = 60) -> Mapping[str, Any]:
        """Return what was told of a match. Raises Refused when nothing was in time."""
        wait_for(lambda: match_id in self.stubs, f"The game was not told of match {match_id}.", seconds=seconds)
        return self.stubs[match_id]


class _Handler(BaseHTTPRequestHandler):
    server: Hook
    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        """A match starts, or a team has forfeited."""
        self._take(lambda stub: self.server.stubs.update({stub["match_id"]: stub}))

    def do_DELETE(self) -> None:
        """A match is aborted."""
        self._take(lambda stub: self.server.stubs.pop(stub["match_id"], None))

    def _take(self, keep: Callable[[Any], object]) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        ours = self.server.is_ours(self.headers.get("Authorization", ""))
        if ours:
            keep(loads(body))
        self.send_response(200 if ours else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing about each call."""


@dataclass(slots=True)
class Duels:
    """Plays matches on both games until `stop` is set; a refusal is said and play goes on."""

    operator: Client
    kart: Backend
    words: Backend
    hook: Hook
    say: Callable[[str], None]
    stop: threading.Event
    pause: float = 8.0
    _dice: random.Random = field(default_factory=random.Random)

    def run(self) -> None:
        """Play one match after the other, most of them races."""
        while not self.stop.is_set():
            try:
                if self._dice.random() < 0.7:  # noqa: PLR2004 - the more popular game
                    self.race()
                else:
                    self.spell()
            except (Refused, httpx.HTTPError) as problem:
                self.say(f"matches: {problem}")
                self.stop.wait(5)
            self.stop.wait(self.pause)

    def race(self) -> None:
        """A match that the game hears of by webhook and reports as a whole; some are left, some crash."""
        red, blue = self._pair()
        made = self._create(self.kart, red, blue, self._dice.choice(("1.00", "2.00", "5.00")))
        self.hook.stub_of(made["matchId"])
        self.stop.wait(self.pause)
        luck = self._dice.random()
        if luck < 0.05:  # noqa: PLR2004 - now and then
            error = {"reason": "Physics engine stopped", "code": "server_crash"}
            self.kart.call("POST", "finish", {"match_id": made["matchId"], "error": error})
            return
        first, second = (3000 + self._dice.randrange(400) for _ in range(2))
        body = result(made["matchId"], {red: first, blue: second}, forfeits=luck < 0.15)  # noqa: PLR2004 - likewise
        self.kart.call("POST", "finish", body)

    def spell(self) -> None:
        """A match that the game finds by asking; each player comes by a launch link and scores on their own."""
        red, blue = self._pair()
        made = self._create(self.words, red, blue, "3.00")
        self.words.call("GET", f"matches?user_id={red}")
        for player in (red, blue):
            self.stop.wait(self.pause / 2)
            launch = {"participantId": player}
            token = self.operator.post(f"/api/matches/{made['matchId']}/launch", launch)["token"]
            seat = self.words.call("POST", "token-info", {"token": token})
            line = {"id": seat["user_id"], "score": self._dice.randrange(250, 500)}
            self.words.call("POST", "finish", {"match_id": seat["match_id"], "participants": [line]})

    def prove(self) -> str:
        """Play one race to its end and check every amount; return what became of it. Raises Refused."""
        winner, loser = (f"once-{team}-{secrets.token_hex(3)}" for team in ("red", "blue"))
        for player in (winner, loser):
            self.operator.post("/api/players", {"userId": player})
            deposit = {"asset": "USD", "amount": "10.00", "reference": f"once-{player}"}
            self.operator.post(f"/api/players/{player}/deposits", deposit)
        match_id = self._create(self.kart, winner, loser, "10.00")["matchId"]
        stub = self.hook.stub_of(match_id)
        if [one["id"] for one in stub["participants"]] != [winner, loser]:
            raise Refused(f"The game was told of other players: {stub}")
        path = f"/api/matches/{match_id}"
        problem = f"Match {match_id} did not become live."
        wait_for(lambda: self.operator.get(path)["state"] == "live", problem, seconds=30)
        told = result(match_id, {winner: 300, loser: 100})
        answers = [self.kart.call("POST", "finish", told) for _ in range(2)]
        found = self.operator.get(path)
        have = [self._available(player) for player in (winner, loser)]
        right = {"currency": "USD", "entryFee": "10.00", "pot": "20.00", "fee": "2.00", "paid": "18.00"}
        if found["state"] != "finished" or found["money"] != right or have != ["18.00", "0.00"]:
            raise Refused(f"Match {match_id} was not paid as it should be: {found['money']}, {have}")
        if [answer["duplicate"] for answer in answers] != [False, True]:
            raise Refused(f"A repeat was not known as one: {answers}")
        return f"played match {match_id}: pot 20.00, fee 2.00, the winner has {have[0]}; told twice, paid once"

    def _available(self, player: str) -> str:
        wallets = self.operator.get(f"/api/players/{player}/wallets")["wallets"]
        return str(next(wallet["available"] for wallet in wallets if wallet["asset"] == "USD"))

    def _pair(self) -> tuple[str, str]:
        first, second = self._dice.sample(range(1, len(PLAYING) + 1), 2)
        return f"player-{first}", f"player-{second}"

    def _create(self, game: Backend, red: str, blue: str, fee: str) -> Any:
        teams = [{"id": name, "participants": [{"id": one}]} for name, one in (("red", red), ("blue", blue))]
        body = {"clientId": game.client_id, "teams": teams, "entryFee": fee, "currency": "USD", "confirmed": True}
        return self.operator.post("/api/matches", body)


def result(match_id: str, scores: Mapping[str, int], *, forfeits: bool = False) -> dict[str, Any]:
    """Return a result of two, red and blue, that higher scores win; with `forfeits`, blue has left."""
    best = max(scores.values())
    teams: list[dict[str, Any]] = [
        {"id": team, "score": points, "ranking": 1 if points == best else 2}
        for team, points in zip(("red", "blue"), scores.values(), strict=True)
    ]
    if forfeits:
        teams[1] = {"id": "blue", "score": teams[1]["score"], "forfeit?": True}
    players = [{"id": name, "score": points} for name, points in scores.items()]
    return {"match_id": match_id, "participants": players, "teams": teams}
