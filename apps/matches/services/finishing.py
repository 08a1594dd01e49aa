"""Take what a game says about a match: a result, scores, forfeits, an abort (matches.md 3.8 to 3.12).

The first thing that counts is final; a repeat is answered as the first was, and whatever else comes later is kept as a
conflict for staff and changes nothing. Racing reports queue on the match's row, so it settles once.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from apps.core.actors import Actor
from apps.core.errors import DomainError
from apps.matches import facts
from apps.matches.lifecycle import BEFORE_ESCROW, STARTING, MatchStatus
from apps.matches.models import ForfeitBy, Match, Mode, Participant, Report, ReportKind, ScoreOrder, Team
from apps.matches.services import ending, launching, said
from apps.matches.services.said import Abort, IncompleteResult, Result, Said, UnfitReport
from apps.matches.services.states import Held, MatchNotFound, MatchNotLive, report, save, save_play

# A result may overtake the game's own answer to our PUT: that long we wait for it (matches.md 6, row 26).
PATIENCE_SECONDS = 5.0
LOOK_SECONDS = 0.1
RETRY_SECONDS = 2

ONE = 1


class MatchStarting(DomainError):
    """The match is being announced to the game. Try again in a moment."""

    kind = "unavailable"
    code = "MATCH_STARTING"


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one player's score."""

    participant: str
    accepted: bool
    duplicate: bool
    submissions_left: int


@dataclass(frozen=True, slots=True)
class Told:
    """What the game is answered."""

    match_id: str
    status: str
    accepted: bool
    duplicate: bool
    lines: Sequence[Line] = ()


def finish(client_id: int, report_said: Said, *, actor: Actor, at: datetime) -> Told:
    """Take a report about a client's match. Raises MatchNotFound, MatchNotLive, MatchStarting, UnfitReport.

    Waits a little, outside any transaction, for a match whose announcement is still in flight.
    """
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return _finish(client_id, report_said, actor=actor, at=at)
        except MatchStarting:
            if time.monotonic() >= until:
                raise
            time.sleep(LOOK_SECONDS)


@transaction.atomic
def _finish(client_id: int, report_said: Said, *, actor: Actor, at: datetime) -> Told:
    match = Match.objects.locked().filter(client_id=client_id, public_id=report_said.match_id).first()
    if match is None:
        raise MatchNotFound("No such match for this game.")
    if match.status in BEFORE_ESCROW:
        raise MatchNotLive(status=match.status)
    if isinstance(report_said, Abort):
        return _abort(match, report_said, actor=actor, at=at)
    if match.status in STARTING:
        raise MatchStarting(retry_after=RETRY_SECONDS)
    if match.status != MatchStatus.LIVE:
        return _too_late(match, report_said, actor=actor, at=at)
    held = Held.of(match)
    if match.mode == Mode.ASYNC:
        return _scores(held, report_said, actor=actor, at=at)
    if not report_said.teams:
        raise UnfitReport("This game reports whole matches: teams is missing.", field="teams")
    if report_said.only_forfeits:
        return _forfeits(held, report_said, actor=actor, at=at)
    return _result(held, report_said, actor=actor, at=at)


def _answer(match: Match, *, accepted: bool, duplicate: bool, lines: Sequence[Line] = ()) -> Told:
    return Told(match.public_id, match.status, accepted, duplicate, lines)


# --- the whole match --------------------------------------------------------------------------------------------------


def _result(held: Held, result: Result, *, actor: Actor, at: datetime) -> Told:
    """A sync result: everybody in it, once."""
    match = held.match
    if not result.players:
        raise UnfitReport("A result holds participants; without them every team must have forfeited.")
    said.check_games(result.games)
    teams = {line.id: line for line in result.teams}
    if len(teams) != len(result.teams) or teams.keys() != {team.wire_id for team in held.teams}:
        raise IncompleteResult("teams are exactly those of the match, each once.", field="teams")
    players = _everybody(held, result)
    for team in held.teams:
        _forfeit(team, ForfeitBy.GAME, at=at) if teams[team.wire_id].forfeit else None
    left = [team for team in held.teams if team.forfeited_at is None]
    for team in held.teams:
        line, gone = teams[team.wire_id], team.forfeited_at is not None
        team.score = said.score_of(line.score) if line.score is not None or not gone else None
        ranked = line.ranking is not None or (not gone and len(left) > ONE)
        team.ranking = said.ranking_of(line.ranking) if ranked and not line.forfeit else None
    for one, score in players:
        gone = one.team.forfeited_at is not None
        one.score = said.score_of(score) if score is not None or not gone else None
        one.scored_at, one.submitted, one.attempt_open = at, 1, False
    _keep(match, ReportKind.RESULT, result, accepted=True, actor=actor, at=at)
    ending.conclude(held, ending.judge(held), actor=actor, at=at)
    return _answer(match, accepted=True, duplicate=False)


