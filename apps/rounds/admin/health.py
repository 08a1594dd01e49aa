"""How intake fares: rounds a second, what waits to be counted, what was refused, by integration."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from apps.core import clock
from apps.core.admin import TenantAdmin, display, formats, operators_of
from apps.core.admin.charts import Chart, Series
from apps.rounds.admin import reports
from apps.rounds.models import IntakeMinute

# What one glance at a queue may cost.
MOST_COUNTED = 100_000
MOST_LINES = 7
COUNTED = ("calls", "rounds", "fresh", "queued", "refused", "shed")


@dataclass(frozen=True, slots=True)
class Period:
    """How far the page looks back, and how much time one point of a chart stands for."""

    text: str
    length: timedelta
    step: timedelta
    step_text: str


PERIODS: Mapping[str, Period] = {
    "hour": Period("Last hour", timedelta(hours=1), timedelta(minutes=1), "a minute"),
    "day": Period("Last 24 hours", timedelta(hours=24), timedelta(minutes=15), "15 minutes"),
    "week": Period("Last 7 days", timedelta(days=7), timedelta(hours=2), "two hours"),
}

Source = tuple[str, str]  # operator, integration
Sums = dict[str, int]


@admin.register(IntakeMinute)
class IntakeAdmin(TenantAdmin):
    """Charts and sums over a list of the minutes they are made of."""

    change_list_template = "podium/intake.html"
    ordering = ("-minute", "-pk")
    list_per_page = 30
    indexed = ("minute",)
    list_display = ("shown_minute", "operator", "shown_integration", *COUNTED)
    list_select_related = ("operator",)
    search_fields = ("integration",)
    search_help_text = "Integration"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("shown_minute", "operator"),
                    "shown_integration",
                    *zip(COUNTED[::2], COUNTED[1::2], strict=True),
                )
            },
        ),
    )

    def get_urls(self) -> list[URLPattern]:
        """Keep the reports of tournaments beside the health of what they are made of."""
        report = path("report/<int:tournament_id>/", self.admin_site.admin_view(reports.page), name="rounds_report")
        return [report, *super().get_urls()]

    def find(self, request: HttpRequest, rows: QuerySet[IntakeMinute], term: str) -> QuerySet[IntakeMinute]:
        """By the integration's id."""
        return rows.filter(integration=term)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the health of intake above the list."""
        asked = request.GET.get("period", "")
        chosen = asked if asked in PERIODS else "hour"
        # The list would take it for the name of a field.
        request.GET = request.GET.copy()  # type: ignore[assignment]
        request.GET.pop("period", None)  # type: ignore[misc]
        extra = {
            "title": "Intake health",
            "periods": [
                {"value": value, "text": period.text, "active": value == chosen} for value, period in PERIODS.items()
            ],
            **(extra_context or {}),
        }
        if self.has_view_permission(request):
            extra |= described(self.get_queryset(request), request.user, PERIODS[chosen], now=clock.now())
        return super().changelist_view(request, extra)

    @display(description="minute", ordering="minute")
    def shown_minute(self, row: IntakeMinute) -> str:
        """When."""
        return formats.moment(row.minute)

    @display(description="integration")
    def shown_integration(self, row: IntakeMinute) -> str:
        """Whose."""
        return formats.code(row.integration)


def described(rows: QuerySet[IntakeMinute], user: Any, period: Period, *, now: datetime) -> dict[str, Any]:
    """Return what the page shows; narrowed to what the person sees."""
    starts = _starts(period, now)
    found = rows.filter(minute__gte=starts[0]).values_list("operator__name", "integration", "minute", *COUNTED)
    points: dict[Source, dict[int, Sums]] = defaultdict(lambda: defaultdict(lambda: dict.fromkeys(COUNTED, 0)))
    last_minute = dict.fromkeys(COUNTED, 0)
    newest: dict[Source, datetime] = {}
    full = now.replace(second=0, microsecond=0) - timedelta(minutes=1)
    for operator, integration, minute, *counts in found:
        source = (operator or "", integration)
        place = int((minute - starts[0]) / period.step)
        newest[source] = max(newest.get(source, minute), minute)
        for name, count in zip(COUNTED, counts, strict=True):
            points[source][place][name] += count
            if minute == full:
                last_minute[name] += count
    totals = {
        source: {name: sum(point[name] for point in by_place.values()) for name in COUNTED}
        for source, by_place in points.items()
    }
    waiting = _waiting(user)
    oldest = min((one[2] for one in waiting), default=None)
    aside = _set_aside(user)
    set_aside = sum(count for _, _, count, *_ in aside)
    everything = {name: sum(total[name] for total in totals.values()) for name in COUNTED}
    return {
        "step": period.step_text,
        "numbers": [
            ("Rounds/s in the last full minute", f"{last_minute['rounds'] / 60:,.1f}"),
            ("Rounds", formats.number(everything["rounds"])),
            ("Calls and messages", formats.number(everything["calls"])),
            ("Refused", formats.number(everything["refused"])),
            ("Told to come back", formats.number(everything["shed"])),
            ("Oldest uncounted round", _age(oldest, now) if oldest else "nothing waits"),
            ("Set aside", formats.badge(formats.number(set_aside), "red") if set_aside else "nothing"),
        ],
        "rate": _rate_chart(points, totals, starts, period),
        "trouble": _trouble_chart(points, starts, period),
        "headers": (
            "Integration",
            "Operator",
            "Rounds",
            "New",
            "For tournaments",
            "Repeated or ignored",
            "Refused",
            "Told to come back",
            "Last seen",
        ),
        "rows": [_line(source, totals[source], newest[source], now) for source in _by_size(totals)],
        "lag_headers": ("Operator", "Rounds", "Oldest came in"),
        "lag_rows": [
            (
                name,
                f"{formats.number(count)}{'+' if count >= MOST_COUNTED else ''}",
                formats.moment_and_distance(at, now=now),
            )
            for name, count, at in waiting
        ],
        "aside_headers": ("Operator", "What", "How many", "First", "Last error"),
        "aside_rows": [
            (
                name,
                formats.link(formats.list_url(model, released_at__isnull=True), what),
                formats.badge(formats.number(count), "red"),
                formats.moment_and_distance(since, now=now),
                error,
            )
            for name, (what, model), count, since, error in aside
        ],
    }


def _starts(period: Period, now: datetime) -> list[datetime]:
    """Return the beginnings of the points of a chart, on round times; the last one holds the present."""
    seconds = int(period.step.total_seconds())
    last = datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, UTC)
    count = int(period.length / period.step)
    return [last - period.step * (count - 1 - place) for place in range(count)]


WAITING = """
    SELECT o.name, line.waiting, first.received_at
      FROM operators_operator o
     CROSS JOIN LATERAL (
           SELECT received_at FROM rounds_pendinground p WHERE p.operator_id = o.id ORDER BY number LIMIT 1) first
     CROSS JOIN LATERAL (
           SELECT count(*) AS waiting
             FROM (SELECT FROM rounds_pendinground p WHERE p.operator_id = o.id LIMIT %s) seen) line
     WHERE %s::bigint[] IS NULL OR o.id = ANY (%s)
     ORDER BY first.received_at
