"""What can be asked of a room, as data: an operation is a list of steps that are done together or not at all.

Pure. The steps are always taken in one order: create, join, pay, earn, leave, end; so each call of rooms.md 3.1 to
3.11 is the few of them that it names. `services.tasks.submit` does an operation now, or queues it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

# rooms.md 7, row 9.
LIFETIME_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a payment or payout: whole base units of an asset, from or to a player.

    `player_id` None is the game itself, which always counts as joined (rooms.md 6.4); it can earn and never pays.
    `token` is how the request spelled the asset; empty means by its code.
    """

    player_id: int | None
    asset_code: str
    units: int
    token: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """What to do, in one room of one game, or in a new one (`room_id` None).

    `method` is its name in task data (rooms.md 4), `action` its name in activity logs. `names` maps players to what
    the game calls them (PLYR[ID]s), for answers, facts and refusals; it need not name the game.

    `sweep` is for staff: "refund" gives what the room holds back to who paid it, "close" gives it to the game; both end
    it, and need the `reason`. Who gets what is found when it is done; nobody need be in the room, and there is no fee.
    """

    method: str
    action: str
    operator_id: int
    game_id: str
    room_id: int | None = None
    lifetime: int = LIFETIME_SECONDS
    max_players: int | None = None
    joins: tuple[int, ...] = ()
    pays: tuple[Entry, ...] = ()
    earns: tuple[Entry, ...] = ()
    leaves: tuple[int, ...] = ()
    ends: bool = False
    sweep: str = ""
    reason: str = ""
    names: Mapping[int, str] = field(default_factory=dict)

    @property
    def creates(self) -> bool:
        """Whether its room is a new one."""
        return self.room_id is None

    def name_of(self, player_id: int | None) -> str:
        """Return what the game calls a player, or itself."""
        return self.game_id if player_id is None else self.names.get(player_id) or str(player_id)


@dataclass(frozen=True, slots=True)
class Game:
    """Who asks: the operator and the public name of the game's key, and what it calls the players of this request."""

    operator_id: int
    game_id: str
    names: Mapping[int, str] = field(default_factory=dict)

    def begin(self, method: str, action: str, room_id: int | None) -> Operation:
        """Return an operation of this game without any steps yet."""
        return Operation(method, action, self.operator_id, self.game_id, room_id, names=self.names)


def create(game: Game, *, lifetime: int = LIFETIME_SECONDS, max_players: int | None = None) -> Operation:
    """Open a room that expires after `lifetime` seconds. `max_players` None: as the game says; 0: no limit."""
    return replace(game.begin("createGameRoom", "create", None), lifetime=lifetime, max_players=max_players)


def join(game: Game, room_id: int, players: Iterable[int]) -> Operation:
    """Let players in. Who is in already stays in."""
    return replace(game.begin("joinGameRoom", "join", room_id), joins=_once(players))


def pay(game: Game, room_id: int, entries: Iterable[Entry]) -> Operation:
    """Move money from players' wallets into the room; entries of one player and asset are summed."""
    return replace(game.begin("batchPayGameRoom", "pay", room_id), pays=summed(entries))


def earn(game: Game, room_id: int, entries: Iterable[Entry]) -> Operation:
    """Move money from the room to players' wallets; entries of one player and asset are summed."""
    return replace(game.begin("batchEarnGameRoom", "earn", room_id), earns=summed(entries))


def leave(game: Game, room_id: int, players: Iterable[int]) -> Operation:
    """Let players out. Their money stays in the room (rooms.md 6.7)."""
    return replace(game.begin("leaveGameRoom", "leave", room_id), leaves=_once(players))


def end(game: Game, room_id: int) -> Operation:
    """Close an empty room for good. Ending it again changes nothing (rooms.md 6.8)."""
    return replace(game.begin("endGameRoom", "end", room_id), ends=True)


def join_pay(game: Game, room_id: int, entries: Iterable[Entry]) -> Operation:
    """Let the payers in and take what they pay."""
    pays = tuple(entries)
    return replace(game.begin("joinPayGameRoom", "joinPay", room_id), joins=_players(pays), pays=pays)


def create_join_pay(
    game: Game, entries: Iterable[Entry], *, lifetime: int = LIFETIME_SECONDS, max_players: int | None = None
) -> Operation:
    """Open a room, let the payers in and take what they pay."""
    pays = tuple(entries)
    begun = game.begin("createJoinPayGameRoom", "createJoinPay", None)
    return replace(begun, lifetime=lifetime, max_players=max_players, joins=_players(pays), pays=pays)


def earn_leave(game: Game, room_id: int, entries: Iterable[Entry]) -> Operation:
    """Pay players out, then let them out. An amount of 0 leaves with nothing."""
    earns = tuple(entries)
    return replace(game.begin("earnLeaveGameRoom", "earnLeave", room_id), earns=earns, leaves=_players(earns))


def earn_leave_end(game: Game, room_id: int, entries: Iterable[Entry]) -> Operation:
    """Pay out exactly what the room holds, let the players out and end it."""
    earns = tuple(entries)
    begun = game.begin("earnLeaveEndGameRoom", "earnLeaveEnd", room_id)
    return replace(begun, earns=earns, leaves=_players(earns), ends=True)


def because(operation: Operation, reason: str) -> Operation:
    """Return the operation with the reason for which staff want it."""
    return replace(operation, reason=reason)


def summed(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Return the entries with those of one player and asset added up, in the order of their first (rooms.md 3.0.5)."""
    lines: dict[tuple[int | None, str], Entry] = {}
    for entry in entries:
        place = (entry.player_id, entry.asset_code)
        before = lines.get(place)
        lines[place] = entry if before is None else replace(before, units=before.units + entry.units)
    return tuple(lines.values())


def _once(players: Iterable[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(players))


def _players(entries: Iterable[Entry]) -> tuple[int, ...]:
    """Return whom entries are about, the game left out: it is in no list of members."""
    return _once(entry.player_id for entry in entries if entry.player_id is not None)
