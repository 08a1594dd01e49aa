"""How the admin writes money, moments, states and JSON. Everything returned is safe to put into a page."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import wraps
from typing import Any, Literal
from urllib.parse import urlencode

import msgspec
from django.db.models import Model
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from apps.core import clock, exact

Tone = Literal["green", "blue", "amber", "red", "grey", "violet"]

NOTHING = mark_safe('<span class="pd-nothing">–</span>')  # noqa: RUF001 - a dash is meant

# Currencies show all their digits; tokens with more than this many only the ones that say something.
CURRENCY_DIGITS = 4

MINUTE, HOUR, DAY = 60, 3600, 86_400
# Within this many days a moment is also told as a distance from now.
NEAR_DAYS = 60


def number(value: int) -> str:
    """Write a whole number with its thousands set apart."""
    return f"{value:,}"


def amount(units: int | Decimal, scale: int, code: str = "") -> str:
    """Write base units exactly, in major units: 1250 of scale 2 is 12.50. Never goes through a float."""
    whole = int(units)
    digits = str(abs(whole)).rjust(scale + 1, "0")
    major, minor = (digits[:-scale], digits[-scale:]) if scale else (digits, "")
    if scale > CURRENCY_DIGITS:
        minor = minor.rstrip("0")
    minus = "−" if whole < 0 else ""  # noqa: RUF001 - the sign that is as wide as a digit
    text = f"{minus}{int(major):,}{f'.{minor}' if minor else ''}"
    return f"{text} {code}".strip()


def money(units: int | Decimal | None, scale: int, code: str = "") -> SafeString:
    """Write an amount that lines up under others and never breaks."""
    if units is None:
        return NOTHING
    return format_html('<span class="pd-money">{}</span>', amount(units, scale, code))


def badge(text: object, tone: Tone = "grey") -> SafeString:
    """Write a state as a coloured label; the words stay, so nothing is told by colour alone."""
    return format_html('<span class="pd-badge pd-{}">{}</span>', tone, text)


def moment(at: datetime | None, *, seconds: bool = False) -> SafeString:
    """Write a moment in UTC; the page adds the reader's own time to it on hover."""
    if at is None:
        return NOTHING
    text = at.strftime("%-d %b %Y %H:%M:%S" if seconds else "%-d %b %Y %H:%M")
    return format_html('<time datetime="{}" class="pd-moment">{}</time>', clock.iso(at), text)


def moment_and_distance(at: datetime | None, *, now: datetime) -> SafeString:
    """Write a moment and how far off it is."""
    if at is None:
        return NOTHING
    return format_html('{} <span class="pd-quiet pd-distance">{}</span>', moment(at), distance(at, now=now))


def distance(at: datetime, *, now: datetime) -> str:
    """Tell how far off a moment is: "in 3 h", "5 min ago"; nothing when it is further than two months."""
    seconds = int((at - now).total_seconds())
    size = abs(seconds)
    if size >= NEAR_DAYS * DAY:
        return ""
    if size < MINUTE:
        return "now"
    for length, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if size >= length:
            text = f"{size // length} {name}"
            break
    return f"in {text}" if seconds > 0 else f"{text} ago"


def code(text: object) -> SafeString:
    """Write something for machines: an id, a key."""
    return format_html('<code class="pd-code">{}</code>', text) if text not in ("", None) else NOTHING


def pretty_json(data: Any) -> SafeString:
    """Write JSON as people read it, in the order it is stored."""
    text = msgspec.json.format(exact.dumps(data).encode(), indent=2).decode()
    return format_html('<pre class="pd-json">{}</pre>', text)


def link(target: str, text: object) -> SafeString:
    """Write a link."""
    return format_html('<a class="pd-link" href="{}">{}</a>', target, text)


def change_url(model: str, pk: object) -> str:
    """Return the address of a row's page; `model` is `app.model`, lower case."""
    return reverse(f"admin:{model.replace('.', '_')}_change", args=[pk])


def list_url(model: str, **query: object) -> str:
    """Return the address of a list, filtered."""
    address = reverse(f"admin:{model.replace('.', '_')}_changelist")
    return f"{address}?{urlencode(query)}" if query else address


def row_link(row: Model | None, text: object = None) -> SafeString:
    """Write a link to a row's page, named by the row unless told otherwise; plain text if it has no page."""
    if row is None:
        return NOTHING
    shown = str(row) if text is None else text
    try:
        return link(change_url(row._meta.label_lower, row.pk), shown)  # noqa: SLF001 - documented
    except NoReverseMatch:
        return format_html("{}", shown)


# The subjects that facts, journals, payouts and jobs name: the word before the colon, and the page it stands for.
# Each area adds its own word; core knows none.
SUBJECT_PAGES: dict[str, str] = {}


def subject(text: str) -> SafeString:
    """Write a subject such as `tournament:17` as a link to what it names."""
    word, _, pk = text.partition(":")
    page = SUBJECT_PAGES.get(word)
    if page is None or not pk.isalnum():
        return format_html("{}", text) if text else NOTHING
    try:
        return format_html('<a class="pd-link pd-nowrap" href="{}">{} {}</a>', change_url(page, pk), word, pk)
    except NoReverseMatch:
        return format_html("{}", text)


def progress(percent: int, text: str, *, poll: str = "", ended: bool = False) -> SafeString:
    """Draw a bar. With `poll`, the address of its JSON, the page moves it by itself until the work has ended."""
    watch = format_html(' data-poll="{}"', poll) if poll and not ended else ""
    return format_html(
        '<div class="pd-progress"{}><div class="pd-progress-bar" role="progressbar" aria-valuemin="0"'
        ' aria-valuemax="100" aria-valuenow="{}"><span style="width:{}%"></span></div>'
        '<span class="pd-progress-text">{}</span></div>',
        watch,
        percent,
        percent,
        text,
    )


def once(show: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Decorate a column that asks the database: the theme calls it several times for one cell."""

    @wraps(show)
    def remembered(page: Any, row: Any) -> Any:
        shown: dict[str, Any] = row.__dict__.setdefault("_podium_shown", {})
        if show.__name__ not in shown:
            shown[show.__name__] = show(page, row)
        return shown[show.__name__]

    return remembered


def lines(items: Sequence[object]) -> SafeString:
    """Write things under one another."""
    return format_html_join(mark_safe("<br>"), "{}", ((item,) for item in items)) if items else NOTHING


def tone_of(tones: Mapping[str, Tone], value: str) -> Tone:
    """Look up the colour of a state; states nobody coloured are grey."""
    return tones.get(str(value), "grey")
