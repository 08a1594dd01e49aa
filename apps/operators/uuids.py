"""UUIDs for dialects that want one, of things whose rows have a number.

A UUID holds the thing's own number, scattered by a hash of the rest, so that it is unique and the same for ever, and
whoever gets one finds the thing again without a table of UUIDs. It has the form of a random one (version 4), hides
nothing and proves nothing.
"""

import hashlib
import re
from uuid import UUID

_FORM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.ASCII)
# 61 bits of number and 61 of hash, around the six that say which version it is.
_BITS = 61
_MASK = (1 << _BITS) - 1
_VERSION = 4 << 76
_VARIANT = 2 << 62


def uuid_of(kind: str, number: int) -> str:
    """Return the UUID of the thing of a kind that has this primary key."""
    tail = _tail(kind, number)
    plain = (number ^ _scatter(kind, tail)) << _BITS | tail
    # 48 bits, the version, 12 bits, the variant, 62 bits.
    high, middle, low = plain >> 74, plain >> 62 & 0xFFF, plain & (1 << 62) - 1
    return str(UUID(int=high << 80 | _VERSION | middle << 64 | _VARIANT | low))


def number_behind(kind: str, text: str) -> int | None:
    """Return the primary key that a UUID of a kind was made of, or None for any other text."""
    spelled = text.strip().lower()
    if _FORM.fullmatch(spelled) is None:
        return None
    value = UUID(spelled).int
    plain = (value >> 80) << 74 | (value >> 64 & 0xFFF) << 62 | value & (1 << 62) - 1
    tail = plain & _MASK
    number = (plain >> _BITS) ^ _scatter(kind, tail)
    return number if _tail(kind, number) == tail else None


def _tail(kind: str, number: int) -> int:
    return _hash(f"podium:{kind}:{number}")


def _scatter(kind: str, tail: int) -> int:
    return _hash(f"podium:{kind}/{tail}")


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") & _MASK
