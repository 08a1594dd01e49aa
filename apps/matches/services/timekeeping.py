"""What the clock does to matches (matches.md 4.6): expire invitations, give up on games, pay what was held."""

from datetime import datetime

import structlog
from django.db import transaction

from apps.core.actors import SYSTEM
from apps.matches import facts, rules
from apps.matches.lifecycle import BEFORE_ESCROW, STARTING, MatchStatus
from apps.matches.models import ForfeitBy, Match, Mode
from apps.matches.services import ending
from apps.matches.services.states import Held, hold, report

log = structlog.get_logger(__name__)

# In one tick; the next one is a second away.
MANY = 500
NOT_CONFIRMED = "Not everybody confirmed in time."
NOT_TOLD = "The game could not be told in time."
NO_RESULT = "No result came in time."
NOBODY_SCORED = "Nobody had scored when the time was over."
SERVER_GONE = "The game server was gone for too long."


def due(at: datetime) -> list[int]:
    """Return the matches that the clock must act on, the longest overdue first."""
    return list(Match.objects.due(at).values_list("pk", flat=True)[:MANY])


@transaction.atomic
def keep_time(match_id: int, *, at: datetime) -> None:
    """Do what the clock asks of one match; looked at again under its lock, so it is safe to call twice."""
    held = hold(match_id)
    match = held.match
    if match.due_at is None or match.due_at > at:
        return
    if match.status in BEFORE_ESCROW:
        ending.cancel(held, reason=NOT_CONFIRMED, actor=SYSTEM, at=at)
    elif match.status in STARTING:
        ending.abort(held, reason=NOT_TOLD, code="not_notified", actor=SYSTEM, at=at)
    elif match.status == MatchStatus.SETTLING:
        ending.settle(held, actor=SYSTEM, at=at)
    elif match.status == MatchStatus.LIVE:
        _play_is_over(held, at=at)


def _play_is_over(held: Held, *, at: datetime) -> None:
    match = held.match
    if match.gone_by is not None and match.gone_by <= at:
        ending.abort(held, reason=SERVER_GONE, code="server_crash", actor=SYSTEM, at=at)
    elif match.mode == Mode.SYNC or all(one.score is None for one in held.participants):
        reason = NO_RESULT if match.mode == Mode.SYNC else NOBODY_SCORED
        match.needs_review = reason
        report(match, [facts.alert(match)], actor=SYSTEM, at=at)
        ending.abort(held, reason=reason, code="deadline", actor=SYSTEM, at=at)
    else:
        _forfeit_the_missing(held, at=at)


def _forfeit_the_missing(held: Held, *, at: datetime) -> None:
    """Decide an async match by the scores that came; teams whose scores do not count have forfeited."""
    counted = {standing.team: standing.score for standing in ending.standings(held)}
    for team in held.teams:
        team.score = counted[team.wire_id]
        if team.score is None and team.forfeited_at is None:
            team.forfeited_at, team.forfeited_by = at, ForfeitBy.DEADLINE
            report(held.match, [facts.forfeited(held.match, team)], actor=SYSTEM, at=at)
    decision = ending.judge(held)
    if decision.outcome == rules.VOID:
        ending.abort(held, reason=NOBODY_SCORED, code="deadline", actor=SYSTEM, at=at)
    else:
        ending.conclude(held, decision, actor=SYSTEM, at=at)


def tick(*, at: datetime) -> int:
    """Keep the time of every match that is due; one that fails is logged and does not hold up the others."""
    found = due(at)
    for match_id in found:
        try:
            keep_time(match_id, at=at)
        except Exception:
            # Whatever it is, a deadlock or a bug: the others' time has come too, and the next tick looks again.
            log.exception("match_not_kept_in_time", match_id=match_id)
    return len(found)
