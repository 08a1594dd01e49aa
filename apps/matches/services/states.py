"""What every verb of matches shares: its refusals, and a match with its people, held and written back."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import django_fsm as fsm
from django.db import connection

from apps.core.actors import Actor
from apps.core.errors import DomainError, NotFound
from apps.core.exact import dumps
from apps.events.services import recording as events
from apps.matches.models import Match, Participant, Team


class MatchNotFound(NotFound):
    """There is no such match."""

    code = "MATCH_NOT_FOUND"


class ParticipantNotFound(NotFound):
    """The match has no such participant."""

    code = "PARTICIPANT_NOT_FOUND"


class TeamNotFound(NotFound):
    """The match has no such team."""

    code = "TEAM_NOT_FOUND"


class InvalidState(DomainError):
    """The match's state does not allow this."""

    code = "INVALID_STATE"


class MatchNotLive(DomainError):
    """The match is not live."""

    code = "MATCH_NOT_LIVE"


@contextmanager
def refusing_wrong_states(match: Match, verb: str) -> Iterator[None]:
    """Turn an edge that the graph lacks into InvalidState."""
    try:
        yield
    except fsm.TransitionNotAllowed as refusal:
        message = f"Can't {verb} a match that is {match.get_status_display().lower()}."
        raise InvalidState(message, status=match.status) from refusal


@dataclass(slots=True)
class Held:
    """A match that this transaction holds, with its teams and participants in ascending order of their ids."""

    match: Match
    teams: list[Team]
    participants: list[Participant]

    @classmethod
    def of(cls, match: Match) -> "Held":
        """Load what belongs to a match that the caller has locked: one query, because no team is without people."""
        rows = Participant.objects.filter(match=match).select_related("team")
        participants = sorted(rows, key=lambda one: one.wire_id)
        teams: dict[int, Team] = {}
        for one in participants:
            one.team = teams.setdefault(one.team_id, one.team)
        return cls(match, sorted(teams.values(), key=lambda team: team.wire_id), participants)

    def team(self, wire_id: str) -> Team:
        """Return a team by its id. Raises TeamNotFound."""
        found = next((team for team in self.teams if team.wire_id == wire_id), None)
        if found is None:
            raise TeamNotFound(teamId=wire_id)
        return found

    def participant(self, name: str) -> Participant:
        """Return a participant by the id that the game knows or by the operator's own. Raises ParticipantNotFound."""
        for one in self.participants:
            if name in (one.wire_id, one.user_id):
                return one
        raise ParticipantNotFound(participantId=name)

    def of_team(self, team: Team) -> list[Participant]:
        """Return a team's participants."""
        return [one for one in self.participants if one.team_id == team.pk]


def hold(match_id: int) -> Held:
    """Return a match, locked until this transaction ends, with its people. Raises MatchNotFound."""
    match = Match.objects.locked().filter(pk=match_id).first()
    if match is None:
        raise MatchNotFound
    return Held.of(match)


SAVE = """
    WITH of_teams AS (
        UPDATE matches_team t
           SET score = n.score, ranking = n.ranking, forfeited_at = n.forfeited_at,
               forfeited_by = n.forfeited_by, leads = n.leads
          FROM jsonb_to_recordset(%s::jsonb) AS n (id bigint, score bigint, ranking int, forfeited_at timestamptz,
                                                   forfeited_by text, leads boolean)
         WHERE t.id = n.id
    )
    UPDATE matches_participant p
       SET score = n.score, scored_at = n.scored_at, submitted = n.submitted, attempt_open = n.attempt_open,
           paid_units = n.paid_units
      FROM jsonb_to_recordset(%s::jsonb) AS n (id bigint, score bigint, scored_at timestamptz, submitted int,
                                               attempt_open boolean, paid_units numeric)
     WHERE p.id = n.id
"""
TEAM_COLUMNS = ("id", "score", "ranking", "forfeited_at", "forfeited_by", "leads")
SEAT_COLUMNS = ("id", "score", "scored_at", "submitted", "attempt_open", "paid_units")


def save_play(held: Held) -> None:
    """Write what play and payment change of every team and participant: one statement, however many there are."""
    with connection.cursor() as cursor:
        cursor.execute(SAVE, [_rows(held.teams, TEAM_COLUMNS), _rows(held.participants, SEAT_COLUMNS)])


def _rows(rows: Sequence[Team | Participant], columns: Sequence[str]) -> str:
    return dumps([{name: getattr(row, name) for name in columns} for row in rows])


def save(match: Match, *fields: str, at: datetime) -> None:
    """Write a match's state and these fields, and when it changed."""
    match.changed_at = at
    match.save(update_fields=["status", "due_at", "changed_at", *fields])


def report(match: Match, facts: Iterable[events.NewFact], *, actor: Actor, at: datetime) -> None:
    """Record facts about a match."""
    events.record_many(facts, operator_id=match.operator_id, actor=actor, at=at)
