"""What games are answered."""

from collections.abc import Iterable
from typing import Any

from apps.core.clock import iso
from apps.matches.api.words import match_status
from apps.matches.models import Dispute, Match, Participant, Report, ReportKind, Team
from apps.matches.services.finishing import Told
from apps.matches.services.launching import Seat
from apps.matches.services.notices import stub_of
from apps.matches.services.states import Held


def told_json(told: Told) -> dict[str, Any]:
    """Return the answer to a report (3.8, 3.9)."""
    answer: dict[str, Any] = {
        "match_id": told.match_id,
        "match_status": match_status(told.status),
        "accepted": told.accepted,
        "duplicate": told.duplicate,
    }
    if len(told.lines) == 1:
        answer["submissions_left"] = told.lines[0].submissions_left
    elif told.lines:
        answer["participants"] = [
            {
                "id": line.participant,
                "accepted": line.accepted,
                "duplicate": line.duplicate,
                "submissions_left": line.submissions_left,
            }
            for line in told.lines
        ]
    return answer


def seat_json(seat: Seat) -> dict[str, Any]:
    """Return whom a match token stands for (3.7)."""
    return {
        "match_id": seat.match.public_id,
        "user_id": seat.participant.user_id,
        "match_status": match_status(seat.match.status),
        "submissions_total": seat.match.submissions,
        "submissions_left": seat.submissions_left,
    }


def listed_json(match: Match) -> dict[str, Any]:
    """Return a match of the poll: the stub and where it stands (3.5)."""
    teams = sorted(match.teams.all(), key=lambda team: team.pk)
    participants = sorted(match.participants.all(), key=lambda one: one.pk)
    whole = stub_of(match, teams, participants)
    return {"match_id": whole["match_id"], "match_status": match_status(match.status), **whole}


def read_back_json(held: Held, reports: Iterable[Report]) -> dict[str, Any]:
    """Return a match with the result that stands, so that a game can see what counted (7, extension 7)."""
    match = held.match
    counted = [one for one in reports if one.accepted]
    first = next((one for one in counted if one.kind != ReportKind.SCORE), None)
    names = {team.pk: team.wire_id for team in held.teams}
    return {
        "match_id": match.public_id,
        "match_status": match_status(match.status),
        "participants": [_participant(one, names) for one in held.participants],
        "teams": [_team(team) for team in held.teams],
        "result": {
            "outcome": match.outcome.lower(),
            "leaders": [team.wire_id for team in held.teams if team.leads],
            "decided_at": iso(match.decided_at or match.ended_at),
            "held_until": iso(match.held_until),
            "corrected": any(one.kind == ReportKind.CORRECTION for one in counted),
        }
        if match.outcome
        else None,
        "reported": {"kind": first.kind.lower(), "received_at": iso(first.received_at), **first.body}
        if first
        else None,
        "error": {"reason": match.end_reason, "code": match.abort_code or None, "afk": match.absent}
        if match_status(match.status) == "aborted"
        else None,
    }


def _participant(one: Participant, names: dict[int, str]) -> dict[str, Any]:
    return {"id": one.wire_id, "team_id": names[one.team_id], "score": one.score}


def _team(team: Team) -> dict[str, Any]:
    forfeit = {"forfeit?": True} if team.forfeited_at is not None else {}
    return {"id": team.wire_id, "score": team.score, "ranking": team.ranking, **forfeit}


def dispute_json(dispute: Dispute) -> dict[str, Any]:
    """Return a dispute (7, extension 1)."""
    return {
        "dispute_id": str(dispute.pk),
        "participant_id": dispute.participant.wire_id,
        "type": dispute.type,
        "state": dispute.status.lower(),
        "note": dispute.note,
        "evidence": dispute.evidence,
        "opened_at": iso(dispute.opened_at),
        "decided_at": iso(dispute.decided_at),
        "decision": dispute.decision or None,
    }