def _everybody(held: Held, result: Result) -> list[tuple[Participant, object]]:
    """Return each participant with their score as it came. Raises IncompleteResult unless all are there, once."""
    by_name = {name: one for one in held.participants for name in (one.user_id, one.wire_id)}
    found = [(by_name.get(line.id), line.score) for line in result.players]
    known = [(one, score) for one, score in found if one is not None]
    if (
        len(known) != len(found)
        or len(known) != len(held.participants)
        or len({one.pk for one, _ in known}) != len(known)
    ):
        raise IncompleteResult("participants are exactly those of the match, each once.", field="participants")
    return known


def _forfeit(team: Team, by: ForfeitBy, *, at: datetime) -> bool:
    """Mark a forfeit; who said so first stays. Tell whether it is news."""
    if team.forfeited_at is not None:
        return False
    team.forfeited_at, team.forfeited_by = at, by
    return True


def _forfeits(held: Held, result: Result, *, actor: Actor, at: datetime) -> Told:
    """A notice that teams have forfeited. When one team is left it wins; when none is, nobody does."""
    match = held.match
    news = give_up(held, [held_team(held, line.id) for line in result.teams], ForfeitBy.GAME, actor=actor, at=at)
    if news:
        _keep(match, ReportKind.FORFEIT, result, accepted=True, actor=actor, at=at)
    return _answer(match, accepted=True, duplicate=not news)


def held_team(held: Held, wire_id: str) -> Team:
    """Return a team that a report names. Raises IncompleteResult."""
    found = next((team for team in held.teams if team.wire_id == wire_id), None)
    if found is None:
        raise IncompleteResult("teams names one that is not in the match.", field="teams")
    return found


def give_up(held: Held, teams: Iterable[Team], by: ForfeitBy, *, actor: Actor, at: datetime) -> bool:
    """Have teams forfeit, and decide the match if that leaves one team or none. Tell whether any of it was news."""
    news = [team for team in teams if _forfeit(team, by, at=at)]
    if not news:
        return False
    report(held.match, [facts.forfeited(held.match, team) for team in news], actor=actor, at=at)
    if sum(team.forfeited_at is None for team in held.teams) <= ONE:
        ending.conclude(held, ending.judge(held), actor=actor, at=at)
    else:
        save_play(held)
        # Those who poll for what has changed since must see who is out.
        save(held.match, at=at)
    return True


# --- player by player -------------------------------------------------------------------------------------------------


def _scores(held: Held, result: Result, *, actor: Actor, at: datetime) -> Told:
    """Scores of players, each a submission of its own, and forfeits of teams. All of the body counts, or none of it."""
    match = held.match
    if not result.players and not result.only_forfeits:
        raise UnfitReport("This game reports players: participants is missing.", field="participants")
    teams = [held_team(held, line.id) for line in result.teams if line.forfeit]
    by_name = {name: one for one in held.participants for name in (one.user_id, one.wire_id)}
    given = []
    for line in result.players:
        if line.id not in by_name:
            raise IncompleteResult("participants names one who is not in the match.", field="participants")
        given.append((by_name[line.id], said.score_of(line.score), line.key))
    earlier = list(Report.objects.filter(match=match, kind=ReportKind.SCORE)) if given else []
    lines = [_submit(held, one, score, key, earlier, actor=actor, at=at) for one, score, key in given]
    news = give_up(held, teams, ForfeitBy.GAME, actor=actor, at=at) if teams else False
    if teams and news:
        _keep(match, ReportKind.FORFEIT, result, accepted=True, actor=actor, at=at)
    if match.status == MatchStatus.LIVE:
        _settle_if_complete(held, actor=actor, at=at)
    accepted = all(line.accepted for line in lines)
    duplicate = all(line.duplicate for line in lines) and not news
    return _answer(match, accepted=accepted, duplicate=duplicate, lines=lines)


def _submit(
    held: Held, one: Participant, score: int, key: str, earlier: list[Report], *, actor: Actor, at: datetime
) -> Line:
    """Take one score, or recognise it as a repeat: the first one stands, a new attempt opens another (3.9)."""
    match = held.match
    own = [kept for kept in earlier if kept.participant_id == one.pk]
    same_key = next((kept for kept in own if key and kept.key == key), None)
    if same_key is not None:
        return _line(match, one, accepted=same_key.accepted, duplicate=True)
    is_new = one.submitted < match.submissions and (not one.submitted or one.attempt_open or bool(key))
    if one.team.forfeited_at is not None or not is_new:
        counted = any(kept.accepted and kept.body.get("score") == score for kept in own)
        if not counted and not any(kept.body.get("score") == score for kept in own):
            earlier.append(_keep_score(match, one, score, key, accepted=False, actor=actor, at=at))
        return _line(match, one, accepted=counted, duplicate=bool(one.submitted))
    earlier.append(_keep_score(match, one, score, key, accepted=True, actor=actor, at=at))
    one.submitted += 1
    one.attempt_open = False
    higher = match.score_order == ScoreOrder.HIGHER
    if one.score is None or (score > one.score if higher else score < one.score):
        one.score, one.scored_at = score, at
    report(match, [facts.scored(match, one, score)], actor=actor, at=at)
    return _line(match, one, accepted=True, duplicate=False)


