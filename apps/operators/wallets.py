"""Addresses as a chain would give them, for things that live in this database: `0x` and 40 hexadecimal digits.

An address holds the thing's own number, scattered by a hash of the rest, so that it is unique and the same for ever,
and whoever gets one finds the thing again without a table of addresses. It hides nothing and proves nothing.
"""

import hashlib
import re

PRIMARY = "primary"
MIRROR = "mirror"
_FORM = re.compile(r"0x[0-9a-f]{40}", re.ASCII)
_NUMBER = 8


def address_of(kind: str, number: int) -> str:
    """Return the address of the thing of a kind that has this primary key."""
    tail = _tail(kind, number)
    return f"0x{number ^ _mask(tail):016x}{tail.hex()}"


def number_behind(kind: str, address: str) -> int | None:
    """Return the primary key that an address of a kind was made of, or None for any other text."""
    text = address.strip().lower()
    if _FORM.fullmatch(text) is None:
        return None
    tail = bytes.fromhex(text[2 + 2 * _NUMBER :])
    number = int(text[2 : 2 + 2 * _NUMBER], 16) ^ _mask(tail)
    return number if number < 1 << 63 and _tail(kind, number) == tail else None


def _tail(kind: str, number: int) -> bytes:
    return hashlib.sha256(f"podium:{kind}:{number}".encode()).digest()[: 20 - _NUMBER]


def _mask(tail: bytes) -> int:
    return int.from_bytes(hashlib.sha256(tail).digest()[:_NUMBER], "big")
