"""Prizes by rank: cash, shares of the pool and free rounds, in any combination (rounds.md 5.6). Pure calculation.

A table is kept on its tournament as JSON: rows of `rankFrom`, `rankTo` and `prizes`, everything in the words of the API
and amounts as exact decimal text in major units of the tournament's currency. Rows may overlap: a rank gets all of
theirs.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from apps.core.errors import Invalid
from apps.core.numbers import number
from apps.ledger.money import to_units
from apps.tournaments.rules import split_ties

CASH, POOL_SHARE, FREEROUND = "CASH", "POOL_SHARE", "FREEROUND"
KINDS = {CASH: CASH, POOL_SHARE: POOL_SHARE, FREEROUND: FREEROUND, "FREE_ROUNDS": FREEROUND, "POOL": POOL_SHARE}
MAX_ROWS = 10_000
MAX_RANK = 100_000
MAX_PLACES = 200_000
MAX_EACH = 10
MAX_COUNT = 1_000_000
MAX_HOURS = 10 * 366 * 24
MAX_PERCENT_DECIMALS = 6
HUNDRED = Decimal(100)

ROW_NAMES = {"rankfrom": "rankFrom", "rank": "rankFrom", "rankto": "rankTo", "prizes": "prizes"}
PRIZE_NAMES = {
    "type": "type",
    "kind": "type",
    "amount": "amount",
    "percent": "percent",
    "percentage": "percent",
    "count": "count",
    "numberofrounds": "count",
    "gameid": "gameId",
    "freeroundgameid": "gameId",
    "value": "value",
    "validhours": "validHours",
}
NEEDED = {CASH: ("amount",), POOL_SHARE: ("percent",), FREEROUND: ("count", "gameId", "value", "validHours")}


@dataclass(frozen=True, slots=True)
class FreeRounds:
    """Free rounds of one game: how many, what one is worth (major units, base currency), and for how long."""

    count: int
    game: str
    value: Decimal
    valid_hours: int


@dataclass(frozen=True, slots=True)
class Award:
    """One prize of one place: base units, and what it is where it is not cash."""

    units: int
    free: FreeRounds | None = None


# --- reading ----------------------------------------------------------------------------------------------------------


def read(given: Sequence[Any], *, scale: int, where: str = "prizes") -> list[dict[str, Any]]:
    """Return a table as it is kept, from what a client or a person has said. `where` is its name for them.

    Shares of the pool add up to 100 percent at most over all ranks. Raises Invalid, naming the row that is wrong.
    """
    if len(given) > MAX_ROWS:
        raise _wrong(where, f"At most {MAX_ROWS} rows.")
    table = [_row(row, f"{where}.{place}", scale) for place, row in enumerate(given)]
    if sum(row["rankTo"] - row["rankFrom"] + 1 for row in table) > MAX_PLACES:
        raise _wrong(where, f"At most {MAX_PLACES} places over all rows.")
    shared = sum((percent * ranks for percent, ranks in _shares(table)), Decimal(0))
    if shared > HUNDRED:
        raise _wrong(where, f"The shares of the pool add up to {shared.normalize():f} percent; 100 is all there is.")
    return table


def _shares(table: Iterable[Mapping[str, Any]]) -> Iterator[tuple[Decimal, int]]:
    for row in table:
        for prize in row["prizes"]:
            if prize["type"] == POOL_SHARE:
                yield Decimal(prize["percent"]), row["rankTo"] - row["rankFrom"] + 1


def by_percentages(shares: Sequence[Decimal]) -> list[dict[str, Any]]:
    """Return shares of the pool by place as rows of a table."""
    return [
        {"rankFrom": rank, "rankTo": rank, "prizes": [{"type": POOL_SHARE, "percent": format(share, "f")}]}
        for rank, share in enumerate(shares, start=1)
    ]


def _row(given: Any, where: str, scale: int) -> dict[str, Any]:
    row = _named(given, ROW_NAMES, where)
    first = _whole(row.get("rankFrom"), 1, MAX_RANK, f"{where}.rankFrom")
    last = _whole(row.get("rankTo", first), first, MAX_RANK, f"{where}.rankTo")
    prizes = row.get("prizes")
    if not isinstance(prizes, list | tuple) or not 0 < len(prizes) <= MAX_EACH:
        raise _wrong(f"{where}.prizes", f"1 to {MAX_EACH} prizes.")
    told = [_prize(prize, f"{where}.prizes.{place}", scale) for place, prize in enumerate(prizes)]
    return {"rankFrom": first, "rankTo": last, "prizes": told}


def _prize(given: Any, where: str, scale: int) -> dict[str, Any]:
    prize = _named(given, PRIZE_NAMES, where)
    said = prize.pop("type", None)
    if said is None:  # what it holds says what it is
        said = next((kind for kind, names in NEEDED.items() if names[0] in prize), None)
    kind = KINDS.get(said.upper()) if isinstance(said, str) else None
    if kind is None:
        raise _wrong(f"{where}.type", f"One of {CASH}, {POOL_SHARE}, {FREEROUND}.")
    if set(prize) != set(NEEDED[kind]):
        raise _wrong(where, f"A prize of {kind} has {', '.join(NEEDED[kind])}, and nothing else.")
    told: dict[str, Any] = {"type": kind}
    if kind == CASH:
        return told | {"amount": _amount(prize["amount"], f"{where}.amount", scale)}
    if kind == POOL_SHARE:
        return told | {"percent": _percent(prize["percent"], f"{where}.percent")}
    game = prize["gameId"]
    if not isinstance(game, str) or not 0 < len(game) <= 100 or not game.isprintable():  # noqa: PLR2004 - rounds.md 1
        raise _wrong(f"{where}.gameId", "The id of a game.")
    return told | {
        "count": _whole(prize["count"], 1, MAX_COUNT, f"{where}.count"),
        "gameId": game,
        "value": _amount(prize["value"], f"{where}.value", scale),
        "validHours": _whole(prize["validHours"], 1, MAX_HOURS, f"{where}.validHours"),
    }


def _named(given: Any, names: Mapping[str, str], where: str) -> dict[str, Any]:
    """Return the fields under their own names, whatever their spelling. Raises Invalid for one that is unknown."""
    if not isinstance(given, Mapping):
        raise _wrong(where, "Expected an object.")
    found: dict[str, Any] = {}
    for spelled, value in given.items():
        name = names.get(str(spelled).replace("_", "").lower())
        if name is None:
            raise _wrong(f"{where}.{spelled}"[:200], "Unknown field.")
        if value is None:
            continue
        if found.setdefault(name, value) != value:
            raise _wrong(f"{where}.{name}", "Two spellings disagree.")
    return found


def _whole(value: Any, least: int, most: int, where: str) -> int:
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    if not is_number or not Decimal(value).is_finite() or value != int(value) or not least <= value <= most:
        raise _wrong(where, f"A whole number from {least} to {most}.")
    return int(value)


def _amount(value: Any, where: str, scale: int) -> str:
    try:
        units = to_units(value, scale)
    except Invalid as problem:
        raise _wrong(where, problem.message) from problem
    if units <= 0:
        raise _wrong(where, "Must be above 0.")
    return format(Decimal(value), "f")


def _percent(value: Any, where: str) -> str:
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    is_text = isinstance(value, str) and re.fullmatch(r"\d{1,3}(\.\d{1,6})?", value, re.ASCII)
    share = Decimal(value) if is_number or is_text else None
    if (
        share is None
        or not share.is_finite()
        or not 0 < share <= HUNDRED
        or share != round(share, MAX_PERCENT_DECIMALS)
    ):
        raise _wrong(where, "Above 0, at most 100, with at most 6 decimal places.")
    return format(share, "f")


def _wrong(where: str, message: str) -> Invalid:
    return Invalid("Invalid prizes.", fields={where: [message]})


# --- using ------------------------------------------------------------------------------------------------------------


def places(table: Sequence[Mapping[str, Any]]) -> int:
    """Return the last rank that has a prize."""
    return max((int(row["rankTo"]) for row in table), default=0)


def shares(table: Sequence[Mapping[str, Any]], most: int) -> list[Decimal]:
    """Return the percent of the pool that each place gets, first place first, of `most` places at most."""
    found: list[Decimal] = []
    for row in table:
        percent = sum((Decimal(one["percent"]) for one in row["prizes"] if one["type"] == POOL_SHARE), Decimal(0))
        last = min(row["rankTo"], most)
        if percent and row["rankFrom"] <= last:
            found += [Decimal(0)] * (last - len(found))
            for place in range(row["rankFrom"], last + 1):
                found[place - 1] += percent
    return found


def told(table: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return a table as clients see it: amounts and percentages are JSON numbers."""
    exact = ("amount", "percent", "value")
    return [
        {
            **row,
            "prizes": [
                {name: number(Decimal(value)) if name in exact else value for name, value in prize.items()}
                for prize in row["prizes"]
            ],
        }
        for row in table
    ]


