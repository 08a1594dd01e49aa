"""An integration that sends game rounds over HTTP, and tournaments that are scored from them."""

import random
import secrets
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx

from apps.core.api.json import dumps
from config.demo.cashier import CLOSED, UNREACHABLE, Cashier
from config.demo.client import Client, Refused
from config.demo.traffic import PLAYING, stamp
from config.demo.waiting import wait_for

FOX, STAR = "ACME_LUCKY_FOX", "ACME_NORTH_STAR"
TITLES = {FOX: "Lucky Fox", STAR: "North Star"}
CALL = 100
# What one euro is; every second player plays in Swedish kronor.
RATES = {"SEK": 11.2, "USD": 1.25, "GBP": 0.8}
BETS: dict[str, tuple[Any, ...]] = {"EUR": (Decimal("0.5"), 1, 2, 5), "SEK": (5, 10, 20, 50)}
Prizes = list[dict[str, Any]]


class Feed:
    """The integration's server: sends rounds with its own key, and expects to be heard."""

    def __init__(self, base_url: str, integration: str, key: str) -> None:
        """Keep one connection open."""
        headers = {"X-API-Key": key, "Content-Type": "application/json"}
        self._http = httpx.Client(base_url=base_url, headers=headers, timeout=30)
        self.integration = integration

    def single(self, told: object) -> int:
        """Send one round; return 202 if a tournament counts it, 200 if none does. Raises Refused."""
        return self._send("single", told)

    def batch(self, rounds: Sequence[object]) -> int:
        """Send rounds, a hundred a call; return the last status. Raises Refused."""
        return max(self._send("batch", rounds[at : at + CALL]) for at in range(0, len(rounds), CALL))

    def _send(self, how: str, body: object) -> int:
        answer = self._http.post(f"/gamerounds/{self.integration}/{how}", content=dumps(body))
        if not answer.is_success:
            raise Refused(f"rounds: {answer.status_code} {answer.text}")
        return answer.status_code


def a_round(number: int, *, at: datetime, game: str, bet: Any, win: Any, currency: str) -> dict[str, Any]:
    """Return a finished round of a player (rounds.md 3.1)."""
    return {
        "timestamp": at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "roundId": f"r-{secrets.token_hex(8)}",
        "brandId": "acme",
        "playerId": f"player-{number}",
        "gameId": game,
        "roundType": "REGULAR",
        "currency": currency,
        "betAmount": bet,
        "winAmount": win,
    }


