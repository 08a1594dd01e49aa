"""Disputes inside the hold of a result (matches.md 7, extension 1): the escrow stays put until staff decide."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from apps.core.actors import Actor
from apps.matches import facts, rules
from apps.matches.lifecycle import DECIDED, DisputeStatus, MatchStatus
from apps.matches.models import Dispute, DisputeType, Match, ReportKind
from apps.matches.services import ending, staff
from apps.matches.services.states import InvalidState, hold, report, save

MAX_NOTE = 2000
STANDS, REFUND, OTHER = "stands", "refund", "other"


@transaction.atomic
def open_dispute(
    match_id: int,
    *,
    participant_id: str,
    type: str = DisputeType.DISPUTE,
    note: str = "",
    evidence: Sequence[Any] = (),
    actor: Actor,
    at: datetime,
) -> Dispute:
    """Contest a result while it is held. Further disputes about the same match are kept beside the first.

    Raises ParticipantNotFound, and InvalidState when the match is not held (any more).
    """
    held = hold(match_id)
    match, participant = held.match, held.participant(participant_id)
    if match.status not in DECIDED:
        raise InvalidState("A result can be disputed only while it is held.", status=match.status)
    dispute: Dispute = Dispute.objects.create(
        match=match,
        participant=participant,
        type=type,
        note=note[:MAX_NOTE],
        evidence=list(evidence),
        opened_by=str(actor),
        opened_at=at,
    )
    if match.status == MatchStatus.SETTLING:
        match.dispute()
        match.due_at = None
        save(match, at=at)
    report(match, [facts.disputed(match, dispute)], actor=actor, at=at)
    return dispute


@transaction.atomic
def decide(
    match_id: int, *, decision: str, leaders: Sequence[str] = (), reason: str, actor: Actor, at: datetime
) -> Match:
    """Decide every open dispute of a match, for good, and move the money at once.

    "stands": the result is paid. "refund": every stake goes back. "other": `leaders` are in first place. Raises
    InvalidState, TeamNotFound, Invalid.
    """
    held = hold(match_id)
    match = held.match
    staff.check_reason(reason)
    if match.status != MatchStatus.DISPUTED:
        raise InvalidState("There is no open dispute.", status=match.status)
    wanted = sorted({held.team(name).wire_id for name in leaders}) if decision == OTHER else []
    disputes = Dispute.objects.filter(match=match, status=DisputeStatus.OPEN).select_related("participant")
    found = []
    for dispute in disputes.select_for_update(of=("self",)).order_by("pk"):
        if decision == STANDS:
            dispute.reject(at=at)
        else:
            dispute.uphold(at=at)
        dispute.decided_by, dispute.decision = str(actor), reason
        dispute.save(update_fields=["status", "decided_at", "decided_by", "decision"])
        found.append(facts.dispute_decided(match, dispute))
    report(match, found, actor=actor, at=at)
    if decision != STANDS:
        staff.keep(held, ReportKind.DISPUTE, wanted, reason=reason, actor=actor, at=at)
    judged = rules.decided_by(wanted)
    if decision != STANDS and judged.outcome == rules.VOID:
        ending.abort(held, reason=reason, code="dispute", actor=actor, at=at)
        return match
    match.resolve(at=at)
    if decision != STANDS:
        ending.mark(held, judged)
    save(match, "decided_at", "outcome", at=at)
    ending.settle(held, actor=actor, at=at)
    return match
