"""What operators and staff do to a match that is under way: forfeit a team, abort, enter a result by hand."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from apps.core.actors import Actor
from apps.core.errors import DomainError, Invalid
from apps.matches import facts, rules
from apps.matches.lifecycle import HandStatus, MatchStatus
from apps.matches.models import ForfeitBy, HandResult, Match, NoticeKind, Report, ReportKind
from apps.matches.services import ending, finishing, notices
from apps.matches.services.states import Held, InvalidState, MatchNotLive, hold, report

MAX_REASON = 200


class SecondPersonNeeded(DomainError):
    """Somebody else has to confirm: the second result comes from a second person."""

    kind = "forbidden"
    code = "SECOND_PERSON_NEEDED"


@transaction.atomic
def forfeit(match_id: int, *, team_id: str, actor: Actor, at: datetime) -> Held:
    """A team gives up on the platform (matches.md 3.10). The game is told; the last team left wins.

    Forfeiting twice is forfeiting once, also after that has ended the match. Raises TeamNotFound, MatchNotLive.
    """
    held = hold(match_id)
    match, team = held.match, held.team(team_id)
    if team.forfeited_at is not None:
        return held
    if match.status != MatchStatus.LIVE:
        raise MatchNotLive(status=match.status)
    by = ForfeitBy.STAFF if actor.kind == "staff" else ForfeitBy.PLATFORM
    finishing.give_up(held, [team], by, actor=actor, at=at)
    if match.status != MatchStatus.ABORTED:
        notices.book(match, NoticeKind.FORFEIT, at=at)
    return held


@transaction.atomic
def abort(match_id: int, *, reason: str, actor: Actor, at: datetime) -> Match:
    """Abort a match that holds money; every stake goes back in full, no fee. Raises InvalidState, Invalid."""
    held = hold(match_id)
    check_reason(reason)
    close_disputes_first(held.match)
    ending.abort(held, reason=reason, code="staff", actor=actor, at=at)
    return held.match


def close_disputes_first(match: Match) -> None:
    """Refuse what would pass over an open dispute. Raises InvalidState."""
    if match.status == MatchStatus.DISPUTED:
        raise InvalidState("Decide the dispute first.", status=match.status)


@transaction.atomic
def enter_result(match_id: int, *, leaders: Sequence[str], reason: str, actor: Actor, at: datetime) -> HandResult:
    """Enter the result of a live match by hand: two people, the second without seeing what the first entered.

    `leaders` are the teams in first place: one wins, several tie, none means refunds. If the two say the same, the
    match ends so; if not, neither counts and both begin again. Raises MatchNotLive, SecondPersonNeeded, TeamNotFound.
    """
    held = hold(match_id)
    match = held.match
    if match.status != MatchStatus.LIVE:
        raise MatchNotLive("Only a live match can be settled by hand.", status=match.status)
    wanted = sorted({held.team(name).wire_id for name in leaders})
    check_reason(reason)
    first = HandResult.objects.select_for_update(of=("self",)).filter(match=match, status=HandStatus.PROPOSED).first()
    if first is None:
        entered = HandResult.objects.create(
            match=match, first_leaders=wanted, first_by=str(actor), first_at=at, reason=reason
        )
        report(match, [facts.hand_result(match, step="proposed")], actor=actor, at=at)
        return entered
    if first.first_by == str(actor):
        raise SecondPersonNeeded
    first.second_leaders, first.second_by = wanted, str(actor)
    agreed = wanted == first.first_leaders
    if agreed:
        first.agree(at=at)
    else:
        first.disagree(at=at)
    first.save()
    report(match, [facts.hand_result(match, step="agreed" if agreed else "disagreed")], actor=actor, at=at)
    if agreed:
        keep(held, ReportKind.HAND, wanted, reason=reason, actor=actor, at=at)
        decide(held, wanted, reason=reason, actor=actor, at=at)
    return first


def decide(held: Held, leaders: Sequence[str], *, reason: str, actor: Actor, at: datetime) -> None:
    """End a live match as staff have decided: at once, because people have looked at it. None leads: refunds."""
    match = held.match
    decision = rules.decided_by(leaders)
    if decision.outcome == rules.VOID:
        ending.abort(held, reason=reason, code="staff", actor=actor, at=at)
        return
    match.hold_minutes = 0
    ending.conclude(held, decision, actor=actor, at=at)


def keep(held: Held, kind: ReportKind, leaders: Sequence[str], *, reason: str, actor: Actor, at: datetime) -> Report:
    """Keep what staff have said about the outcome."""
    kept: Report = Report.objects.create(
        match=held.match,
        kind=kind,
        accepted=True,
        body={"leaders": list(leaders)},
        actor=str(actor),
        reason=reason,
        received_at=at,
    )
    return kept


def check_reason(reason: str) -> None:
    """Raise Invalid without a reason."""
    if not 0 < len(reason.strip()) <= MAX_REASON:
        raise Invalid("A reason is needed.", fields={"reason": [f"1 to {MAX_REASON} characters."]})
