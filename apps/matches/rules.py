"""Who has won and who is paid what (matches.md 4.3, 4.4). Pure: values in, values out, whole base units."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

WON, TIED, VOID = "WON", "TIED", "VOID"
TWO = 2
WHOLE_BPS = 10_000


@dataclass(frozen=True, slots=True)
class Standing:
    """A team as it is judged: by `ranking` where the game ranks, by `score` where the platform does.

    `reached_at` is when its deciding score came in, where that is known.
    """

    team: str
    ranking: int | None = None
    score: int | None = None
    reached_at: datetime | None = None
    forfeited: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of the play, and the teams in first place: one that won, several that tie, or none."""

    outcome: str
    leaders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stake:
    """What one participant has paid in."""

    participant: str
    team: str
    units: int


@dataclass(frozen=True, slots=True)
class Shares:
    """The fee and what each participant gets; together exactly the pot."""

    fee: int
    paid: Mapping[str, int]


def decide_by_ranking(teams: Sequence[Standing]) -> Decision:
    """Judge a result that the game ranked: the lowest ranking wins, whatever the scores.

    Every team that has not forfeited holds a ranking if there is more than one of them; the caller has checked it.
    """
    return _decide(teams, {one.team: one.ranking or 0 for one in teams})


def decide_by_score(teams: Sequence[Standing], *, higher_wins: bool) -> Decision:
    """Judge scores that the platform ranks.

    The last team that is in wins even without a score; otherwise one without any counts as forfeited.
    """
    left = [one for one in teams if not one.forfeited]
    scored = left if len(left) == 1 else [one for one in left if one.score is not None]
    sign = -1 if higher_wins else 1
    return _decide(scored, {one.team: sign * (one.score or 0) for one in scored})


def decided_by(leaders: Iterable[str]) -> Decision:
    """Return the decision that names these teams for first place: one won, several tie, none is nobody."""
    found = tuple(sorted(set(leaders)))
    return Decision((VOID, WON)[len(found)] if len(found) < TWO else TIED, found)


def break_tie_by_time(decision: Decision, teams: Sequence[Standing]) -> Decision:
    """Have the one win whose score came first; a tie stays one where that is not known or equal."""
    times = {one.team: one.reached_at for one in teams if one.team in decision.leaders}
    known = [at for at in times.values() if at is not None]
    if decision.outcome != TIED or len(known) != len(times):
        return decision
    first = [team for team, at in times.items() if at == min(known)]
    return Decision(WON, (first[0],)) if len(first) == 1 else decision


def _decide(teams: Sequence[Standing], places: Mapping[str, int]) -> Decision:
    left = [one.team for one in teams if not one.forfeited]
    best = min((places[team] for team in left), default=0)
    return decided_by(left if len(left) == 1 else [team for team in left if places[team] == best])


def shares(decision: Decision, stakes: Sequence[Stake], *, fee_bps: int, splits_ties: bool) -> Shares:
    """Return who is paid what.

    Won: the pot less the fee, floored, goes to the winning team in proportion to what its members staked. Tied: with
    `splits_ties`, or among three teams or more, the leaders share the pot equally; else every stake goes back. Nobody:
    every stake goes back. Only a win bears a fee. Odd units go one by one in ascending order of ids.
    """
    pot = sum(stake.units for stake in stakes)
    teams = {stake.team for stake in stakes}
    paid = dict.fromkeys((stake.participant for stake in stakes), 0)
    if decision.outcome == VOID or (decision.outcome == TIED and len(teams) == TWO and not splits_ties):
        return Shares(0, {stake.participant: stake.units for stake in stakes})
    fee = pot * fee_bps // WHOLE_BPS if decision.outcome == WON else 0
    for team, part in _in_parts(pot - fee, dict.fromkeys(decision.leaders, 1)).items():
        paid |= _in_parts(part, {stake.participant: stake.units for stake in stakes if stake.team == team})
    return Shares(fee, paid)


def _in_parts(total: int, weights: Mapping[str, int]) -> dict[str, int]:
    """Share units by weight; the odd ones go one by one in ascending order. No weight at all is equal weight."""
    whole = sum(weights.values())
    if not whole:
        weights, whole = dict.fromkeys(weights, 1), len(weights)
    parts = {name: total * weight // whole for name, weight in weights.items()}
    for name in sorted(parts)[: total - sum(parts.values())]:
        parts[name] += 1
    return parts
