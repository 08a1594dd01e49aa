"""What a room allows, and what an operation comes to (rooms.md 5 and 6). Pure: no database, no clock.

Every refusal of every operation is raised here, before anything is written.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

from apps.core.numbers import number
from apps.ledger.models import AccountKind
from apps.ledger.money import to_amount
from apps.rooms import errors
from apps.rooms.ground import Ground, HeldAccount, HeldAsset
from apps.rooms.lifecycle import RoomStatus
from apps.rooms.models import Room
from apps.rooms.operations import Entry, Operation

# Account subjects have this many characters; the public name of a game may have more.
LONGEST_SUBJECT = 64

# (kind, subject, asset): how rules name an account, whether or not it exists.
Place = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Payout:
    """One line paid out: `units` leave the room, `fee` of them stay with the platform."""

    entry: Entry
    fee: int


@dataclass(slots=True)
class Change:
    """What an operation comes to: who comes and goes, what is taken of which allowance, what moves on which account."""

    joins: list[int] = field(default_factory=list)
    leaves: list[int] = field(default_factory=list)
    takes: dict[int, int] = field(default_factory=dict)
    legs: dict[Place, int] = field(default_factory=lambda: defaultdict(int))
    payouts: list[Payout] = field(default_factory=list)
    ends: bool = False


def fee_of(units: int, percent: int) -> int:
    """Return what is kept back of a payout: whole units, rounded down (rooms.md 6.3)."""
    return units * percent // 100


def split(units: int, weights: Mapping[int, int]) -> dict[int, int]:
    """Part units among players in proportion to their weights; the parts add up to the whole, zeros left out.

    Rounded down; the odd units go one by one to the players in ascending order of their keys. Nobody gets anything
    where no weight is above zero.
    """
    whole = sum(weight for weight in weights.values() if weight > 0)
    if not whole:
        return {}
    parts = {key: units * weight // whole for key, weight in sorted(weights.items()) if weight > 0}
    odd = units - sum(parts.values())
    for key in list(parts)[:odd]:
        parts[key] += 1
    return {key: part for key, part in parts.items() if part}


def house_subject(game_id: str) -> str:
    """Name the account of a game's own earnings; a name too long for the books is replaced by its digest."""
    subject = f"game:{game_id}"
    return subject if len(subject) <= LONGEST_SUBJECT else f"game:{sha256(game_id.encode()).hexdigest()[:40]}"


def told(units: int, asset: HeldAsset) -> Decimal | int:
    """Return base units as the shortest exact JSON number in whole tokens."""
    return number(to_amount(units, asset.scale))


def decide(operation: Operation, ground: Ground, room: Room, *, at: datetime) -> Change:
    """Return what the operation comes to. Raises the RoomError that stands against it; then nothing may be written."""
    change = Change()
    if room.status == RoomStatus.ENDED:
        if operation.ends and not operation.earns:
            return change
        raise errors.RoomEnded
    _refuse_unknown(operation, ground)
    _join(operation, ground, room, change, at)
    _pay(operation, ground, room, change, at)
    _earn(operation, ground, room, change)
    _leave(operation, ground, change)
    if operation.ends:
        _refuse_leftovers(operation, ground, room, change)
        change.ends = True
    return change


def _refuse_unknown(operation: Operation, ground: Ground) -> None:
    for entry in (*operation.pays, *operation.earns):
        if entry.units < 0:
            raise errors.AmountInvalid(f"Invalid amount: {entry.units}")
        asset = ground.assets.get(entry.asset_code)
        # A token that was switched off takes no new money; what rooms hold of it can still be paid out.
        if asset is None or (operation.pays and not asset.enabled):
            raise errors.TokenInvalid(f"Invalid token: {entry.token or entry.asset_code}")
    for player_id in players_of(operation):
        if player_id not in ground.player:
            raise errors.PlayerNotFound(f"User not found: {operation.name_of(player_id)}")


