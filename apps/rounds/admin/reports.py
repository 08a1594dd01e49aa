"""Before, during and after a tournament: a page, and the same as CSV."""

import csv
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import slugify

from apps.core import clock
from apps.core.admin import Section, formats, narrow, section_of
from apps.core.admin.charts import Chart, Series
from apps.core.admin.tenancy import tenant_of
from apps.core.errors import DomainError
from apps.rounds.services import reports
from apps.rounds.services.reports import Figures, Report
from apps.tournaments import scoring
from apps.tournaments.admin import prize_text
from apps.tournaments.admin.round_forms import METHODS, OPT_INS, RAILS, RATIOS, TIES
from apps.tournaments.models import ScoringSource, Tournament
from apps.tournaments.scoring import Method

SHOWN_IDS = 10
COLOURS = ("#94a3b8", "#4f46e5", "#059669")


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, line: str) -> str:
        """Return the line."""
        return line


def page(request: HttpRequest, tournament_id: int) -> HttpResponseBase:
    """Show the report, or stream it with `?format=csv`."""
    tournament = narrow(Tournament.objects.all(), request.user, "operator_id").filter(pk=tournament_id).first()
    if tournament is None:
        raise Http404
    if not request.user.has_perm("tournaments.view_tournament", tenant_of(tournament, "operator_id")):  # type: ignore[arg-type]
        raise PermissionDenied
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "opts": Tournament._meta,  # noqa: SLF001 - documented
        "title": "Before, during and after",
        "tournament": tournament,
        "back": formats.change_url("tournaments.tournament", tournament.pk),
    }
    now = clock.now()
    try:
        report = reports.before_during_after(tournament.pk, at=now)
    except DomainError as refusal:
        return TemplateResponse(request, "podium/rounds_report.html", {**context, "refusal": refusal.message})
    if request.GET.get("format") == "csv":
        return as_csv(report)
    return TemplateResponse(request, "podium/rounds_report.html", {**context, **described(report, now=now)})


def as_csv(report: Report) -> HttpResponseBase:
    """Stream the report, a line at a time."""
    writer = csv.writer(_Echo())

    def lines() -> Iterator[str]:
        for line in report.lines():
            yield writer.writerow([_tame(cell) for cell in line])

    name = slugify(report.tournament.name)[:60] or "tournament"
    return StreamingHttpResponse(
        lines(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}-{report.tournament.pk}-rounds.csv"'},
    )


def described(report: Report, *, now: datetime) -> dict[str, Any]:
    """Return what the page shows."""
    windows = report.windows
    unrated = sum(window.figures.unrated for window in windows)
    return {
        "currency": report.currency,
        "windows": [
            {
                "name": window.name,
                "since": formats.moment(window.start),
                "until": formats.moment(window.end),
                "state": "to come" if now < window.start else "so far" if window.so_far else "",
            }
            for window in windows
        ],
        "headers": ("", *(window.name for window in windows), "During against before"),
        "rows": [
            (
                name,
                *(write(window.figures) for window in windows),
                _change(*(value(window.figures) for window in windows[:2])),
            )
            for name, value, write in MEASURES
        ],
        "over_time": _over_time(report),
        "money": _bars(report, "Money", [("Wagered", "wagered"), ("Won", "won"), ("GGR", "ggr")]),
        "rounds": _bars(report, "Rounds", [("Rounds", "rounds")]),
        "players": _bars(report, "Active players", [("Active players", "players")]),
        "table_headers": (
            "",
            *(f"{window.name}: {name}" for window in windows for name in ("rounds", "wagered", "GGR")),
        ),
        "brand_rows": _lines(report.brands),
        "game_rows": _lines(report.games),
        "unrated": formats.number(unrated) if unrated else "",
        "csv": "?format=csv",
    }


def money(amount: Decimal) -> str:
    """Write an amount to the cent; a report is read, not paid."""
    return f"{amount:,.2f}"


MEASURES: Sequence[tuple[str, Callable[[Figures], Decimal | int], Callable[[Figures], str]]] = (
    ("Rounds", lambda one: one.rounds, lambda one: formats.number(one.rounds)),
    ("Active players", lambda one: one.players, lambda one: formats.number(one.players)),
    ("Wagered", lambda one: one.wagered, lambda one: money(one.wagered)),
    ("Won", lambda one: one.won, lambda one: money(one.won)),
    ("GGR", lambda one: one.ggr, lambda one: money(one.ggr)),
    ("Average bet", lambda one: one.average_bet, lambda one: money(one.average_bet)),
)