def games(table: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the games whose rounds are given away."""
    found = {prize["gameId"] for row in table for prize in row["prizes"] if prize["type"] == FREEROUND}
    return sorted(found)


def awards(
    table: Sequence[Mapping[str, Any]], *, pool: int, ranked: int, scale: int, marks: Sequence[object] | None = None
) -> list[list[Award]]:
    """Return the prizes of each of `ranked` places, best first, in base units; shares are those of `pool`.

    Every share is rounded down, and nothing that nobody claims goes to others. With `marks`, one for each place, equal
    marks share what their places get in cash, prize by prize; free rounds go by place all the same.
    """
    found: list[list[Award]] = [[] for _ in range(min(ranked, places(table)))]
    for row in table:
        each = [award for prize in row["prizes"] if (award := _award(prize, pool=pool, scale=scale)).units]
        for rank in range(row["rankFrom"], min(row["rankTo"], len(found)) + 1):
            found[rank - 1] += each
    if marks is None:
        return found
    money = [[award.units for award in row if award.free is None] for row in found]
    columns = max(map(len, money), default=0)
    split = [split_ties([row[column] if column < len(row) else 0 for row in money], marks) for column in range(columns)]
    shared: list[list[Award]] = []
    for place in range(len(marks)):
        cash = [Award(column[place]) for column in split if column[place]]
        free = [award for award in found[place] if award.free] if place < len(found) else []
        shared.append([*cash, *free])
    return shared


def _award(prize: Mapping[str, Any], *, pool: int, scale: int) -> Award:
    if prize["type"] == CASH:
        return Award(to_units(prize["amount"], scale))
    if prize["type"] == POOL_SHARE:
        return Award(int(pool * Fraction(prize["percent"]) / 100))
    free = FreeRounds(prize["count"], prize["gameId"], Decimal(prize["value"]), prize["validHours"])
    return Award(to_units(free.value, scale) * free.count, free)
