"""The name a player goes by in room games: the PLYR[ID] of rooms.md 3.32. Pure."""

import re

LONGEST = 64
# 5 to 64 lower-case letters and digits with single hyphens between them, one letter at least. PostgreSQL reads it too.
PATTERN = r"^(?=.{5,64}$)(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*$"
_HANDLE = re.compile(PATTERN)


def normal(text: str) -> str:
    """Return the spelling in which a handle is stored and compared."""
    return text.strip().lower()


def is_handle(text: str) -> bool:
    """Tell whether a text in its normal spelling may be a handle."""
    return _HANDLE.fullmatch(text) is not None


def handle_in(text: str) -> str | None:
    """Return the handle that an operator's own id of a player makes, or None if it makes none."""
    wanted = normal(text)
    return wanted if is_handle(wanted) else None
