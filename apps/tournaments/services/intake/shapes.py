"""What a game server may send: the envelope and the data of each type (operators.md 5, 6, 8). Pure, no database.

Fields come in camelCase or snake_case; unknown fields and unknown types are let through. Numbers are exact.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec

from apps.core.errors import Invalid

MAX_EVENTS = 1000
MAX_STANDINGS = 100_000
# What `Entry.points` holds, and what staff may set: 17 digits before the point, six behind it.
SCORE_LIMIT = Decimal(10) ** 17
SCORE_PLACES = 6
# Moments outside these years are mistakes, and some have no place in a database.
FIRST_YEAR, LAST_YEAR = 2000, 2200
# A caller mends one body at a time: a longer list of complaints helps nobody.
MAX_COMPLAINTS = 20

Ref = Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | Annotated[int, msgspec.Meta(ge=0, lt=10**18)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Whole = Annotated[int, msgspec.Meta(ge=0, lt=2**31)]
Round = Annotated[int, msgspec.Meta(ge=1, lt=2**31)]


class PlayerData(msgspec.Struct, rename="camel"):
    """`player.joined`, `player.left`, `rebuy.requested`. Amounts and counts in them are the game's view, not ours."""

    player_id: Ref


class ScoreData(msgspec.Struct, rename="camel"):
    """`player.score.updated`. The position is ours to tell."""

    player_id: Ref
    score: Decimal
    round: Whole | None = None


class EliminatedData(msgspec.Struct, rename="camel"):
    """`player.eliminated`. The final position is ours to tell."""

    player_id: Ref
    elimination_round: Whole | None = None
    final_points: Decimal | None = None
    eliminated_at: Moment | None = None


class RoundStartedData(msgspec.Struct, rename="camel"):
    """`round.started`."""

    round: Round


class RoundCompletedData(msgspec.Struct, rename="camel"):
    """`round.completed`; without a number it is the round that is being played."""

    round: Round | None = None


class RoomData(msgspec.Struct, rename="camel"):
    """`room.created`."""

    room_id: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    room_url: Annotated[str, msgspec.Meta(max_length=500, pattern=r"^(https?://[^\s]+)?$")] | None = None


class Standing(msgspec.Struct, rename="camel"):
    """One player's final score."""

    player_id: Ref
    score: Decimal


class CompletedData(msgspec.Struct, rename="camel"):
    """`tournament.completed`."""

    final_standings: Annotated[list[Standing], msgspec.Meta(max_length=MAX_STANDINGS)] | None = None


Data = PlayerData | ScoreData | EliminatedData | RoundStartedData | RoundCompletedData | RoomData | CompletedData

SCORE = "player.score.updated"
ELIMINATED = "player.eliminated"
JOINED = "player.joined"
LEFT = "player.left"
REBUY_REQUESTED = "rebuy.requested"
ROUND_STARTED = "round.started"
ROUND_COMPLETED = "round.completed"
ROOM_CREATED = "room.created"
COMPLETED = "tournament.completed"

SHAPES: Mapping[str, type[Data]] = {
    SCORE: ScoreData,
    ELIMINATED: EliminatedData,
    JOINED: PlayerData,
    LEFT: PlayerData,
    REBUY_REQUESTED: PlayerData,
    ROUND_STARTED: RoundStartedData,
    ROUND_COMPLETED: RoundCompletedData,
    ROOM_CREATED: RoomData,
    COMPLETED: CompletedData,
}

# Other names of fields, as the read side and the postMessage types spell them.
ALIASES: Mapping[str, str] = {
    "roundNumber": "round",
    "standings": "finalStandings",
    "finalResults": "finalStandings",
    "points": "score",
    "finalScore": "score",
}


class _Envelope(msgspec.Struct, rename="camel"):
    event_type: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    event_id: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    timestamp: Moment
    tournament_id: str | int | None = None
    operator_id: str | None = None
    data: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One event, well formed. `data` is None for a type we don't know; `raw` is what came."""

    id: str
    type: str
    at: datetime
    operator_id: str | None
    data: Any
    raw: Mapping[str, Any]


