"""Event bodies as a game server writes them."""

from datetime import timedelta
from itertools import count

from apps.core.actors import Actor
from apps.core.clock import iso
from apps.tournaments.models import Entry, Tournament
from apps.tournaments.services.intake import Outcome, take_events
from tests.tournaments.world import START

GAME_SERVER = Actor("game", "internal_test")
_numbers = count(1)


def event(kind, *, id=None, after=0, **data):
    """An event `after` seconds of play."""
    return {
        "eventType": kind,
        "eventId": id or f"evt_{next(_numbers)}",
        "timestamp": iso(START + timedelta(seconds=after)),
        "data": data,
    }


def scored(player, score, *, after=1, **more):
    """A score report."""
    own = {name: more.pop(name) for name in ("id",) if name in more}
    return event("player.score.updated", after=after, playerId=player, score=score, **own, **more)


def out(player, *, after=60, **more):
    """An elimination."""
    return event("player.eliminated", after=after, playerId=player, **more)


def take(tournament, *events, at=START) -> list[Outcome]:
    """What the game server's call does."""
    return take_events(tournament.pk, list(events), actor=GAME_SERVER, at=at)


def outcomes(tournament, *events, at=START) -> list[str]:
    """The outcome words of a call."""
    return [one.outcome for one in take(tournament, *events, at=at)]


def entry_of(tournament, name) -> Entry:
    """The entry of a user id."""
    return Entry.objects.select_related("player").get(tournament=tournament, player__external_id=name)


def points(tournament) -> dict[str, float]:
    """Points by user id."""
    rows = Entry.objects.filter(tournament=tournament).values_list("player__external_id", "points")
    return {name: float(value) for name, value in rows}


def fresh(tournament) -> Tournament:
    """The tournament as the database has it."""
    return Tournament.objects.get(pk=tournament.pk)