def _change(before: Decimal | int, during: Decimal | int) -> str:
    if not before:
        return formats.NOTHING
    percent = (Decimal(during) - before) / abs(Decimal(before)) * 100
    return f"{percent:+,.0f} %"


def _over_time(report: Report) -> Chart:
    length = report.windows[0].end - report.windows[0].start
    form = "%-d %b" if length >= timedelta(days=3) else "%-d %b %H:%M" if length >= timedelta(hours=8) else "%H:%M"
    labels = [moment.strftime(form) for moment, _ in report.points]
    third = len(labels) // 3
    series = [
        Series(
            window.name,
            [one.rounds if place // third == number else None for place, (_, one) in enumerate(report.points)],
            COLOURS[number],
        )
        for number, window in enumerate(report.windows)
    ]
    return Chart("bar", labels, series, "Rounds over time in the three windows.", stacked=True)


def _bars(report: Report, title: str, measures: Sequence[tuple[str, str]]) -> Chart:
    series = [
        Series(window.name, [float(getattr(window.figures, name)) for _, name in measures], COLOURS[number])
        for number, window in enumerate(report.windows)
    ]
    told = "; ".join(
        f"{window.name}: {', '.join(str(getattr(window.figures, name)) for _, name in measures)}"
        for window in report.windows
    )
    return Chart("bar", [label for label, _ in measures], series, f"{title}. {told}", height=200)


def _lines(table: dict[str, Sequence[Figures]]) -> list[tuple[object, ...]]:
    return [
        (
            name,
            *(cell for one in figures for cell in (formats.number(one.rounds), money(one.wagered), money(one.ggr))),
        )
        for name, figures in list(table.items())[:50]
    ]


def _tame(cell: object) -> object:
    """Keep spreadsheets from taking a name for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in "=+-@\t\r" and not cell[1:2].isdigit() else cell


@section_of("tournaments.tournament")
def scored_by_rounds(request: HttpRequest, tournament: Tournament) -> Section | None:  # noqa: ARG001 - the base's signature
    """Tell how a tournament is scored by rounds, and lead to its report."""
    if tournament.scoring_source != ScoringSource.ROUNDS:
        return None
    address = reverse("admin:rounds_report", args=[tournament.pk])
    return Section(
        "Scored by game rounds",
        ("What", "How"),
        list(_policy(tournament)),
        more=("Before, during and after", address),
    )


def _policy(tournament: Tournament) -> Iterator[tuple[str, object]]:
    policy = scoring.read(tournament.scoring)
    code = tournament.asset.code
    method = dict(METHODS)[policy.method]
    if policy.method == Method.WIN_BET_RATIO:
        method = f"{method}. {dict(RATIOS)[policy.ratio]}"
    if policy.window:
        method = f"{method}: {policy.window} rounds"
    yield "Scoring method", method if policy.factor == 1 else f"{method}; times {policy.factor.normalize():f}"
    yield "Games", _several(policy.games)
    yield "Brands", _several(policy.brands) if policy.brands else "every brand"
    yield "Rounds that count", f"{', '.join(policy.round_types)}, from {policy.min_bet.normalize():f} {code}"
    if policy.limit_rounds or policy.min_rounds:
        first = f"only the first {policy.limit_rounds:,}" if policy.limit_rounds else "all of them"
        yield "Rounds of a player", f"{first}; at least {policy.min_rounds:,} for a score"
    yield "Players join", dict(OPT_INS)[policy.opt_in]
    yield "Of equal scores", dict(TIES)[policy.tie_break]
    yield "Score reset", "allowed while it runs" if policy.allow_reset else "not allowed"
    yield "Late rounds", f"count for {policy.grace_seconds:,} s after the end, by their own time"
    if tournament.prize_table:
        yield "Prize table", formats.lines(prize_text.written(tournament.prize_table).splitlines()[:20])
    yield "Payout", f"{'at once' if policy.auto_payout else 'after approval'}, to {_lowered(dict(RAILS)[policy.rail])}"


def _lowered(text: str) -> str:
    """Write a label within a sentence."""
    return text[:1].lower() + text[1:]


def _several(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - SHOWN_IDS:,} more" if len(ids) > SHOWN_IDS else ""
    return ", ".join(ids[:SHOWN_IDS]) + more
