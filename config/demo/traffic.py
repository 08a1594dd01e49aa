"""Games being played: tournaments created, entered, scored and finished over HTTP, so that boards move."""

import random
import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from config.demo.client import Client, Refused
from config.demo.waiting import came

GAME = "crash-classic"
NAMES = (
    "Mara Ilse Odin Runa Theo Vera Nils Iris Hugo Lena Arno Edda Finn Gwen Jona Kaia Leif Mila Nora Otto Pia Quinn "
    "Rosa Sven Tara Uwe Viva Wim Xena Yara Zeno Alva Bram Cleo Dara Ezra Faye Gus Hedy Ivo"
).split()

# The last two are suspended or have excluded themselves (see `world`).
PLAYING = NAMES[:-2]


def stamp(moment: datetime) -> str:
    """Write a moment as the API reads it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def event(tournament_id: str, kind: str, **data: Any) -> dict[str, Any]:
    """Return what a game server reports (operators.md 5)."""
    return {
        "eventType": kind,
        "eventId": f"evt_{uuid.uuid4().hex}",
        "timestamp": datetime.now(UTC).isoformat(),
        "tournamentId": tournament_id,
        "data": data,
    }


@dataclass(slots=True)
class Field:
    """A tournament being played: its players' internal ids and points."""

    tournament_id: str
    points: dict[str, int] = field(default_factory=dict)

    def enter(self, casino: Client, user_id: str, name: str, fee: float) -> None:
        """Register one player."""
        path = f"/api/tournaments/{self.tournament_id}/players"
        body = {"userId": user_id, "displayName": name, "buyInAmount": fee}
        self.points[casino.post(path, body)["internalPlayerId"]] = 0

    def play_round(self, platform: Client, number: int, players: Sequence[str], dice: random.Random) -> None:
        """Report one round of some players: its start, their scores, its end."""
        scores = []
        for player in players:
            self.points[player] += dice.choice((0, 5, 10, 15, 25, 60))
            scores.append(
                event(
                    self.tournament_id,
                    "player.score.updated",
                    playerId=player,
                    score=self.points[player],
                    round=number,
                )
            )
        started = event(self.tournament_id, "round.started", round=number)
        ended = event(self.tournament_id, "round.completed", round=number)
        platform.post(f"/internal/tournaments/{self.tournament_id}/events", [started, *scores, ended])


def play_one(casino: Client, platform: Client, *, players: int, rounds: int, say: Callable[[str], None]) -> str:
    """Play one tournament from its creation to its completion over HTTP; return its id."""
    dice = random.Random(7)  # noqa: S311 - points of a game
    new = {
        "name": "Demo Championship",
        "startTime": stamp(datetime.now(UTC) + timedelta(hours=1)),
        "gameSlug": GAME,
        "maxPlayers": 100,
        "entryFee": 10.00,
        "config": {"maxRounds": rounds},
    }
    tournament_id: str = casino.post("/api/tournaments", new)["tournamentId"]
    say(f"created tournament {tournament_id}")
    playing = Field(tournament_id)
    for number in range(players):
        playing.enter(casino, f"once-{number}", NAMES[number % len(NAMES)], 10.00)
    say(f"registered {players} players")
    casino.post(f"/api/tournaments/{tournament_id}/start")
    for number in range(1, rounds + 1):
        playing.play_round(platform, number, list(playing.points), dice)
    say(f"played {rounds} rounds")
    return tournament_id


def wait_paid(casino: Client, tournament_id: str, *, players: int, seconds: float = 60) -> bool:
    """Tell whether every prize has been reported as distributed before the time is up."""

    def paid() -> bool:
        events = casino.get(f"/api/tournaments/{tournament_id}/events?limit=200")["events"]
        kinds = [told["eventType"] for told in events]
        return kinds.count("prize.distributed") >= players and "tournament.settled" in kinds

    return came(paid, seconds=seconds, every=0.2)


@dataclass(slots=True)
class Traffic:
    """Keeps one operator's games going until `stop` is set; a refusal is said and play goes on."""

    casino: Client
    platform: Client
    say: Callable[[str], None]
    stop: threading.Event
    minutes: int = 6
    _dice: random.Random = field(default_factory=random.Random)

    def run(self) -> None:
        """Play tournaments one after the other, a few rounds a minute."""
        while not self.stop.is_set():
            try:
                self._play_sprint()
            except (Refused, httpx.HTTPError) as problem:
                self.say(f"traffic: {problem}")
                self.stop.wait(5)

    def _play_sprint(self) -> None:
        now = datetime.now(UTC)
        sprint = self.casino.post(
            "/api/tournaments",
            {
                "name": f"Sprint of {now:%H:%M}",
                "startTime": stamp(now),
                "endTime": stamp(now + timedelta(minutes=self.minutes)),
                "game": GAME,
                "entry_fee": 5,
                "prize_pool": {"total": 100, "distribution": {"1": 50, "2": 30, "3": 20}},
                "rebuyEnabled": True,
            },
        )
        playing = Field(sprint["tournamentId"])
        for number, name in enumerate(self._dice.sample(PLAYING, 16)):
            playing.enter(self.casino, f"player-{NAMES.index(name) + 1}", name, 5)
            if number % 4 == 3:  # noqa: PLR2004 - they come in small groups
                self.stop.wait(0.5)
        ends = now + timedelta(minutes=self.minutes, seconds=-5)
        number = 0
        while not self.stop.wait(1.5) and datetime.now(UTC) < ends:
            number += 1
            some = self._dice.sample(list(playing.points), 6)
            playing.play_round(self.platform, number, some, self._dice)
        self.stop.wait(8)
