"""What several answers write in the same way."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from apps.core.numbers import number
from apps.tournaments.api.casino.queries import Page
from apps.tournaments.services.tally import Totals

CENT = Decimal("0.01")
TEENS = range(11, 14)
SUFFIXES = {1: "st", 2: "nd", 3: "rd"}


def ordinal(place: int) -> str:
    """Return 1st, 2nd, 3rd, 4th, … 11th, 12th, 13th, … 21st."""
    suffix = "th" if place % 100 in TEENS else SUFFIXES.get(place % 10, "th")
    return f"{place}{suffix}"


def points_text(points: Decimal) -> str:
    """Return points as the endpoints that write them as text do: shortest, never with an exponent."""
    return format(Decimal(number(points)), "f")


def pagination(page: Page, *, total: int, shown: int) -> dict[str, Any]:
    """Return the `pagination` object."""
    return {
        "total": total,
        "limit": shown if page.limit is None else page.limit,
        "offset": page.offset,
        "hasMore": page.offset + shown < total,
    }


def average(total: int, count: int) -> Decimal | int:
    """Return a mean with two decimals; 0 of nothing."""
    return number((Decimal(total) / count).quantize(CENT, ROUND_HALF_UP)) if count else 0


def rounded(mean: Decimal | None) -> Decimal | int | None:
    """Return a mean with two decimals; null of nothing."""
    return None if mean is None else number(Decimal(mean).quantize(CENT, ROUND_HALF_UP))


def entry_statistics(totals: Totals) -> dict[str, Any]:
    """Return the counts that several answers share (operators.md 3.3, 3.12)."""
    return {
        "total_players": totals.players,
        "total_entries": totals.entries,
        "average_entries_per_player": average(totals.entries, totals.players),
    }
