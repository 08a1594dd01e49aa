"""Values of the room dialect: how they are written in a body or query, and how they are shown."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from apps.core.numbers import number
from apps.rooms.errors import AmountInvalid, InvalidParams

# Entries of one call; more are more than one game's players.
MOST_ENTRIES = 1000
LONGEST_TEXT = 200
LONGEST_SECONDS = 10 * 365 * 86_400
MAX_INTEGER = 2**31 - 1
# A number as people and programs write one; JavaScript prints 0.0000001 as 1e-7 (rooms.md 6.14).
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]{1,3})?", re.ASCII | re.IGNORECASE)
LONGEST_NUMBER = 100
MAX_EXPONENT = 64
# A double holds this many digits for sure: whoever reads a longer number may read another one (rooms.md 7, row 11).
DOUBLE_DIGITS = 15


def as_number(value: Any) -> Decimal | None:
    """Return the number that a JSON number or a text says, exact, or None for anything else."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, str) and len(value) <= LONGEST_NUMBER and NUMBER.fullmatch(value.strip()):
        found = Decimal(value.strip())
        return found if not found or -MAX_EXPONENT <= found.adjusted() <= MAX_EXPONENT else None
    return None


def whole(fields: Mapping[str, Any], name: str, *, least: int, most: int) -> int | None:
    """Return a whole number, or None if it is not given or null. Raises InvalidParams for anything else."""
    value = fields.get(name)
    if value is None:
        return None
    found = as_number(value)
    if found is None or found != found.to_integral_value() or not least <= found <= most:
        raise InvalidParams(f"{name} must be a whole number from {least} to {most}")
    return int(found)


def seconds(fields: Mapping[str, Any], name: str = "expiresIn") -> int | None:
    """Return a lifetime in seconds, or None if it is left to the server. Raises InvalidParams out of bounds."""
    return whole(fields, name, least=1, most=LONGEST_SECONDS)


def flag(fields: Mapping[str, Any], name: str = "sync") -> bool:
    """Return a truth, false when not given. Raises InvalidParams for anything that is none."""
    value = fields.get(name)
    if value is None or isinstance(value, bool):
        return bool(value)
    if isinstance(value, str) and value.lower() in {"true", "false"}:  # a form knows no other way to say it
        return value.lower() == "true"
    raise InvalidParams(f"{name} must be true or false")


def text(fields: Mapping[str, Any], name: str, *, longest: int = LONGEST_TEXT) -> str:
    """Return a text with something in it, spaces around it taken off. Raises InvalidParams `<name> is required`."""
    value = fields.get(name)
    if value is None or value == "":
        raise InvalidParams(f"{name} is required")
    if not isinstance(value, str) or not value.strip() or len(value) > longest or "\x00" in value:
        raise InvalidParams(f"{name} must be a text of 1 to {longest} characters")
    return value.strip()


def entries(fields: Mapping[str, Any], name: str) -> list[Any] | None:
    """Return an array, or None if it is not given, null or empty. Raises InvalidParams for anything that is none."""
    value = fields.get(name)
    if value is None or value == []:
        return None
    if not isinstance(value, list):
        raise InvalidParams(f"{name} must be an array")
    if len(value) > MOST_ENTRIES:
        raise InvalidParams(f"{name} has more than {MOST_ENTRIES} entries")
    return value


def texts(fields: Mapping[str, Any], name: str, *, longest: int = LONGEST_TEXT) -> list[str] | None:
    """Return an array of texts, likewise."""
    found = entries(fields, name)
    if found is None:
        return None
    if not all(isinstance(item, str) and item.strip() and len(item) <= longest for item in found):
        raise InvalidParams(f"{name} must be an array of texts")
    return [item.strip() for item in found]


def amount(value: Any) -> Decimal:
    """Return an amount in whole tokens, exact: zero or more. Raises AmountInvalid `Invalid amount: <value>`."""
    found = as_number(value)
    if found is None or found < 0:
        raise AmountInvalid(f"Invalid amount: {spelled(value)}")
    return found


def spelled(value: Any) -> str:
    """Return a value as a refusal repeats it: short, and a number as it was written."""
    short = str(value) if isinstance(value, str | int | Decimal) and not isinstance(value, bool) else "not a number"
    return short if len(short) <= LONGEST_NUMBER else f"{short[:LONGEST_NUMBER]}…"


def exact(value: Decimal | int | str) -> Decimal | int | str:
    """Return a number where every reader of JSON gets the same number, else its plain decimal text."""
    found = Decimal(value)
    digits = "".join(map(str, found.as_tuple().digits)).strip("0")
    return number(found) if len(digits) <= DOUBLE_DIGITS else plain(found)


def plain(value: Decimal | int) -> str:
    """Return a number as plain decimal text, no longer than it needs to be."""
    return format(Decimal(number(value)), "f")


def moment(at: datetime | None) -> str | None:
    """Return a moment as JavaScript writes it: milliseconds, UTC, `Z`."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