"""


def _waiting(user: Any) -> list[tuple[str, int, datetime]]:
    """Return what waits to be counted, by operator: how many rounds (no more than MOST_COUNTED), and since when.

    The queue's key begins with the operator, so each of them costs a look at its beginning.
    """
    ids = operators_of(user)
    own = sorted(ids) if ids is not None else None
    with connection.cursor() as cursor:
        cursor.execute(WAITING, [MOST_COUNTED, own, own])
        found: list[tuple[str, int, datetime]] = cursor.fetchall()
    return found


SET_ASIDE = """
    SELECT o.name, a.kind, a.many, a.since, a.error
      FROM (SELECT operator_id, 0 AS kind, count(*) AS many, min(set_aside_at) AS since,
                   (array_agg(error ORDER BY set_aside_at DESC))[1] AS error
              FROM rounds_setasideround WHERE released_at IS NULL GROUP BY 1
             UNION ALL
            SELECT operator_id, 1, count(*), min(set_aside_at), (array_agg(error ORDER BY set_aside_at DESC))[1]
              FROM rounds_setasiderecount WHERE released_at IS NULL GROUP BY 1) a
      JOIN operators_operator o ON o.id = a.operator_id
     WHERE %s::bigint[] IS NULL OR o.id = ANY (%s)
     ORDER BY a.since
