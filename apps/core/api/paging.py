"""`limit` and `offset`, with bounds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.core.errors import Invalid

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
MAX_OFFSET = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Page:
    """A window on a list."""

    limit: int
    offset: int

    def pagination(self, total: int) -> dict[str, Any]:
        """Return the block that every list carries (operators.md 3.2)."""
        return {
            "total": total,
            "limit": self.limit,
            "offset": self.offset,
            "hasMore": self.offset + self.limit < total,
        }


def page_of(query: Mapping[str, str]) -> Page:
    """Read the window that a query asks for: 50 from the start by default. Raises Invalid out of bounds."""
    return Page(
        whole(query, "limit", default=DEFAULT_LIMIT, least=1, most=MAX_LIMIT),
        whole(query, "offset", default=0, least=0, most=MAX_OFFSET),
    )


def whole(query: Mapping[str, str], name: str, *, default: int, least: int, most: int) -> int:
    """Read a whole number of the query. Raises Invalid for anything else, and out of bounds."""
    text = query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal()) or not least <= int(text[:20]) <= most:
        raise Invalid("Invalid query.", fields={name: [f"A whole number from {least} to {most}."]})
    return int(text)