def read_events(bodies: Sequence[Any], *, tournament_id: int) -> list[Event]:
    """Return the events of a call, in the order they came.

    All or nothing: raises Invalid, naming the fields, if any is not well formed, if one names another tournament, or
    if there are none or more than a thousand.
    """
    if not 1 <= len(bodies) <= MAX_EVENTS:
        raise Invalid(f"Send 1 to {MAX_EVENTS} events.", fields={"body": [f"1 to {MAX_EVENTS} events."]})
    events: list[Event] = []
    complaints: dict[str, list[str]] = {}
    for place, body in enumerate(bodies):
        try:
            events.append(_read(body, tournament_id))
        except _Malformed as problem:
            head = f"events[{place}]" if len(bodies) > 1 else "event"
            complaints[".".join(part for part in (head, problem.path) if part)] = [problem.text]
            if len(complaints) == MAX_COMPLAINTS:
                break
    if complaints:
        raise Invalid("An event is not well formed; nothing was taken.", fields=complaints)
    return events


class _Malformed(Exception):
    """An event is not well formed."""

    def __init__(self, path: str, text: str) -> None:
        super().__init__(text)
        self.path = path
        self.text = text


def _read(body: Any, tournament_id: int) -> Event:
    if not isinstance(body, Mapping):
        raise _Malformed("", "Expected an object.")
    envelope = _convert(_spelled(body, "", {}), _Envelope, "")
    if envelope.tournament_id is not None and str(envelope.tournament_id) != str(tournament_id):
        raise _Malformed("tournamentId", "Names another tournament.")
    shape = SHAPES.get(envelope.event_type)
    data = None
    if shape is not None:
        data = _convert(_spelled(envelope.data or {}, "data", ALIASES), shape, "data")
        _check_data(data)
    return Event(
        envelope.event_id,
        envelope.event_type,
        _moment(envelope.timestamp, "timestamp"),
        envelope.operator_id,
        data,
        body,
    )


def _spelled(fields: Mapping[str, Any], path: str, aliases: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields under their canonical camelCase names; two spellings must not disagree (operators.md 1.3)."""
    found: dict[str, Any] = {}
    for key, value in fields.items():
        camel = key
        if "_" in key:
            head, *tail = key.split("_")
            camel = head + "".join(part.capitalize() for part in tail)
        name = aliases.get(camel, camel)
        if isinstance(value, list) and name == "finalStandings":
            value = [  # noqa: PLW2901 - the same value, respelled
                _spelled(item, path, aliases) if isinstance(item, Mapping) else item for item in value
            ]
        if name in found and found[name] != value:
            raise _Malformed(".".join(part for part in (path, name) if part), "Two spellings disagree.")
        found[name] = value
    return found


def _convert(fields: dict[str, Any], shape: type[Any], path: str) -> Any:
    try:
        return msgspec.convert(fields, shape)
    except msgspec.ValidationError as problem:
        text, _, where = str(problem).partition(" - at `$")
        inner = re.sub(r"^\.", "", where.rstrip("`"))
        raise _Malformed(".".join(part for part in (path, inner) if part), f"{text}.") from problem


def _check_data(data: Any) -> None:
    if isinstance(data, ScoreData):
        _check_score(data.score, "data.score")
    elif isinstance(data, EliminatedData):
        if data.final_points is not None:
            _check_score(data.final_points, "data.finalPoints")
        if data.eliminated_at is not None:
            data.eliminated_at = _moment(data.eliminated_at, "data.eliminatedAt")
    elif isinstance(data, CompletedData):
        for place, standing in enumerate(data.final_standings or ()):
            _check_score(standing.score, f"data.finalStandings[{place}].score")


def _check_score(score: Decimal, path: str) -> None:
    # Comparing never rounds or overflows, whatever the exponent of a number that came as text.
    if not score.is_finite() or not -SCORE_LIMIT < score < SCORE_LIMIT:
        raise _Malformed(path, "Out of range.")
    if score != round(score, SCORE_PLACES):
        raise _Malformed(path, f"At most {SCORE_PLACES} decimals.")


def _moment(given: datetime, path: str) -> datetime:
    if not FIRST_YEAR <= given.year <= LAST_YEAR:
        raise _Malformed(path, "Out of range.")
    return given.astimezone(UTC)