"""
KINDS = (("rounds not counted", "rounds.setasideround"), ("entries not counted anew", "rounds.setasiderecount"))


def _set_aside(user: Any) -> list[tuple[str, tuple[str, str], int, datetime, str]]:
    """Return what could not be counted and waits for somebody: by operator what, how many, since when and why."""
    ids = operators_of(user)
    own = sorted(ids) if ids is not None else None
    with connection.cursor() as cursor:
        cursor.execute(SET_ASIDE, [own, own])
        return [(name, KINDS[kind], many, since, error) for name, kind, many, since, error in cursor.fetchall()]


def _by_size(totals: Mapping[Source, Sums]) -> list[Source]:
    return sorted(totals, key=lambda source: (-totals[source]["rounds"], source))


def _label(start: datetime, period: Period) -> str:
    return start.strftime("%H:%M" if period.length <= timedelta(days=1) else "%-d %b %H:%M")


def _rate_chart(
    points: Mapping[Source, Mapping[int, Sums]],
    totals: Mapping[Source, Sums],
    starts: list[datetime],
    period: Period,
) -> Chart:
    seconds = period.step.total_seconds()
    sources = _by_size(totals)
    lines = [
        Series(
            source[1],
            [round(points[source].get(place, {}).get("rounds", 0) / seconds, 2) for place in range(len(starts))],
        )
        for source in sources[:MOST_LINES]
    ]
    if others := sources[MOST_LINES:]:
        lines.append(
            Series(
                f"{len(others)} others",
                [
                    round(sum(points[source].get(place, {}).get("rounds", 0) for source in others) / seconds, 2)
                    for place in range(len(starts))
                ],
            )
        )
    return Chart(
        "line",
        [_label(start, period) for start in starts],
        lines or [Series("nothing came in", [0] * len(starts))],
        f"Rounds per second by integration; {sum(total['rounds'] for total in totals.values()):,} rounds in all.",
    )


def _trouble_chart(points: Mapping[Source, Mapping[int, Sums]], starts: list[datetime], period: Period) -> Chart:
    def over_time(count: Any) -> list[float]:
        return [
            sum(count(by_place[place]) for by_place in points.values() if place in by_place)
            for place in range(len(starts))
        ]

    return Chart(
        "bar",
        [_label(start, period) for start in starts],
        [
            Series("rounds repeated or ignored", over_time(lambda sums: sums["rounds"] - sums["fresh"]), "#64748b"),
            Series("calls refused", over_time(lambda sums: sums["refused"]), "#dc2626"),
            Series("calls told to come back", over_time(lambda sums: sums["shed"]), "#d97706"),
        ],
        "Repeated rounds, refused calls and calls that were told to come back.",
        stacked=True,
        height=160,
    )


def _line(source: Source, total: Sums, newest: datetime, now: datetime) -> tuple[object, ...]:
    operator, integration = source
    refused = formats.number(total["refused"])
    shed = formats.number(total["shed"])
    return (
        formats.code(integration),
        operator,
        formats.number(total["rounds"]),
        formats.number(total["fresh"]),
        formats.number(total["queued"]),
        formats.number(total["rounds"] - total["fresh"]),
        formats.badge(refused, "red") if total["refused"] else refused,
        formats.badge(shed, "amber") if total["shed"] else shed,
        formats.moment_and_distance(newest, now=now),
    )


def _age(moment: datetime, now: datetime) -> str:
    seconds = max(0, int((now - moment).total_seconds()))
    return f"{seconds} s" if seconds < 120 else formats.distance(moment, now=now)  # noqa: PLR2004 - fine while it is small