@dataclass(slots=True)
class Spins:
    """Plays games in rounds until `stop` is set; a refusal is said and play goes on."""

    feed: Feed
    operator: Client
    cashier: Cashier
    say: Callable[[str], None]
    stop: threading.Event
    pause: float = 2.0
    _dice: random.Random = field(default_factory=random.Random)

    def run(self) -> None:
        """Leave tournaments in several states, then send what is played: some rounds together, some alone."""
        furnished = False
        while not self.stop.is_set():
            try:
                if not furnished:
                    self.prepare()
                    self.furnish()
                    furnished = True
                now = datetime.now(UTC)
                self.feed.batch([*self.spins(30, since=now - timedelta(seconds=self.pause), until=now)])
                for told in self.spins(2, since=now, until=now):
                    self.feed.single(told)
            except (Refused, httpx.HTTPError) as problem:
                self.say(f"rounds: {problem}")
                self.stop.wait(5)
            self.stop.wait(self.pause)

    def prepare(self) -> None:
        """Have two games that give free rounds, and the rates of the day."""
        for game, title in TITLES.items():
            wanted = {"displayName": title, "provider": "Acme Studios", "isFreeroundSupported": True}
            self.operator.call("PUT", f"/api/games/{game}", wanted)
        # From midnight two days ago, so that what was played since has a rate, too.
        day = (datetime.now(UTC) - timedelta(days=2)).date().isoformat()
        self.operator.call("PUT", "/api/exchange-rates", {"base": "EUR", "date": day, "rates": RATES})

    def furnish(self) -> None:
        """Leave tournaments that run, one with prizes on their way, one that waits for approval; and their rounds."""
        now, hour = datetime.now(UTC), timedelta(hours=1)
        self.feed.batch([*self.spins(300, since=now - 4 * hour, until=now - 2 * hour)])
        soon = now + timedelta(seconds=20)
        prizes = [cash(1, 60), cash(2, 40), cash(3, 10, until=8), spins(9, 20, until=16)]
        final: dict[str, Any] = {"method": "WAGERED_AMOUNT", "graceSeconds": 0, "rail": "operator"}
        for name, approved in (("Lucky Fox Final", True), ("High Stakes Final", False)):
            self.open(name, since=now - 2 * hour, until=soon, prizes=prizes, autoPayout=approved, **final)
        race = [cash(1, 250), cash(2, 100, until=3), spins(1, 50, until=3), spins(4, 20, until=20)]
        self.open("Wager Race", since=now - hour, until=now + 8 * hour, prizes=race, method="WAGERED_AMOUNT", minBet=1)
        fifty: dict[str, Any] = {
            "method": "WIN_BET_RATIO",
            "limitRounds": 50,
            "minRounds": 5,
            "allowReset": True,
            "games": [FOX],
        }
        self.open("First Fifty Spins", since=now - hour, until=now + 6 * hour, prizes=[cash(1, 50, until=3)], **fifty)
        guests = [{"brandId": "acme", "playerId": f"player-{number}"} for number in range(1, 9)]
        self.open(
            "VIP Lounge", since=now - hour, until=now + 5 * hour, prizes=[cash(1, 500)],
            method="BEST_MULTIPLIER", optIn="INVITED", invited=guests,
        )  # fmt: skip
        battle = self.open(
            "Buy-in Battle", since=now - hour, until=now + 7 * hour, fee=5,
            prizes=[{"rankFrom": rank, "prizes": [{"type": "POOL_SHARE", "percent": percent}]}
                    for rank, percent in ((1, 60), (2, 40))],
            method="TOTAL_WIN", optIn="BUY_IN", debitUrl=self.cashier.at("debits"),
        )  # fmt: skip
        self.buy_in(battle, range(3, 9))
        # Two who win for certain: prizes of theirs need a person, or another try.
        sure = [
            a_round(int(player.partition("-")[2]), at=now - hour, game=STAR, bet=bet, win=bet / 2, currency="EUR")
            for player, bet in ((CLOSED, 900), (UNREACHABLE, 700))
        ]
        self.feed.batch([*self.spins(900, since=now - 2 * hour, until=now), *sure])

    def open(self, name: str, *, since: datetime, until: datetime, prizes: Prizes, fee: int = 0, **scoring: Any) -> str:
        """Make a tournament that is scored by rounds; return its id."""
        wanted = {
            "name": name,
            "game": FOX,
            "scheduled_start": stamp(since),
            "endTime": until.isoformat(),
            "entry_fee": fee,
            "currency": "EUR",
            "scoring": {"source": "rounds", "games": [FOX, STAR], "prizes": prizes} | scoring,
        }
        return str(self.operator.post("/api/tournaments", wanted)["tournamentId"])

    def buy_in(self, tournament: str, players: Iterable[int]) -> None:
        """Have players join for a fee that the operator takes in their own currency."""
        for number in players:
            body = {"userId": f"player-{number}", "displayName": PLAYING[number - 1], "currency": currency_of(number)}
            self.operator.post(f"/api/tournaments/{tournament}/players", body)

    def spins(self, many: int, *, since: datetime, until: datetime) -> Iterable[dict[str, Any]]:
        """Make up rounds of some players between two moments, in their order; most are lost."""
        moments = sorted(since + (until - since) * self._dice.random() for _ in range(many))
        for moment in moments:
            # The first players play more.
            number = 1 + int(len(PLAYING) * self._dice.random() ** 1.6)
            currency = currency_of(number)
            bet = Decimal(self._dice.choice(BETS[currency]))
            win = bet * self._dice.choice((0, 0, 0, 0, 0, 0, Decimal("0.5"), 1, 2, Decimal("5.75")))
            game = self._dice.choice((FOX, FOX, STAR))
            yield a_round(number, at=moment, game=game, bet=bet, win=win, currency=currency)

    def begin(self) -> str:
        """Open a tournament of a few seconds, send its rounds, one of them again; return its name for `prove`.

        Player 1 wagers 50 EUR, player 2 the same in SEK and one more; of player 3 the limit leaves 20 of 60.
        """
        self.prepare()
        now = datetime.now(UTC)
        name = f"Proof {secrets.token_hex(3)}"
        tournament = self.open(
            name, since=now - timedelta(minutes=1), until=now + timedelta(seconds=8),
            prizes=[cash(1, 25), cash(2, 10, until=3), spins(3, 40)],
            method="WAGERED_AMOUNT", limitRounds=2, graceSeconds=0, rail="operator",
        )  # fmt: skip
        bets = [(1, 25, "EUR"), (1, 25, "EUR"), (2, 280, "SEK"), (2, Decimal("291.2"), "SEK")]
        bets += [(3, 10, "EUR"), (3, 10, "EUR"), (3, 40, "EUR")]
        told = [
            a_round(number, at=now - timedelta(seconds=30 - place), game=FOX, bet=bet, win=0, currency=currency)
            for place, (number, bet, currency) in enumerate(bets)
        ]
        statuses = (self.feed.batch(told), self.feed.batch(told), self.feed.single(told[0]))
        if statuses != (202, 202, 202):
            raise Refused(f"Rounds of an open tournament were answered {statuses}.")
        path = f"/api/tournaments/{tournament}/leaderboard"
        want = [("player-2", 51), ("player-1", 50), ("player-3", 20)]
        wait_for(lambda: self._board(path) == want, f"The rounds of {name} were not counted as they should be.")
        return name

    def prove(self, name: str) -> str:
        """Wait until the cashier has paid the winners of `begin`, and check every amount. Raises Refused."""
        want = {
            "player-2": [(Decimal(280), "SEK")],
            "player-1": [(Decimal(10), "EUR")],
            "player-3": [(Decimal("0.25"), "EUR"), (Decimal(10), "EUR")],
        }
        wait_for(lambda: len(self.cashier.prizes_of(name)) == len(want), f"The prizes of {name} were not paid.")
        wait_for(lambda: self._paid(name) == want, f"{name} paid {self.cashier.prizes_of(name)}.", seconds=10)
        return f"played rounds for {name}: seven sent twice, counted once; 280 SEK, 20 EUR and 40 free rounds paid"

    def _board(self, path: str) -> list[tuple[str, int]]:
        return [(row["userId"], row["points"]) for row in self.operator.get(path)["leaderboard"]]

    def _paid(self, name: str) -> dict[str, list[tuple[Decimal, str]]]:
        return {player: sorted(paid) for player, paid in self.cashier.prizes_of(name).items()}


def currency_of(number: int) -> str:
    """Return what a player plays in."""
    return "EUR" if number % 2 else "SEK"


def cash(rank: int, amount: int, *, until: int = 0) -> dict[str, Any]:
    """Return a row of cash for a rank, or for several."""
    return {"rankFrom": rank, "rankTo": until or rank, "prizes": [{"type": "CASH", "amount": amount}]}


def spins(rank: int, count: int, *, until: int = 0) -> dict[str, Any]:
    """Return a row of free rounds of a quarter, to be used within two days."""
    prize = {"type": "FREEROUND", "count": count, "gameId": FOX, "value": "0.25", "validHours": 48}
    return {"rankFrom": rank, "rankTo": until or rank, "prizes": [prize]}
