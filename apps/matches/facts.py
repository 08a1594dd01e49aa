"""Names and payloads of what matches report. Amounts are decimal strings in major units, as in the wallet's facts."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from apps.core.clock import iso
from apps.events.services.recording import NewFact
from apps.ledger.money import written
from apps.matches.models import Dispute, Match, Notice, Participant, Report, Team


def amount(match: Match, units: int | Decimal) -> str:
    """Return base units of the match's asset as text."""
    return written(units, match.asset.scale)


def _fact(name: str, match: Match, **data: Any) -> NewFact:
    return NewFact(name, match.subject, {"matchId": match.public_id, **data})


def created(match: Match, participants: Sequence[Participant]) -> NewFact:
    """`match.created`."""
    return _fact(
        "match.created",
        match,
        mode=match.mode.lower(),
        entryFee=amount(match, match.entry_fee_units),
        currency=match.asset.code,
        participants=[{"userId": one.user_id, "teamId": one.team.wire_id} for one in participants],
        confirmBy=iso(match.confirm_by),
        rematchOf=match.rematch_of.public_id if match.rematch_of else None,
    )


def confirmed(match: Match, participant: Participant) -> NewFact:
    """`match.confirmed`: a participant is in, their stake is reserved."""
    return _fact("match.confirmed", match, userId=participant.user_id, stake=amount(match, participant.stake_units))


def escrowed(match: Match, participants: int) -> NewFact:
    """`match.escrowed`: every stake lies in escrow."""
    return _fact(
        "match.escrowed",
        match,
        pot=amount(match, match.pot_units),
        currency=match.asset.code,
        participants=participants,
    )


def live(match: Match) -> NewFact:
    """`match.live`."""
    return _fact("match.live", match, liveAt=iso(match.live_at), resultBy=iso(match.result_by))


def scored(match: Match, participant: Participant, score: int) -> NewFact:
    """`match.scored`: a score of one player counts."""
    return _fact("match.scored", match, userId=participant.user_id, score=score, best=participant.score)


def forfeited(match: Match, team: Team) -> NewFact:
    """`match.forfeited`."""
    return _fact("match.forfeited", match, teamId=team.wire_id, by=team.forfeited_by.lower())


def held(match: Match, teams: Iterable[Team]) -> NewFact:
    """`match.held`: the outcome is known and waits for its hold to end."""
    return _fact("match.held", match, **_outcome(match, teams), heldUntil=iso(match.held_until))


def ended(match: Match, teams: Iterable[Team], participants: Iterable[Participant]) -> NewFact:
    """`match.finished` or `match.tied`: who got what."""
    return _fact(f"match.{match.status.lower()}", match, **_outcome(match, teams), **_money(match, participants))


def aborted(match: Match, participants: Iterable[Participant]) -> NewFact:
    """`match.aborted`: nobody wins, every stake went back."""
    data = _money(match, participants)
    return _fact("match.aborted", match, reason=match.end_reason or None, code=match.abort_code or None, **data)


def cancelled(match: Match) -> NewFact:
    """`match.cancelled`: before escrow."""
    return _fact("match.cancelled", match, reason=match.end_reason or None)


def corrected(match: Match, teams: Iterable[Team], participants: Iterable[Participant], *, was: str) -> NewFact:
    """`match.corrected`: what stands now, and what stood before."""
    return _fact("match.corrected", match, was=was, **_outcome(match, teams), **_money(match, participants))


def conflict(match: Match, report: Report) -> NewFact:
    """`match.report.conflict`: a report that did not count, because another was first."""
    return _fact("match.report.conflict", match, kind=report.kind.lower(), reason=report.reason or None)


def disputed(match: Match, dispute: Dispute) -> NewFact:
    """`match.disputed`."""
    return _fact(
        "match.disputed",
        match,
        disputeId=str(dispute.pk),
        userId=dispute.participant.user_id,
        type=dispute.type,
        note=dispute.note or None,
    )


def dispute_decided(match: Match, dispute: Dispute) -> NewFact:
    """`match.dispute.decided`."""
    return _fact(
        "match.dispute.decided",
        match,
        disputeId=str(dispute.pk),
        decision=dispute.status.lower(),
        reason=dispute.decision or None,
    )


def hand_result(match: Match, *, step: str) -> NewFact:
    """`match.hand_result.proposed`, `.agreed` or `.disagreed`. Never says which result: the second enters it blind."""
    return _fact(f"match.hand_result.{step}", match)


def told(match: Match, notice: Notice) -> NewFact:
    """`match.notice.delivered` or `match.notice.failed`."""
    return _fact(
        f"match.notice.{notice.status.lower()}",
        match,
        kind=notice.kind.lower(),
        attempts=notice.attempts,
        status=notice.last_status,
        problem=notice.last_problem or None,
    )


def game_event(match: Match, event_type: str) -> NewFact:
    """`match.game_event`: what the game told besides the result."""
    return _fact("match.game_event", match, eventType=event_type)


def alert(match: Match) -> NewFact:
    """`system.alert`: a person should look."""
    return _fact("system.alert", match, status="needs_attention", message=match.needs_review, severity="warning")


def _outcome(match: Match, teams: Iterable[Team]) -> dict[str, Any]:
    return {
        "outcome": match.outcome.lower(),
        "leaders": [team.wire_id for team in teams if team.leads],
        "teams": [
            {
                "id": team.wire_id,
                "score": team.score,
                "ranking": team.ranking,
                "forfeit": team.forfeited_at is not None,
            }
            for team in teams
        ],
    }


def _money(match: Match, participants: Iterable[Participant]) -> dict[str, Any]:
    return {
        "currency": match.asset.code,
        "pot": amount(match, match.pot_units),
        "fee": amount(match, match.fee_units),
        "paid": [{"userId": one.user_id, "amount": amount(match, one.paid_units)} for one in participants],
    }
