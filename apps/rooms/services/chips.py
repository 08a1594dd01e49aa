"""Chips: tokens that a game makes for itself, as assets of its operator (rooms.md 3.41).

What is out of a chip came from its issuing account, which goes below zero by as much. A game mints, burns and moves its
own chips without asking the players, as the original does; nothing is taken of a player who is blocked, or of what a
wallet does not hold.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction
from django.db.models import Q

from apps.core import ids
from apps.core.actors import Actor
from apps.core.numbers import number
from apps.events.services import recording as events
from apps.ledger.money import to_amount
from apps.ledger.services import accounts, journals
from apps.ledger.services.assets import add_asset
from apps.ledger.services.journals import InsufficientFunds, NewJournal, violated
from apps.operators import handles, wallets
from apps.operators.models import Player
from apps.rooms import errors
from apps.rooms.models import Chip, Task
from apps.rooms.services import profiles, receipts, tokens
from apps.rooms.services.tokens import Token

SCALE = 18
SYMBOL = re.compile(r"[A-Za-z0-9._-]{1,20}", re.ASCII)
MAX_NAME, MAX_IMAGE = 60, 500
# A call moves at most this many entries.
MAX_ENTRIES = 500


class ChipExists(errors.RoomError):
    """The game has a chip with this symbol already."""

    code = "CHIP_EXISTS"
    hint = "Choose another symbol, or use the chip: GET /game/chip/info lists them."


class ChipInvalid(errors.TokenInvalid):
    """The game has no such chip."""

    hint = "Use a chip's address or symbol from GET /game/chip/info; chips of other games are theirs."


@dataclass(frozen=True, slots=True)
class Entry:
    """So many base units of a chip, off a player (None: newly made) and onto a player (None: unmade)."""

    chip: Chip
    source: Player | None
    target: Player | None
    units: int

    def told(self) -> dict[str, Any]:
        """Write the entry as answers and facts have it."""
        said: dict[str, Any] = {"chip": address_of(self.chip), "symbol": self.chip.symbol}
        if self.source and self.target:
            said |= {"fromPlyrId": self.source.handle, "toPlyrId": self.target.handle}
        elif player := self.source or self.target:
            said |= {"plyrId": player.handle}
        return {**said, "amount": number(to_amount(self.units, SCALE))}


def address_of(chip: Chip) -> str:
    """Return a chip's `0x` address, which rooms take for a token."""
    return wallets.address_of(tokens.ASSET, chip.asset_id)


@transaction.atomic
def create(
    operator_id: int, *, game_id: str, name: str, symbol: str, image: str, actor: Actor, at: datetime
) -> tuple[Chip, Task]:
    """Make a new chip, of which there is none yet. Raises InvalidParams, ChipExists."""
    if not 0 < len(name) <= MAX_NAME:
        raise errors.InvalidParams(f"name: 1 to {MAX_NAME} characters.")
    if SYMBOL.fullmatch(symbol) is None:
        raise errors.InvalidParams("symbol: 1 to 20 letters, digits, dots, - and _.")
    if len(image) > MAX_IMAGE or (image and not _is_web_address(image)):
        raise errors.InvalidParams("image: a web address of at most 500 characters.")
    if Chip.objects.for_operator(operator_id).filter(game_id=game_id, symbol__iexact=symbol).exists():
        raise ChipExists(symbol=symbol)
    # No currency is ever called so, whatever a game calls its chip.
    asset = add_asset(operator_id, f"chip-{ids.token(7)}", scale=SCALE, name=f"{name} ({symbol})"[:60])
    chip = Chip(
        operator_id=operator_id, game_id=game_id, asset=asset, name=name, symbol=symbol, image=image, created_at=at
    )
    try:
        with transaction.atomic():
            chip.save(force_insert=True)
    except IntegrityError as problem:
        if violated(problem) == "rooms_chip_symbol_once":
            raise ChipExists(symbol=symbol) from problem
        raise
    task = receipts.done(
        receipts.task_id(at),
        operator_id=operator_id,
        game_id=game_id,
        method="createChip",
        params={"name": name, "symbol": symbol} | ({"image": image} if image else {}),
        result={"chip": address_of(chip), "symbol": symbol, "name": name, "apiId": asset.code},
        actor=actor,
        at=at,
    )
    _report("created", chip, {"name": name, "taskId": task.public_id}, actor=actor, at=at)
    return chip, task


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https", "ipfs"} and bool(parts.netloc)


def move(method: str, entries: Sequence[Entry], *, operator_id: int, game_id: str, actor: Actor, at: datetime) -> Task:
    """Do all entries, or none: mint, burn or transfer, as each entry has a source, a target or both.

    Raises InsufficientBalance when a wallet does not hold what is to leave it, PlayerMayNotPlay for a blocked source.
    """
    with transaction.atomic():
        _refuse_blocked([entry.source for entry in entries if entry.source], at)
        public_id = receipts.task_id(at)
        if legs := _legs(entries):
            journal = NewJournal(
                kind=f"chip.{method}", key=f"chip:{method}:{public_id}", legs=legs, memo=f"game {game_id}"[:200]
            )
            try:
                journals.post(journal, operator_id=operator_id, actor=actor, at=at)
            except InsufficientFunds as problem:
                raise errors.InsufficientBalance from problem
        told = [entry.told() for entry in entries]
        task = receipts.done(
            public_id,
            operator_id=operator_id,
            game_id=game_id,
            method=f"{method}Chip",
            params={"entries": told},
            result={"entries": told},
            actor=actor,
            at=at,
        )
        verb = {"mint": "minted", "burn": "burned", "transfer": "transferred"}[method]
        for chip in {entry.chip.pk: entry.chip for entry in entries}.values():
            mine = [entry.told() for entry in entries if entry.chip.pk == chip.pk]
            _report(verb, chip, {"entries": mine, "taskId": public_id}, actor=actor, at=at)
    return task


