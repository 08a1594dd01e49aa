"""From the body of a room call to the operation it asks for, checked in the original's order (rooms.md 3.0).

Shape first, then sessions, tokens and amounts; what the room has to say comes later, from the operation itself. What is
refused here leaves no task.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from apps.operators import handles
from apps.rooms import operations
from apps.rooms.api import values
from apps.rooms.errors import (
    AmountInvalid,
    InvalidParams,
    LengthMismatch,
    PlayerNotFound,
    RoomError,
    RoomNotFound,
    TokenInvalid,
)
from apps.rooms.operations import LIFETIME_SECONDS, Entry, Game, Operation
from apps.rooms.services import profiles, sessions, tokens

SAME_LENGTH = "Tokens and amounts must be the same length"
INCORRECT = "Input params was incorrect."
LONGEST_ROOM_ID = 18


@dataclass(frozen=True, slots=True)
class Asked:
    """What a call asks for: the operation, and its parameters as its task shows them. No session is in them."""

    operation: Operation
    params: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """A body and whose it is."""

    fields: Mapping[str, Any]
    operator_id: int
    game_id: str
    at: datetime

    def game(self, names: Mapping[int, str] | None = None) -> Game:
        """Return the game that asks, with what it calls the players of this call."""
        return Game(self.operator_id, self.game_id, names or {})

    def params(self, **more: Any) -> dict[str, Any]:
        """Return the parameters that a task shows, what is not given left out."""
        return {"gameId": self.game_id} | {name: value for name, value in more.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Lines:
    """The arrays of a call that moves money, entry by entry, and what the game calls the players in them."""

    entries: list[Entry]
    names: dict[int, str]
    shown: dict[str, list[Any]]


# --- the calls --------------------------------------------------------------------------------------------------------


def create(call: Call) -> Asked:
    """3.1."""
    lifetime, most, params = _terms(call)
    return Asked(operations.create(call.game(), lifetime=lifetime, max_players=most), call.params(**params))


def join(call: Call) -> Asked:
    """3.2."""
    return _of_players(call, operations.join)


def pay(call: Call) -> Asked:
    """3.3."""
    return _in_room(call, operations.pay, _paid(call, three=False))


def earn(call: Call) -> Asked:
    """3.4."""
    return _in_room(call, operations.earn, _earned(call, three=False))


def leave(call: Call) -> Asked:
    """3.5."""
    return _of_players(call, operations.leave)


def end(call: Call) -> Asked:
    """3.6."""
    room_id = room_of(call.fields)
    return Asked(operations.end(call.game(), room_id), call.params(roomId=str(room_id)))


def join_pay(call: Call) -> Asked:
    """3.8."""
    return _in_room(call, operations.join_pay, _paid(call, three=True))


def earn_leave(call: Call) -> Asked:
    """3.9."""
    return _in_room(call, operations.earn_leave, _earned(call, three=True))


def create_join_pay(call: Call) -> Asked:
    """3.10."""
    lifetime, most, params = _terms(call)
    lines = _paid(call, three=True)
    game = call.game(lines.names)
    operation = operations.create_join_pay(game, lines.entries, lifetime=lifetime, max_players=most)
    return Asked(operation, call.params(**params, **lines.shown))


def earn_leave_end(call: Call) -> Asked:
    """3.11."""
    return _in_room(call, operations.earn_leave_end, _earned(call, three=True))


# --- their parts ------------------------------------------------------------------------------------------------------


def room_of(fields: Mapping[str, Any]) -> int:
    """Return the number of the room that `roomId` names, as text or number. Raises InvalidParams and RoomNotFound."""
    given = fields.get("roomId")
    if given is None or given == "":
        raise InvalidParams("roomId is required")
    if isinstance(given, bool) or not isinstance(given, str | int | Decimal):
        raise InvalidParams("roomId must be a text")
    spelled = given.strip() if isinstance(given, str) else values.plain(given)
    if not is_room_id(spelled):
        raise RoomNotFound(f"Room not found: {values.spelled(spelled)}")
    return int(spelled)


def is_room_id(spelled: str) -> bool:
    """Tell whether a text is the decimal text of a room's number."""
    return spelled.isascii() and spelled.isdecimal() and len(spelled) <= LONGEST_ROOM_ID


def _terms(call: Call) -> tuple[int, int | None, dict[str, Any]]:
    given = values.seconds(call.fields)
    lifetime = LIFETIME_SECONDS if given is None else given
    most = values.whole(call.fields, "maxPlayers", least=0, most=values.MAX_INTEGER)
    return lifetime, most, {"expiresIn": lifetime, "maxPlayers": most}


