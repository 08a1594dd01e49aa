"""Public identifiers: opaque, unguessable where it matters, recognisable by their prefix."""

import os
import string

ALPHABET = string.ascii_lowercase + string.digits

# A random byte names a character evenly once the few bytes beyond the last whole alphabet are dropped.
_WHOLE = 256 - 256 % len(ALPHABET)
_CHARACTERS = (ALPHABET * (256 // len(ALPHABET) + 1))[:256].encode()
_UNEVEN = bytes(range(_WHOLE, 256))


def token(length: int) -> str:
    """Return `length` random characters of [a-z0-9] from the operating system's generator."""
    found = b""
    while len(found) < length:
        found += os.urandom(length - len(found) + 8).translate(_CHARACTERS, _UNEVEN)
    return found[:length].decode()


def tokens(count: int, length: int) -> list[str]:
    """Return many tokens at the price of one: a settlement needs a hundred thousand."""
    whole = token(count * length)
    return [whole[start : start + length] for start in range(0, count * length, length)]


def public_id(prefix: str, length: int = 16) -> str:
    """Return `<prefix>_<random>`; 16 characters are 82 bits."""
    return f"{prefix}_{token(length)}"
