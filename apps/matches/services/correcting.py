"""Put a wrong result right after it was paid (matches.md 7, extension 8).

The journal of the wrong result is never edited: its opposite is posted, then what is right. Afterwards every account is
as if the right result had come first, and it can be done again.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from apps.core.actors import Actor
from apps.core.errors import DomainError
from apps.matches import facts, rules
from apps.matches.lifecycle import BEFORE_ESCROW, PAID_OUT, MatchStatus
from apps.matches.models import Match, Outcome, ReportKind, TiePolicy
from apps.matches.services import ending, money, staff
from apps.matches.services.starting import offer_rematch
from apps.matches.services.states import Held, InvalidState, hold, report, save, save_play

NO_TIE = "The tie that it was to break was none."
STATUS_OF = {
    Outcome.WON: MatchStatus.FINISHED,
    Outcome.TIED: MatchStatus.TIED,
    Outcome.VOID: MatchStatus.ABORTED,
}


class NothingToCorrect(DomainError):
    """The result is this one already."""

    code = "NOTHING_TO_CORRECT"


@transaction.atomic
def correct(match_id: int, *, leaders: Sequence[str], reason: str, actor: Actor, at: datetime) -> Match:
    """Correct the outcome of a match that was paid: `leaders` are in first place, none means refunds.

    Raises InvalidState before it has been paid, NothingToCorrect, TeamNotFound, Invalid without a reason, and
    InsufficientFunds if somebody no longer has what would be taken back; then nothing has moved.
    """
    held = hold(match_id)
    match = held.match
    staff.check_reason(reason)
    if match.status not in PAID_OUT or match.escrowed_at is None:
        raise InvalidState("Only a result that was paid can be corrected.", status=match.status)
    decision = rules.decided_by(sorted({held.team(name).wire_id for name in leaders}))
    before = rules.Decision(match.outcome, tuple(team.wire_id for team in held.teams if team.leads))
    if decision == before:
        raise NothingToCorrect
    was = match.outcome.lower()
    money.take_back(match, reason=reason, actor=actor, at=at)
    ending.mark(held, decision)
    kind = "refund" if decision.outcome == rules.VOID else "settle"
    money.pay(held, ending.shares(held), kind=kind, actor=actor, at=at)
    _move(match)
    match.needs_review = ""
    if decision.outcome != rules.VOID:
        match.end_reason = match.abort_code = ""
    else:
        match.end_reason = reason
    _lift_forfeits(held, decision)
    staff.keep(held, ReportKind.CORRECTION, decision.leaders, reason=reason, actor=actor, at=at)
    save_play(held)
    fields = ("outcome", "end_reason", "abort_code", "needs_review", "fee_units", "settlements", "settlement")
    save(match, *fields, at=at)
    report(match, [facts.corrected(match, held.teams, held.participants, was=was)], actor=actor, at=at)
    _follow_with_rematch(held, actor=actor, at=at)
    return match


def _move(match: Match) -> None:
    target = STATUS_OF[Outcome(match.outcome)]
    if match.status == target:
        return
    {
        MatchStatus.FINISHED: match.correct_to_finished,
        MatchStatus.TIED: match.correct_to_tied,
        MatchStatus.ABORTED: match.correct_to_aborted,
    }[target]()


def _follow_with_rematch(held: Held, *, actor: Actor, at: datetime) -> None:
    """Offer the rematch that a tie means, or call off the one that a tie which was none had offered."""
    match = held.match
    if match.tie_policy != TiePolicy.REMATCH:
        return
    if match.status == MatchStatus.TIED:
        offer_rematch(held, actor=actor, at=at)
        return
    for again in Match.objects.locked().filter(rematch_of=match, status__in=BEFORE_ESCROW):
        ending.cancel(Held.of(again), reason=NO_TIE, actor=actor, at=at)


def _lift_forfeits(held: Held, decision: rules.Decision) -> None:
    """A forfeited team can be put first: staff know better by now. Its forfeit goes with the wrong result."""
    for team in held.teams:
        if team.wire_id in decision.leaders and team.forfeited_at is not None:
            team.forfeited_at, team.forfeited_by = None, ""