def entries_of(
    operator_id: int,
    game_id: str,
    *,
    names: Sequence[str],
    amounts: Sequence[Decimal | int | str],
    sources: Sequence[str] | None = None,
    targets: Sequence[str] | None = None,
) -> list[Entry]:
    """Read parallel arrays: entry i is chip i, amount i and the players i.

    Raises LengthMismatch, ChipInvalid, PlayerNotFound, AmountInvalid.
    """
    sides = [side for side in (sources, targets) if side is not None]
    if any(len(side) != len(names) for side in (amounts, *sides)):
        raise errors.LengthMismatch("The arrays must be the same length.")
    if not 0 < len(names) <= MAX_ENTRIES:
        raise errors.InvalidParams(f"chips: 1 to {MAX_ENTRIES} entries.")
    chips = chips_called(operator_id, game_id, names)
    people = profiles.all_called(operator_id, [plyr_id for side in sides for plyr_id in side])

    def person(side: Sequence[str] | None, place: int) -> Player | None:
        if side is None:
            return None
        found = people.get(handles.normal(side[place]))
        if found is None:
            raise errors.PlayerNotFound(f"User not found: {side[place]}")
        return found

    return [
        Entry(chips[place], person(sources, place), person(targets, place), _units(chips[place], amounts[place]))
        for place in range(len(names))
    ]


def chips_called(operator_id: int, game_id: str, names: Sequence[str]) -> list[Chip]:
    """Return the game's chip for each address, symbol or token id. Raises ChipInvalid, naming the bad ones."""
    wanted = {name.strip().lower() for name in names}
    numbers = {text: wallets.number_behind(tokens.ASSET, text) for text in wanted}
    asked = Q(asset__code__in=wanted) | Q(asset_id__in=[pk for pk in numbers.values() if pk is not None])
    for text in wanted:
        asked |= Q(symbol__iexact=text)
    found: dict[str, Chip] = {}
    mine = Chip.objects.for_operator(operator_id).filter(game_id=game_id).select_related("asset")
    for chip in mine.filter(asked).order_by("-pk"):
        found |= {chip.symbol.lower(): chip, chip.asset.code: chip, address_of(chip): chip}
    bad = [f"Invalid chip: {name}" for name in names if name.strip().lower() not in found]
    if bad:
        raise ChipInvalid("; ".join(bad), errors=bad)
    return [found[name.strip().lower()] for name in names]


def _units(chip: Chip, amount: Decimal | int | str) -> int:
    try:
        units = tokens.units_of(Token(chip.asset_id, chip.asset.code, SCALE), amount)
    except errors.AmountInvalid as problem:
        raise errors.AmountInvalid(f"Invalid amount: {amount}") from problem
    if units <= 0:
        raise errors.AmountInvalid(f"Invalid amount: {amount}")
    return units


def _legs(entries: Sequence[Entry]) -> Mapping[int, int]:
    """Return what moves on which account, zeros left out."""
    sums: dict[tuple[int, int | None], int] = defaultdict(int)
    chips = {entry.chip.asset_id: entry.chip.asset for entry in entries}
    for entry in entries:
        sums[entry.chip.asset_id, entry.source.pk if entry.source else None] -= entry.units
        sums[entry.chip.asset_id, entry.target.pk if entry.target else None] += entry.units
    legs: dict[int, int] = {}
    for asset_id, asset in sorted(chips.items()):
        people = sorted(pk for (one, pk), units in sums.items() if one == asset_id and pk is not None and units)
        known = accounts.wallets(people, asset)
        legs |= {known[pk]: sums[asset_id, pk] for pk in people}
        if units := sums.get((asset_id, None), 0):
            legs[accounts.issuing(asset).pk] = units
    return legs


def _refuse_blocked(sources: Sequence[Player], at: datetime) -> None:
    """Look again under lock, in key order, so that a block can't slip in between."""
    ids_ = {player.pk for player in sources}
    for player in Player.objects.filter(pk__in=ids_).order_by("pk").select_for_update(no_key=True, of=("self",)):
        if player.is_blocked(at):
            raise errors.PlayerMayNotPlay(plyr_id=player.handle)


def _report(verb: str, chip: Chip, more: Mapping[str, Any], *, actor: Actor, at: datetime) -> None:
    events.record(
        operator_id=chip.operator_id,
        type=f"chip.{verb}",
        subject=f"chip:{chip.pk}",
        data={"chip": address_of(chip), "symbol": chip.symbol, "gameId": chip.game_id, **more},
        actor=actor,
        at=at,
    )


# --- reading ----------------------------------------------------------------------------------------------------------


def of_game(operator_id: int, game_id: str) -> list[Chip]:
    """Return a game's chips, oldest first."""
    return list(Chip.objects.for_operator(operator_id).filter(game_id=game_id).select_related("asset").order_by("pk"))


def supplies(chips: Sequence[Chip]) -> dict[int, Decimal | int]:
    """Return how much of each chip is out, in whole tokens, by the chip's asset."""
    units = accounts.issued([chip.asset_id for chip in chips])
    return {chip.asset_id: number(to_amount(units.get(chip.asset_id, 0), SCALE)) for chip in chips}
