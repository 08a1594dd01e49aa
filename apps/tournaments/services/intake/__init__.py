"""Take what game servers report (operators.md 6, queue B; 11.8): once each, all well formed or none.

An event counts once per tournament, by its `eventId`. Well-formed events are always acknowledged, as a queue's consumer
would: each gets an outcome, and one that comes too late or names nobody is `stale` or `rejected`, with a note, and
changes nothing. Outcomes are final: the same id again is a `duplicate`, whatever became of the first.

Scores are absolute and carry the game's time, so any order and any repetition of the same reports ends in the same
points. Batches of scores run side by side; what changes the course of the tournament runs alone.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

import structlog
from django.db import transaction

from apps.core.actors import Actor
from apps.core.errors import Invalid
from apps.tournaments.lifecycle import TournamentStatus
from apps.tournaments.models import Tournament
from apps.tournaments.services.entries import TournamentNotFound
from apps.tournaments.services.intake import course, shapes
from apps.tournaments.services.intake.batch import (
    ACCEPTED,
    DUPLICATE,
    IGNORED,
    Batch,
    Outcome,
    first_outcomes,
    note_events,
    note_outcomes,
)
from apps.tournaments.services.intake.eliminations import take_eliminations
from apps.tournaments.services.intake.roster import Roster
from apps.tournaments.services.intake.scores import take_score
from apps.tournaments.services.intake.shapes import MAX_EVENTS, Event

__all__ = ["ACCEPTED", "MAX_EVENTS", "Outcome", "take_events"]

log = structlog.get_logger(__name__)

# These may run beside each other; everything else that we know changes the course and runs alone.
SIDE_BY_SIDE = frozenset({shapes.SCORE, shapes.JOINED, shapes.LEFT, shapes.REBUY_REQUESTED})

# These become facts about their players.
REPORTED = frozenset({shapes.ELIMINATED, shapes.REBUY_REQUESTED})

TAKERS: Mapping[str, Callable[[Batch, Event], Outcome]] = {
    shapes.SCORE: take_score,
    shapes.JOINED: course.take_presence,
    shapes.LEFT: course.take_presence,
    shapes.REBUY_REQUESTED: course.take_rebuy_request,
    shapes.ROOM_CREATED: course.take_room,
    shapes.ROUND_STARTED: course.take_round_start,
    shapes.ROUND_COMPLETED: course.take_round_end,
    shapes.COMPLETED: course.take_end,
}


def take_events(
    tournament_id: int, events: Sequence[Any], *, within: int | None = None, actor: Actor, at: datetime
) -> list[Outcome]:
    """Take 1 to 1000 event bodies for a tournament, in their order; return one outcome each.

    `within` is the only operator whose tournaments the caller reaches; None reaches all. Raises Invalid, and takes
    none, when any is not well formed or names another tournament or operator; raises TournamentNotFound.
    """
    given = shapes.read_events(events, tournament_id=tournament_id)
    with transaction.atomic():
        return _take(_hold(tournament_id, given, within=within), given, actor=actor, at=at)


def _hold(tournament_id: int, given: Sequence[Event], *, within: int | None) -> Tournament:
    """Hold the tournament, beside others if the events allow it. Raises TournamentNotFound."""
    # Looked at before it is held: a key must not keep another tenant's players waiting, not even for a moment.
    reached = Tournament.objects.filter(pk=tournament_id).exclude(status=TournamentStatus.DRAFT)
    if within is not None:
        reached = reached.for_operator(within)
    if not reached.exists():
        raise TournamentNotFound
    beside = all(event.data is None or event.type in SIDE_BY_SIDE for event in given)
    hold = Tournament.objects.hold_shared if beside else Tournament.objects.hold
    tournament: Tournament = hold(tournament_id)
    return tournament


def _take(tournament: Tournament, given: Sequence[Event], *, actor: Actor, at: datetime) -> list[Outcome]:
    _check_operator(tournament, given)
    new = note_events(tournament, given, at=at)
    fresh: list[Event] = []
    repeated: set[int] = set()
    for place, event in enumerate(given):
        if event.id in new:
            new.discard(event.id)
            fresh.append(event)
        else:
            repeated.add(place)
    reporting = any(event.type in REPORTED for event in fresh)
    batch = Batch(tournament, Roster(tournament, _names(fresh), with_players=reporting), actor, at)
    judged = _judge(batch, fresh)
    batch.write()
    note_outcomes(tournament, judged)
    before = first_outcomes(tournament, [given[place].id for place in repeated]) if repeated else {}
    remaining = iter(judged)
    return [
        Outcome(event.id, DUPLICATE, f"taken before: {before[event.id]}") if place in repeated else next(remaining)
        for place, event in enumerate(given)
    ]


def _check_operator(tournament: Tournament, given: Sequence[Event]) -> None:
    """Raise Invalid if an event names an operator that isn't the tournament's."""
    for place, event in enumerate(given):
        if event.operator_id not in (None, tournament.operator.public_id):
            where = f"events[{place}].operatorId" if len(given) > 1 else "event.operatorId"
            raise Invalid("An event names another operator; nothing was taken.", fields={where: ["Not the owner."]})


def _names(events: Sequence[Event]) -> Iterator[str]:
    """Every player that the events are about."""
    for event in events:
        if isinstance(event.data, shapes.CompletedData):
            yield from (str(one.player_id) for one in event.data.final_standings or ())
        elif hasattr(event.data, "player_id"):
            yield str(event.data.player_id)


def _judge(batch: Batch, fresh: Sequence[Event]) -> list[Outcome]:
    """Take new events in their order; eliminations that stand together are one round's."""
    outcomes: list[Outcome] = []
    for kind, together in groupby(fresh, key=lambda event: event.type):
        group = list(together)
        if kind == shapes.ELIMINATED:
            outcomes += take_eliminations(batch, group)
        elif kind in TAKERS:
            outcomes += [TAKERS[kind](batch, event) for event in group]
        else:
            log.info("game_event_ignored", type=kind, tournament_id=batch.tournament.pk, events=len(group))
            outcomes += [Outcome(event.id, IGNORED, "unknown type") for event in group]
    return outcomes