def _settle_if_complete(held: Held, *, actor: Actor, at: datetime) -> None:
    """Decide once nobody who is still in has a submission left; else keep what came so far."""
    if any(one.team.forfeited_at is None and one.submitted < held.match.submissions for one in held.participants):
        save_play(held)
        return
    score_teams(held)
    ending.conclude(held, ending.judge(held), actor=actor, at=at)


def score_teams(held: Held) -> None:
    """Write each team's combined score, for those who read it later."""
    totals = {standing.team: standing.score for standing in ending.standings(held)}
    for team in held.teams:
        team.score = totals[team.wire_id]


def _line(match: Match, one: Participant, *, accepted: bool, duplicate: bool) -> Line:
    return Line(one.wire_id, accepted, duplicate, launching.submissions_left(match, one))


# --- aborts, and what comes too late ----------------------------------------------------------------------------------


def _abort(match: Match, abort: Abort, *, actor: Actor, at: datetime) -> Told:
    """The game's own error. Before anything is decided it counts; afterwards it is a repeat or a conflict."""
    if match.status not in (*STARTING, MatchStatus.LIVE):
        return _too_late(match, abort, actor=actor, at=at)
    held = Held.of(match)
    _keep(match, ReportKind.ABORT, abort, accepted=True, actor=actor, at=at)
    absent = [name for name in abort.absent if any(name in (one.wire_id, one.user_id) for one in held.participants)]
    ending.abort(held, reason=abort.reason, code=abort.code, absent=absent, by_game=True, actor=actor, at=at)
    return _answer(match, accepted=True, duplicate=False)


def _too_late(match: Match, late: Said, *, actor: Actor, at: datetime) -> Told:
    """Answer a report about a match that is decided: as its first telling was, or as one that changes nothing."""
    if isinstance(late, Result) and match.mode == Mode.ASYNC and late.players:
        return _late_scores(match, late, actor=actor, at=at)
    kind = ReportKind.ABORT if isinstance(late, Abort) else _kind_of(late)
    mark = said.fingerprint(late)
    kept = list(Report.objects.filter(match=match, kind__in=GAMES_OWN))
    same = next((one for one in kept if one.fingerprint == mark and one.kind == kind), None)
    if same is None:
        _conflict(match, _keep(match, kind, late, accepted=False, actor=actor, at=at), actor=actor, at=at)
    accepted = same is not None and same.accepted
    return _answer(match, accepted=accepted, duplicate=accepted or any(one.accepted for one in kept))


GAMES_OWN = (ReportKind.RESULT, ReportKind.SCORE, ReportKind.FORFEIT, ReportKind.ABORT)


def _kind_of(result: Result) -> ReportKind:
    return ReportKind.FORFEIT if result.only_forfeits else ReportKind.RESULT


def _late_scores(match: Match, late: Result, *, actor: Actor, at: datetime) -> Told:
    """Scores after the end: each is a repeat of one that counted, or does not count."""
    held = Held.of(match)
    by_name = {name: one for one in held.participants for name in (one.user_id, one.wire_id)}
    earlier = list(Report.objects.filter(match=match, kind=ReportKind.SCORE))
    lines = []
    for line in late.players:
        one = by_name.get(line.id)
        if one is None:
            lines.append(Line(line.id, accepted=False, duplicate=False, submissions_left=0))
            continue
        own = [kept for kept in earlier if kept.participant_id == one.pk]
        score = said.plain(line.score)
        same = next((kept for kept in own if kept.body.get("score") == score), None)
        if same is None:
            same = _keep_score(match, one, score, line.key, accepted=False, actor=actor, at=at)
            earlier.append(same)
        lines.append(_line(match, one, accepted=same.accepted, duplicate=bool(one.submitted)))
    return _answer(
        match,
        accepted=all(line.accepted for line in lines),
        duplicate=all(line.duplicate for line in lines),
        lines=lines,
    )


def _keep(match: Match, kind: ReportKind, what: Said, *, accepted: bool, actor: Actor, at: datetime) -> Report:
    return Report.objects.create(
        match=match,
        kind=kind,
        accepted=accepted,
        fingerprint=said.fingerprint(what),
        body=said.told(what),
        actor=str(actor),
        reason=what.reason if isinstance(what, Abort) else "",
        received_at=at,
    )


def _keep_score(
    match: Match, one: Participant, score: object, key: str, *, accepted: bool, actor: Actor, at: datetime
) -> Report:
    kept = Report.objects.create(
        match=match,
        kind=ReportKind.SCORE,
        participant=one,
        accepted=accepted,
        key=key,
        body={"id": one.wire_id, "score": score},
        actor=str(actor),
        received_at=at,
    )
    if not accepted:
        _conflict(match, kept, actor=actor, at=at)
    return kept


def _conflict(match: Match, kept: Report, *, actor: Actor, at: datetime) -> None:
    report(match, [facts.conflict(match, kept)], actor=actor, at=at)