def players_of(operation: Operation) -> set[int]:
    """Return everybody that an operation is about."""
    named = {entry.player_id for entry in (*operation.pays, *operation.earns) if entry.player_id is not None}
    return named.union(operation.joins, operation.leaves)


def _join(operation: Operation, ground: Ground, room: Room, change: Change, at: datetime) -> None:
    change.joins = [player_id for player_id in operation.joins if ground.player[player_id].member is None]
    if not change.joins:
        return
    if room.expires_at <= at:
        raise errors.RoomExpired
    _refuse_blocked(change.joins, operation, ground, at)
    if room.max_players and ground.seated + len(change.joins) > room.max_players:
        raise errors.RoomFull(f"The room takes {room.max_players} players.", maxPlayers=room.max_players)


def _pay(operation: Operation, ground: Ground, room: Room, change: Change, at: datetime) -> None:
    if not operation.pays:
        return
    if room.expires_at <= at:
        raise errors.RoomExpired
    sums: dict[tuple[int, str], int] = defaultdict(int)
    for entry in operation.pays:
        if entry.player_id is None:
            raise errors.NotJoined("A game can't pay.")
        sums[entry.player_id, entry.asset_code] += entry.units
    payers = [player_id for player_id, _ in sums]
    _refuse_blocked(payers, operation, ground, at)
    _take_allowances(sums, operation, ground, change, at)
    _refuse_absent(payers, operation, ground, change)
    for (player_id, code), units in sums.items():
        asset = ground.assets[code]
        wallet = f"player:{player_id}"
        if units > ground.units_of(AccountKind.PLAYER, wallet, asset.id):
            raise errors.InsufficientBalance(f"Insufficient balance: {operation.name_of(player_id)}")
        change.legs[AccountKind.PLAYER, wallet, asset.id] -= units
        change.legs[AccountKind.ESCROW, room.subject, asset.id] += units


def _take_allowances(
    sums: Mapping[tuple[int, str], int], operation: Operation, ground: Ground, change: Change, at: datetime
) -> None:
    """Take every sum from its allowance, or tell about all that do not cover theirs (rooms.md 6.2)."""
    refused: list[errors.RoomError] = []
    for (player_id, code), units in sums.items():
        if not units:
            continue
        found = ground.allowance.get((player_id, ground.assets[code].id))
        if found is None or not found.granted or found.expires_at <= at:
            refused.append(errors.NotApproved(f"User not approved: {operation.name_of(player_id)}"))
        elif int(found.units) < units:
            refused.append(errors.AllowanceInsufficient(f"Insufficient allowance: {operation.name_of(player_id)}"))
        else:
            change.takes[found.id] = units
    _refuse_all(refused)


def _earn(operation: Operation, ground: Ground, room: Room, change: Change) -> None:
    if not operation.earns:
        return
    if not operation.sweep:
        earners = [entry.player_id for entry in operation.earns if entry.player_id is not None]
        _refuse_absent(earners, operation, ground, change)
    leaving: dict[str, int] = defaultdict(int)
    for entry in operation.earns:
        leaving[entry.asset_code] += entry.units
    for code, units in leaving.items():
        asset = ground.assets[code]
        holds = ground.units_of(AccountKind.ESCROW, room.subject, asset.id)
        if units > holds:
            raise errors.InsufficientRoomBalance(
                f"The room holds {told(holds, asset)} {code.lower()}, and {told(units, asset)} would be paid out."
            )
    for entry in operation.earns:
        asset_id = ground.assets[entry.asset_code].id
        fee = 0 if operation.sweep else fee_of(entry.units, ground.fee_percent)
        change.payouts.append(Payout(entry, fee))
        change.legs[AccountKind.ESCROW, room.subject, asset_id] -= entry.units
        change.legs[earner(entry.player_id, operation.game_id, asset_id)] += entry.units - fee
        change.legs[AccountKind.PLATFORM, "", asset_id] += fee