def _of_players(call: Call, begin: Callable[[Game, int, list[int]], Operation]) -> Asked:
    jwts = _jwts(call)
    room_id = room_of(call.fields)
    present = _present(call, jwts)
    names = {player.player_id: player.plyr_id for player in present}
    params = call.params(roomId=str(room_id), plyrIds=list(dict.fromkeys(names.values())))
    return Asked(begin(call.game(names), room_id, list(names)), params)


def _in_room(call: Call, begin: Callable[[Game, int, list[Entry]], Operation], lines: Lines) -> Asked:
    room_id = room_of(call.fields)
    operation = begin(call.game(lines.names), room_id, lines.entries)
    return Asked(operation, call.params(roomId=str(room_id), **lines.shown))


def _jwts(call: Call) -> list[str]:
    jwts = values.texts(call.fields, "sessionJwts", longest=sessions.LONGEST_TOKEN)
    if jwts is None:
        raise InvalidParams("sessionJwts is empty")
    return jwts


def _present(call: Call, jwts: Sequence[str]) -> list[sessions.Present]:
    return sessions.resolve(jwts, game_id=call.game_id, operator_id=call.operator_id, at=call.at)


def _paid(call: Call, *, three: bool) -> Lines:
    """Read sessionJwts, tokens and amounts. Raises what rooms.md 3.0.6 has for them."""
    jwts = _jwts(call)
    wanted, amounts = values.texts(call.fields, "tokens"), values.entries(call.fields, "amounts")
    if wanted is None or amounts is None:
        raise InvalidParams("Tokens and amounts and sessionJwts are required")
    if len(wanted) != len(amounts):
        raise LengthMismatch(SAME_LENGTH)
    if len(jwts) != len(wanted):
        raise LengthMismatch(INCORRECT if three else SAME_LENGTH)
    present = _present(call, jwts)
    people = [(player.player_id, player.plyr_id) for player in present]
    return _lines(call, people, wanted, amounts)


def _earned(call: Call, *, three: bool) -> Lines:
    """Read plyrIds, tokens and amounts; in the combinations an amount may be null, for nothing."""
    plyr_ids = values.texts(call.fields, "plyrIds")
    if plyr_ids is None:
        raise InvalidParams("plyrIds is required")
    wanted = values.texts(call.fields, "tokens")
    if wanted is None:
        raise TokenInvalid("Token is required")
    amounts = values.entries(call.fields, "amounts")
    if amounts is None:
        raise InvalidParams("amounts is required")
    if not len(plyr_ids) == len(wanted) == len(amounts):
        raise LengthMismatch(INCORRECT if three else SAME_LENGTH)
    if three:
        amounts = [0 if amount is None else amount for amount in amounts]
    return _lines(call, _named(call, plyr_ids), wanted, amounts)


def _named(call: Call, plyr_ids: Sequence[str]) -> list[tuple[int | None, str]]:
    """Return the player behind each PLYR[ID], None for the game itself. Raises PlayerNotFound, naming all unknown."""
    spelled = [handles.normal(plyr_id) for plyr_id in plyr_ids]
    game = handles.normal(call.game_id)
    found = profiles.all_called(call.operator_id, (handle for handle in spelled if handle != game))
    unknown = [
        f"User not found: {handle}" for handle in dict.fromkeys(spelled) if handle != game and handle not in found
    ]
    if unknown:
        raise PlayerNotFound("; ".join(unknown), errors=unknown)
    return [(None if handle == game else found[handle].pk, handle) for handle in spelled]


def _lines(
    call: Call, people: Sequence[tuple[int | None, str]], wanted: Sequence[str], amounts: Sequence[Any]
) -> Lines:
    """Return the entries. Raises TokenInvalid or AmountInvalid with the texts of all bad entries, in their order."""
    known = tokens.resolve(call.operator_id, wanted)
    entries, shown, bad = [], [], []
    for (player_id, _), token, name, given in zip(people, known, wanted, amounts, strict=True):
        try:
            amount = values.amount(given)
            units = tokens.units_of(token, amount)
        except AmountInvalid:
            bad.append(f"Invalid amount: {values.spelled(given)}")
            continue
        entries.append(Entry(player_id, token.code, units, token=name.lower()))
        shown.append(values.exact(amount))
    if bad:
        raise _all(AmountInvalid, bad)
    names = {player_id: name for player_id, name in people if player_id is not None}
    lines: dict[str, list[Any]] = {
        "plyrIds": [name for _, name in people],
        "tokens": [name.lower() for name in wanted],
        "amounts": shown,
    }
    return Lines(entries, names, lines)


def _all(kind: type[RoomError], texts: list[str]) -> RoomError:
    return kind("; ".join(texts), errors=texts)
