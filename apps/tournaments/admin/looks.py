"""The colours of states and how a tournament's amounts are written."""

from decimal import Context, Decimal

from django.utils.html import format_html

from apps.core.admin import formats
from apps.core.admin.formats import Tone
from apps.tournaments.lifecycle import EntryStatus
from apps.tournaments.lifecycle import TournamentStatus as S
from apps.tournaments.models import Entry, Tournament

# People compare points to so many places; the rest comes of exact conversions between currencies.
SHOWN_POINTS = Decimal("0.0001")
WIDE = Context(prec=200)

STATUS_TONES: dict[str, Tone] = {
    S.DRAFT: "grey",
    S.REGISTERING: "blue",
    S.AWAITING_PAYMENTS: "blue",
    S.REGISTRATION_CLOSED: "blue",
    S.RUNNING: "green",
    S.SETTLING: "violet",
    S.CLOSED: "grey",
    S.REFUNDING: "amber",
    S.CANCELED: "grey",
    S.FAILED: "red",
}
ENTRY_TONES: dict[str, Tone] = {EntryStatus.IN: "green", EntryStatus.OUT: "amber", EntryStatus.WITHDRAWN: "grey"}

# Short enough for a column; the graph's own labels tell all of it.
SHORT = {S.AWAITING_PAYMENTS: "Awaiting payments", S.REGISTRATION_CLOSED: "Registration closed"}


def status_badge(tournament: Tournament) -> str:
    """Write a tournament's state."""
    text = SHORT.get(S(tournament.status), tournament.get_status_display())
    return formats.badge(text, formats.tone_of(STATUS_TONES, tournament.status))


def entry_badge(entry: Entry) -> str:
    """Write an entry's state."""
    return formats.badge(entry.get_status_display(), formats.tone_of(ENTRY_TONES, entry.status))


def money(tournament: Tournament, units: int | Decimal | None) -> str:
    """Write base units of the tournament's asset."""
    return formats.money(units, tournament.asset.scale, tournament.asset.code)


def points(value: Decimal) -> str:
    """Write points without the zeros that say nothing, and no finer than people compare; the tooltip has all of it."""
    rounded = _trimmed(value.quantize(SHOWN_POINTS, context=WIDE))
    exact = _trimmed(value)
    return rounded if rounded == exact else format_html('<span title="{}">{}</span>', exact, rounded)


def _trimmed(value: Decimal) -> str:
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