def earner(player_id: int | None, game_id: str, asset_id: int) -> Place:
    """Name the account that a payout goes to: a wallet, or the operator's revenue from the game (rooms.md 6.4)."""
    if player_id is None:
        return AccountKind.REVENUE, house_subject(game_id), asset_id
    return AccountKind.PLAYER, f"player:{player_id}", asset_id


def _leave(operation: Operation, ground: Ground, change: Change) -> None:
    _refuse_absent(operation.leaves, operation, ground, change)
    change.leaves = list(operation.leaves)


def _refuse_leftovers(operation: Operation, ground: Ground, room: Room, change: Change) -> None:
    left = ground.held_by_room(room)
    by_id = {asset.id: (code, asset) for code, asset in ground.assets.items()}
    for asset_id, units in left.items():
        code, asset = by_id[asset_id]
        rest = units + change.legs.get((AccountKind.ESCROW, room.subject, asset_id), 0)
        if rest:
            token = next((e.token for e in operation.earns if e.asset_code == code and e.token), code.lower())
            raise errors.RoomNotEmpty(f"Room still holds {told(rest, asset)} {token}; pay it out before ending")


def _refuse_blocked(players: Iterable[int], operation: Operation, ground: Ground, at: datetime) -> None:
    blocked = [player_id for player_id in players if ground.player[player_id].is_blocked(at)]
    _refuse_all(
        [errors.PlayerMayNotPlay(f"User may not play: {operation.name_of(player_id)}") for player_id in blocked]
    )


def _refuse_absent(players: Iterable[int], operation: Operation, ground: Ground, change: Change) -> None:
    absent = [p for p in dict.fromkeys(players) if ground.player[p].member is None and p not in change.joins]
    _refuse_all([errors.NotJoined(f"Player is not joined: {operation.name_of(player_id)}") for player_id in absent])


def _refuse_all(refused: list[errors.RoomError]) -> None:
    """Raise the first refusal, with the texts of all: one string to show, and a list (rooms.md 3.0.6)."""
    if refused:
        texts = [refusal.message for refusal in refused]
        raise type(refused[0])("; ".join(texts), errors=texts)


def legs_of(change: Change, ground: Ground) -> Iterator[tuple[Place, HeldAccount | None, int]]:
    """Yield what moves, in the order of the steps: the account's name, the account if it exists, and its units."""
    for place, units in change.legs.items():
        if units:
            yield place, ground.account.get(place), units


def answer(operation: Operation, ground: Ground, room: Room, change: Change) -> dict[str, Any]:
    """Return a task's result: what rooms.md 3.1 to 3.11 answer, amounts in whole tokens."""
    found: dict[str, Any] = {"gameId": operation.game_id, "roomId": str(room.pk), "roomAddress": room.address}
    people = operation.joins or operation.leaves or [e.player_id for e in operation.pays or operation.earns]
    if people:
        found["plyrIds"] = list(dict.fromkeys(operation.name_of(player_id) for player_id in people))
    if operation.pays:
        found["payments"] = [line(operation, entry, ground) for entry in operation.pays]
    if operation.earns:
        found["distributions"] = [paid_out(operation, payout, ground) for payout in change.payouts]
    return found


def line(operation: Operation, entry: Entry, ground: Ground) -> dict[str, Any]:
    """Return one payment as the game knows it."""
    asset = ground.assets[entry.asset_code]
    return {
        "plyrId": operation.name_of(entry.player_id),
        "token": entry.token or entry.asset_code.lower(),
        "amount": told(entry.units, asset),
    }


def paid_out(operation: Operation, payout: Payout, ground: Ground) -> dict[str, Any]:
    """Return one payout as the game knows it; `amount` is gross (rooms.md 6.3)."""
    asset = ground.assets[payout.entry.asset_code]
    fees = {"fee": told(payout.fee, asset), "net": told(payout.entry.units - payout.fee, asset)}
    return {**line(operation, payout.entry, ground), **fees}
