"""Public identifiers: opaque, unguessable where it matters, recognisable by their prefix."""

import secrets
import string

ALPHABET = string.ascii_lowercase + string.digits


def token(length: int) -> str:
    """Return `length` random characters of [a-z0-9] from the operating system's generator."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def public_id(prefix: str, length: int = 16) -> str:
    """Return `<prefix>_<random>`; 16 characters are 82 bits."""
    return f"{prefix}_{token(length)}"
