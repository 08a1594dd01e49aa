"""What a `finish` body says, read once and checked when it counts (matches.md 3.8 to 3.12).

Reading needs only the body: its shape decides what it is (3.12), and a shape that is none of them is refused. Whether
its numbers and names fit the match is asked later, and only while the match is undecided: a repeat is never refused.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from apps.core.errors import DomainError, Invalid
from apps.core.exact import dumps

MAX_SCORE = 2**53 - 1
MAX_RANKING = 255
MAX_ID = 128
MAX_REASON = 1000
MAX_GAMES = 100
ABORT_CODES = ("server_crash", "players_missing", "bad_config", "other")


class BadReport(Invalid):
    """The report contradicts itself or lacks what it is about."""

    code = "INVALID_REPORT"


class UnfitReport(DomainError):
    """The report does not fit the match."""

    kind = "invalid"
    code = "INVALID_RESULT"


class IncompleteResult(UnfitReport):
    """A result names every participant and every team of the match exactly once."""

    code = "INCOMPLETE_RESULT"


@dataclass(frozen=True, slots=True)
class PlayerLine:
    """One entry of `participants`, its score as it came."""

    id: str
    score: Any = None
    key: str = ""


@dataclass(frozen=True, slots=True)
class TeamLine:
    """One entry of `teams`, its numbers as they came."""

    id: str
    score: Any = None
    ranking: Any = None
    forfeit: bool = False


@dataclass(frozen=True, slots=True)
class Abort:
    """The game's own error: nobody wins."""

    match_id: str
    reason: str = ""
    code: str = ""
    absent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """A result, scores of players, or a notice of forfeits; which of them, the match's mode decides."""

    match_id: str
    players: Sequence[PlayerLine] = ()
    teams: Sequence[TeamLine] = ()
    games: Sequence[Any] = field(default=())

    @property
    def only_forfeits(self) -> bool:
        """Whether it says nothing but that teams have forfeited."""
        return not self.players and all(team.forfeit for team in self.teams)


Said = Abort | Result


def read(body: Mapping[str, Any], *, key: str = "") -> Said:
    """Return what a body of canonical keys says. `key` is the client's own id of the submission, if it sent one.

    Raises BadReport for a shape that is none (3.12).
    """
    match_id = body.get("match_id")
    if not isinstance(match_id, str) or not match_id:
        raise BadReport("match_id is missing.")
    players, teams, error = _lines(body, "participants"), _lines(body, "teams"), body.get("error")
    if error is not None:
        if players or teams:
            raise BadReport("An error stands alone: leave out participants and teams.")
        return _abort(match_id, error, absent=body.get("afk"))
    if not players and not teams:
        raise BadReport("Send participants, teams or an error.")
    games = body.get("games")
    return Result(
        match_id,
        [_player(line, key) for line in players],
        [_team(line) for line in teams],
        games if isinstance(games, list) else (),
    )


def fingerprint(said: Said) -> str:
    """Return what is the same for two bodies that say the same, however they spell and order it."""
    if isinstance(said, Abort):
        return hashlib.sha256(b"abort").hexdigest()
    lines = {
        "players": sorted((line.id, _plain(line.score)) for line in said.players),
        "teams": sorted((t.id, _plain(t.score), "" if t.forfeit else _plain(t.ranking), t.forfeit) for t in said.teams),
    }
    return hashlib.sha256(dumps(lines).encode()).hexdigest()


def told(said: Said) -> dict[str, Any]:
    """Return a report as it is kept, under canonical names."""
    if isinstance(said, Abort):
        return {"reason": said.reason, "code": said.code, "afk": list(said.absent)}
    whole: dict[str, Any] = {
        "participants": [{"id": line.id, "score": plain(line.score)} for line in said.players],
        "teams": [
            {"id": t.id, "score": plain(t.score), "ranking": plain(t.ranking), "forfeit": t.forfeit} for t in said.teams
        ],
    }
    return whole | ({"games": list(said.games)} if said.games else {})


def score_of(value: Any) -> int:
    """Return a score: a whole number from 0 to 2^53-1, 300.0 included. Raises UnfitReport."""
    return _whole(value, 0, MAX_SCORE, "score")


def ranking_of(value: Any) -> int:
    """Return a ranking: a whole number from 1 to 255. Raises UnfitReport."""
    return _whole(value, 1, MAX_RANKING, "ranking")


def check_games(games: Sequence[Any]) -> None:
    """Refuse a series that is no list of objects. Raises UnfitReport."""
    if len(games) > MAX_GAMES or not all(isinstance(game, dict) for game in games):
        raise UnfitReport(f"games is a list of at most {MAX_GAMES} objects.")


def _whole(value: Any, least: int, most: int, name: str) -> int:
    number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    if not number or value != int(value) or not least <= value <= most:
        raise UnfitReport(f"A {name} is a whole number from {least} to {most}.", field=name)
    return int(value)


def _plain(value: Any) -> str:
    """Write a value so that 300 and 300.0 are the same."""
    if isinstance(value, Decimal) and value == value.to_integral_value():
        value = int(value)
    return dumps(value)


def plain(value: Any) -> Any:
    """Return a value as it is kept: 300.0 is 300."""
    return int(value) if isinstance(value, Decimal) and value == value.to_integral_value() else value


def _lines(body: Mapping[str, Any], name: str) -> list[Any]:
    found = body.get(name)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(line, dict) for line in found):
        raise BadReport(f"{name} is a list of objects.")
    return found


def _id(line: Mapping[str, Any]) -> str:
    found = line.get("id")
    if not isinstance(found, str) or not 0 < len(found) <= MAX_ID:
        raise BadReport("Every entry has an id, a text.")
    return found


def _player(line: Mapping[str, Any], key: str) -> PlayerLine:
    own = line.get("submission_id")
    return PlayerLine(_id(line), line.get("score"), (own if isinstance(own, str) and own else key)[:MAX_ID])


def _team(line: Mapping[str, Any]) -> TeamLine:
    forfeit = line.get("forfeit")
    if forfeit is not None and not isinstance(forfeit, bool):
        raise BadReport("forfeit? is true or false.")
    return TeamLine(_id(line), line.get("score"), line.get("ranking"), bool(forfeit))


def _abort(match_id: str, error: Any, *, absent: Any) -> Abort:
    """Read an abort; `afk` stands in the error or, as other platforms have it, beside it."""
    if not isinstance(error, dict):
        raise BadReport("error is an object.")
    reason, code, absent = error.get("reason"), error.get("code"), error.get("afk", absent)
    # Nothing but the error itself decides: an odd detail must not leave players' money waiting.
    names = [name for name in absent if isinstance(name, str)] if isinstance(absent, list) else []
    known = code if code in ABORT_CODES else "other" if isinstance(code, str) and code else ""
    return Abort(match_id, reason[:MAX_REASON] if isinstance(reason, str) else "", known, tuple(names))
