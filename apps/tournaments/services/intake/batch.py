"""The work of one call: what it holds, what it changes in memory, and the few statements that write it down."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import msgspec
from django.db import connection, transaction

from apps.core.actors import Actor
from apps.events.services import recording as events
from apps.events.services.recording import NewFact
from apps.tournaments import board
from apps.tournaments.lifecycle import EntryStatus, TournamentStatus
from apps.tournaments.models import Entry, GameEvent, Tournament
from apps.tournaments.services import tally
from apps.tournaments.services.intake.roster import Roster
from apps.tournaments.services.intake.shapes import Event

ACCEPTED = "accepted"
DUPLICATE = "duplicate"
IGNORED = "ignored"
STALE = "stale"
REJECTED = "rejected"

_encoder = msgspec.json.Encoder(decimal_format="number")

# In the order of their ids, so that two calls with the same events wait for each other and never in a circle.
_NOTE = """
    INSERT INTO tournaments_gameevent
           (tournament_id, event_id, type, payload, outcome, note, occurred_at, received_at)
    SELECT %s, e.event_id, e.type, e.payload, 'accepted', '', e.occurred_at, %s
      FROM jsonb_to_recordset(%s::jsonb) AS e(event_id text, type text, payload jsonb, occurred_at timestamptz)
     ORDER BY e.event_id COLLATE "C"
        ON CONFLICT (tournament_id, event_id) DO NOTHING
    RETURNING event_id
"""

_JUDGE = """
    UPDATE tournaments_gameevent g SET outcome = o.outcome, note = o.note
      FROM jsonb_to_recordset(%s::jsonb) AS o(event_id text, outcome text, note text)
     WHERE g.tournament_id = %s AND g.event_id = o.event_id
"""

_WRITE = """
    UPDATE tournaments_entry e
       SET points = n.points, scored_at = n.scored_at, score_reported_at = n.score_reported_at,
           current_round = n.current_round, status = n.status, elimination_round = n.elimination_round,
           eliminated_at = n.eliminated_at, score_version = n.score_version, changed_at = %s
      FROM jsonb_to_recordset(%s::jsonb) AS n(
           id bigint, points numeric, scored_at timestamptz, score_reported_at timestamptz, current_round integer,
           status text, elimination_round integer, eliminated_at timestamptz, score_version bigint)
     WHERE e.id = n.id
"""
_WRITTEN = (
    "points",
    "scored_at",
    "score_reported_at",
    "current_round",
    "status",
    "elimination_round",
    "eliminated_at",
    "score_version",
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one event: accepted, duplicate, ignored, stale or rejected; `note` says why."""

    event_id: str
    outcome: str
    note: str = ""


@dataclass(slots=True)
class Batch:
    """One call at work. Changes gather here and are written together; whoever ends the tournament writes first."""

    tournament: Tournament
    roster: Roster
    actor: Actor
    at: datetime
    _changed: dict[int, Entry] = field(default_factory=dict)
    _moved: dict[int, Entry] = field(default_factory=dict)
    _facts: list[NewFact] = field(default_factory=list)
    _left: int = 0
    _active: int | None = None

    @property
    def running(self) -> bool:
        """Tell whether play goes on; an earlier event of the same call may have ended it."""
        return bool(self.tournament.status == TournamentStatus.RUNNING)

    @property
    def active(self) -> int:
        """How many players are still in. Exact only while the tournament is held alone."""
        if self._active is None:
            self._active = tally.totals(self.tournament.pk).active
        return self._active

    def change(self, entry: Entry, *, moves: bool) -> None:
        """Remember to write an entry; `moves`: its place on the board may have changed."""
        self._changed[entry.pk] = entry
        if moves and entry.pk not in self._moved:
            entry.score_version += 1
            self._moved[entry.pk] = entry

    def player_out(self) -> int:
        """Count one player out and return the final position: the players left, plus one."""
        position = self.active
        self._active = position - 1
        self._left += 1
        return position

    def report(self, fact: NewFact) -> None:
        """Remember to record a fact."""
        self._facts.append(fact)

    def write(self) -> None:
        """Write what has gathered: entries in one statement, counts, facts; the board hears of it after the commit."""
        if self._changed:
            rows = [
                {"id": entry.pk} | {name: getattr(entry, name) for name in _WRITTEN} for entry in self._changed.values()
            ]
            with connection.cursor() as cursor:
                cursor.execute(_WRITE, [self.at, _encoder.encode(rows).decode()])
        if self._left:
            tally.move(self.tournament.pk, active=-self._left)
        if self._facts:
            events.record_many(self._facts, operator_id=self.tournament.operator_id, actor=self.actor, at=self.at)
        if self._moved:
            transaction.on_commit(partial(board.push, self.tournament.pk, list(self._moved.values())), robust=True)
        self._changed, self._moved, self._facts, self._left = {}, {}, [], 0


def note_events(tournament: Tournament, noted: Sequence[Event], *, at: datetime) -> set[str]:
    """Store events as they came, once per id and tournament; return the ids that are new.

    Waits for a concurrent call with the same ids, and then finds them taken.
    """
    rows = [
        {"event_id": event.id, "type": event.type, "payload": event.raw, "occurred_at": event.at}
        for event in {event.id: event for event in reversed(noted)}.values()
    ]
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, [tournament.pk, at, _encoder.encode(rows).decode()])
        return {row[0] for row in cursor.fetchall()}


def note_outcomes(tournament: Tournament, outcomes: Sequence[Outcome]) -> None:
    """Store what became of new events; they were stored as accepted."""
    rows = [
        {"event_id": one.event_id, "outcome": one.outcome, "note": one.note}
        for one in outcomes
        if (one.outcome, one.note) != (ACCEPTED, "")
    ]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_JUDGE, [_encoder.encode(rows).decode(), tournament.pk])


def first_outcomes(tournament: Tournament, event_ids: Sequence[str]) -> dict[str, str]:
    """Return what became of events that were stored before."""
    rows = GameEvent.objects.filter(tournament=tournament, event_id__in=event_ids)
    return dict(rows.values_list("event_id", "outcome"))


def missing(entry: Entry | None) -> str:
    """Return why an entry can't be acted on, "" if it can."""
    if entry is None:
        return "no such player in this tournament"
    return "the player has withdrawn" if entry.status == EntryStatus.WITHDRAWN else ""
