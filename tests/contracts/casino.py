"""An operator who talks to us in the casino dialect, and what the dialect's samples say."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import time_machine

from apps.core import clock
from apps.core.actors import Actor
from apps.events.models import Fact
from apps.ledger.models import Journal, Payout
from apps.operators.models import Operator, Player
from apps.operators.scopes import EVERY_SCOPE
from apps.tournaments.models import Entry, Tournament
from apps.tournaments.services import running
from apps.tournaments.services.intake import take_events
from tests.factories import Api, OperatorFactory, operator_key

# When the contract's samples happen: after the source text's, before their own start.
NOW = datetime(2031, 4, 30, 9, 0, tzinfo=UTC)
START = "2031-05-02T18:30:00Z"
GAME_SERVER = Actor("game", "internal_test")
_event_numbers = count(1)
UNLIMITED = {
    "rateLimits": dict.fromkeys(
        (
            "standard",
            "tournamentCreation",
            "registration",
            "results",
            "ceiling",
            "burstPerTenSeconds",
            "internal",
            "internalBurstPerTenSeconds",
            "rooms",
            "roomPolls",
            "rounds",
        ),
        1000000,
    )
}


def an_operator(**more: Any) -> Operator:
    """An operator whose calls are not limited, unless told otherwise."""
    preferences = UNLIMITED | more.pop("preferences", {})
    return OperatorFactory(preferences=preferences, **more)


class Casino(Api):
    """A casino's back end: a key, and short ways to say what the samples say."""

    def __init__(self, operator: Operator | None = None, scopes: Any = EVERY_SCOPE, **more: Any) -> None:
        self.operator = operator or an_operator()
        self.key = operator_key(self.operator, scopes)
        super().__init__(self.key, **more)

    def create(self, **fields: Any) -> str:
        """Create a tournament of 7.50 that starts on Friday; return its id."""
        body = {"name": "Friday Sprint", "game": "crash-classic", "scheduled_start": START, "entry_fee": 7.5}
        answer = self.post("/api/tournaments", body | fields)
        assert answer.status_code == 201, answer.content
        return answer.json()["tournament_id"]

    def register(self, tournament: str, user: str, **fields: Any) -> dict[str, Any]:
        """Register a player; return the answer."""
        body = {"user_id": user, "display_name": user.title()} | fields
        answer = self.post(f"/api/tournaments/{tournament}/players", body)
        assert answer.status_code == 201, answer.content
        return answer.json()

    def running(self, *users: str, **fields: Any) -> str:
        """Create a tournament with these players and start it; return its id."""
        made = self.create(**fields)
        for user in users:
            self.register(made, user)
        answer = self.post(f"/api/tournaments/{made}/start")
        assert answer.status_code == 200, answer.content
        return made


@contextmanager
def at_time(moment: datetime) -> Iterator[None]:
    """Have everything happen at one moment."""
    with time_machine.travel(moment, tick=False):
        yield


def report(tournament: str, kind: str, *, after: int = 0, **data: Any) -> None:
    """Have the game server report something, `after` seconds from now by its clock."""
    now = clock.now()
    event = {
        "eventType": kind,
        "eventId": f"evt_test_{next(_event_numbers)}",
        "timestamp": clock.iso(now + timedelta(seconds=after)),
        "data": data,
    }
    (outcome,) = take_events(int(tournament), [event], actor=GAME_SERVER, at=now)
    assert outcome.outcome == "accepted", outcome


def score(tournament: str, **points: Any) -> None:
    """Have the game server report points by user id."""
    for user, value in points.items():
        report(tournament, "player.score.updated", playerId=user, score=value)


def complete(tournament: str) -> None:
    """End it, as the last round does."""
    running.complete(int(tournament), actor=GAME_SERVER, at=clock.now())


def everything() -> dict[str, list[Any]]:
    """All that a refused call must leave alone."""
    return {
        "tournaments": sorted(Tournament.objects.values_list("pk", "status", "name", "max_players", "fee_units")),
        "entries": sorted(Entry.objects.values_list("pk", "status", "entry_count", "paid_units")),
        "players": sorted(Player.objects.values_list("pk", flat=True)),
        "facts": sorted(Fact.objects.values_list("pk", flat=True)),
        "journals": sorted(Journal.objects.values_list("pk", flat=True)),
        "payouts": sorted(Payout.objects.values_list("pk", "status")),
    }
