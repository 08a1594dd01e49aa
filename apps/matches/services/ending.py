"""How a match ends: decided, held, paid, tied, aborted, cancelled. Callers hold the match; nothing here locks."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from apps.core.actors import Actor
from apps.matches import facts, rules
from apps.matches.lifecycle import MatchStatus
from apps.matches.models import Match, Mode, NoticeKind, Outcome, ScoreOrder, Team, TiePolicy
from apps.matches.services import money, notices
from apps.matches.services.starting import offer_rematch
from apps.matches.services.states import Held, refusing_wrong_states, report, save, save_play

MAX_REASON = 1000
ALL_FORFEITED = "Every team has forfeited."


def standings(held: Held) -> list[rules.Standing]:
    """Return the teams as rules judge them.

    A team's score, where the platform ranks, is the sum of its members'. A member without one adds nothing where higher
    wins; where lower wins that would be an advantage, so the team counts as if it had none at all.
    """
    return [_standing(held, team) for team in held.teams]


def _standing(held: Held, team: Team) -> rules.Standing:
    score, reached_at = team.score, None
    if held.match.mode == Mode.ASYNC:
        members = held.of_team(team)
        scores = [one.score for one in members if one.score is not None]
        counts = bool(scores) and (held.match.score_order == ScoreOrder.HIGHER or len(scores) == len(members))
        score = sum(scores) if counts else None
        reached_at = max((one.scored_at for one in members if one.scored_at), default=None)
    return rules.Standing(team.wire_id, team.ranking, score, reached_at, team.forfeited_at is not None)


def judge(held: Held) -> rules.Decision:
    """Return the decision that the reported play leads to, by the match's own rules."""
    match, teams = held.match, standings(held)
    if match.mode == Mode.ASYNC:
        decision = rules.decide_by_score(teams, higher_wins=match.score_order == ScoreOrder.HIGHER)
    else:
        decision = rules.decide_by_ranking(teams)
    return rules.break_tie_by_time(decision, teams) if match.tie_policy == TiePolicy.EARLIEST else decision


def conclude(held: Held, decision: rules.Decision, *, actor: Actor, at: datetime) -> None:
    """Fix the outcome of a live match, and pay it unless it is held first. Nobody left to win is an abort."""
    match = held.match
    if decision.outcome == rules.VOID:
        match.needs_review = ALL_FORFEITED
        save_play(held)
        report(match, [facts.alert(match)], actor=actor, at=at)
        abort(held, reason=ALL_FORFEITED, actor=actor, at=at)
        return
    with refusing_wrong_states(match, "decide"):
        match.decide(at=at)
    mark(held, decision)
    match.gone_by = None
    if match.hold_minutes:
        match.held_until = match.due_at = at + timedelta(minutes=match.hold_minutes)
        save_play(held)
        save(match, "outcome", "decided_at", "held_until", "gone_by", at=at)
        report(match, [facts.held(match, held.teams)], actor=actor, at=at)
        return
    save(match, "outcome", "decided_at", "gone_by", at=at)
    settle(held, actor=actor, at=at)


def mark(held: Held, decision: rules.Decision) -> None:
    """Write a decision into the match and its teams."""
    held.match.outcome = Outcome(decision.outcome)
    for team in held.teams:
        team.leads = team.wire_id in decision.leaders


def shares(held: Held) -> rules.Shares:
    """Return who is paid what, by the outcome that is marked."""
    match = held.match
    names = {team.pk: team.wire_id for team in held.teams}
    return rules.shares(
        rules.Decision(match.outcome, tuple(team.wire_id for team in held.teams if team.leads)),
        [rules.Stake(one.wire_id, names[one.team_id], int(one.stake_units)) for one in held.participants],
        fee_bps=match.fee_bps,
        splits_ties=match.tie_policy == TiePolicy.SPLIT,
    )


def settle(held: Held, *, actor: Actor, at: datetime) -> None:
    """Pay a decided match and end it. The escrow is empty afterwards."""
    match = held.match
    money.pay(held, shares(held), kind="settle", actor=actor, at=at)
    if match.outcome == Outcome.WON:
        match.finish(at=at)
    else:
        match.tie(at=at)
    match.due_at = None
    save_play(held)
    save(match, "fee_units", "settlements", "settlement", "ended_at", at=at)
    report(match, [facts.ended(match, held.teams, held.participants)], actor=actor, at=at)
    if match.status == MatchStatus.TIED and match.tie_policy == TiePolicy.REMATCH:
        offer_rematch(held, actor=actor, at=at)


def abort(
    held: Held,
    *,
    reason: str,
    code: str = "",
    absent: Sequence[str] = (),
    by_game: bool = False,
    actor: Actor,
    at: datetime,
) -> None:
    """End a match without a winner: every stake goes back in full, no fee (matches.md 3.11). Raises InvalidState.

    A game that did not ask for it is told with DELETE where its client wants that. Refunds wait for nobody.
    """
    match = held.match
    known_to_game = match.status != MatchStatus.ESCROWED
    with refusing_wrong_states(match, "abort"):
        match.abort(at=at)
    match.outcome = Outcome.VOID
    match.end_reason, match.abort_code, match.absent = reason[:MAX_REASON], code, list(absent)
    match.due_at = match.gone_by = None
    for team in held.teams:
        team.leads = False
    money.pay(held, refund(held), kind="refund", actor=actor, at=at)
    save_play(held)
    fields = ("outcome", "end_reason", "abort_code", "absent", "gone_by", "needs_review", "fee_units", "settlements")
    save(match, *fields, "settlement", "ended_at", at=at)
    notices.give_up_start(match, at=at)
    report(match, [facts.aborted(match, held.participants)], actor=actor, at=at)
    if known_to_game and not by_game:
        notices.book(match, NoticeKind.DELETE, at=at)


def refund(held: Held) -> rules.Shares:
    """Return the shares of a plain refund."""
    return rules.Shares(0, {one.wire_id: int(one.stake_units) for one in held.participants})


def cancel(held: Held, *, reason: str, actor: Actor, at: datetime) -> Match:
    """Call a match off before its escrow; what was reserved is released. Raises InvalidState."""
    match = held.match
    with refusing_wrong_states(match, "cancel"):
        match.cancel(at=at)
    money.release(held, actor=actor, at=at)
    match.end_reason, match.due_at = reason[:MAX_REASON], None
    save(match, "end_reason", "ended_at", at=at)
    report(match, [facts.cancelled(match)], actor=actor, at=at)
    return match
