"""Facts, as staff read them: what happened, to what, by whom, in which request."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.core.cache import cache
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncHour
from django.http import HttpRequest

from apps.core import clock
from apps.core.admin import DaysFilter, Panel, TenantAdmin, TextFilter, display, formats, narrow, operators_of, panel
from apps.events.models import Fact


class TypeFilter(TextFilter):
    """By type, or by the beginning of one."""

    title = "type"
    parameter_name = "type"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """`player.` stands for all that begin with it."""
        wanted = (self.value() or "").strip().removesuffix("*")
        if not wanted:
            return queryset
        return queryset.filter(type__startswith=wanted) if wanted.endswith(".") else queryset.filter(type=wanted)


class SubjectFilter(TextFilter):
    """By what the fact is about."""

    title = "subject (tournament:17)"
    parameter_name = "subject"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Exactly this one."""
        wanted = (self.value() or "").strip()
        return queryset.filter(subject=wanted) if wanted else queryset


@admin.register(Fact)
class FactAdmin(TenantAdmin):
    """The outbox: append-only, numbered after commit."""

    list_display = ("shown_type", "about", "summary", "actor", "operator", "shown_sequence", "when")
    list_select_related = ("operator",)
    list_filter = (TypeFilter, SubjectFilter, ("occurred_at", DaysFilter))
    search_fields = ("public_id",)
    search_help_text = "An event's id (evt_…), a subject (tournament:17) or a sequence number"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("shown_type", "about"),
                    ("event_id", "shown_sequence"),
                    ("when", "actor"),
                    ("operator", "shown_request"),
                    "shown_data",
                )
            },
        ),
    )

    def find(self, request: HttpRequest, rows: QuerySet[Fact], term: str) -> QuerySet[Fact]:
        """By id, by subject or by number."""
        if term.isdigit() and len(term) < 19:  # noqa: PLR2004 - what a bigint holds
            return rows.filter(Q(sequence=int(term)) | Q(pk=int(term)))
        return rows.filter(public_id=term) if term.startswith("evt_") else rows.filter(subject=term)

    @display(description="type", ordering="pk")
    def shown_type(self, row: Fact) -> str:
        """What happened."""
        return row.type

    @display(description="about")
    def about(self, row: Fact) -> str:
        """To what, with a link."""
        return formats.subject(row.subject)

    @display(description="says")
    def summary(self, row: Fact) -> str:
        """The first plain values of its data."""
        plain = [f"{name} {value}" for name, value in row.data.items() if isinstance(value, str | int) and value != ""]
        return " · ".join(plain[:3])[:120]

    @display(description="number")
    def shown_sequence(self, row: Fact) -> str:
        """Its place in the operator's stream."""
        return formats.number(row.sequence) if row.sequence is not None else formats.badge("not numbered yet", "amber")

    @display(description="when")
    def when(self, row: Fact) -> str:
        """To the second."""
        return formats.moment(row.occurred_at, seconds=True)

    @display(description="event id")
    def event_id(self, row: Fact) -> str:
        """The id that every transport carries."""
        return formats.code(row.public_id)

    @display(description="request")
    def shown_request(self, row: Fact) -> str:
        """The request that caused it."""
        return formats.code(row.request_id)

    @display(description="data")
    def shown_data(self, row: Fact) -> str:
        """Its payload, exactly."""
        return formats.pretty_json(row.data)


HOURS = 24


@panel(order=50)
def facts_per_hour(request: HttpRequest) -> Panel | None:
    """How much happened in each of the last 24 hours. Hours that are over are counted once and remembered."""
    if not request.user.has_perm("events.view_fact"):
        return None
    now = clock.now()
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    hours = [this_hour - timedelta(hours=back) for back in reversed(range(HOURS))]
    ids = operators_of(request.user)
    whose = "all" if ids is None else ",".join(map(str, sorted(ids)))
    keys = {hour: f"admin:facts:{whose}:{hour:%Y%m%d%H}" for hour in hours}
    known = cache.get_many(list(keys.values()))
    counts = {hour: known[key] for hour, key in keys.items() if key in known}
    first_unknown = next(hour for hour in hours if hour not in counts)
    found = dict(
        narrow(Fact.objects.filter(occurred_at__gte=first_unknown), request.user, "operator_id")
        .annotate(hour=TruncHour("occurred_at"))
        .order_by()
        .values_list("hour")
        .annotate(number=Count("pk"))
    )
    fresh = {hour: found.get(hour, 0) for hour in hours if hour >= first_unknown}
    # An hour is kept once no transaction that began in it can still be open.
    over = {keys[hour]: number for hour, number in fresh.items() if hour < this_hour - timedelta(hours=1)}
    cache.set_many(over, timeout=HOURS * 3600)
    bars = [(hour, (counts | fresh).get(hour, 0)) for hour in hours]
    most = max(number for _, number in bars) or 1
    context = {
        "bars": [
            {"height": round(100 * number / most), "title": f"{hour:%H:%M} UTC: {formats.number(number)}"}
            for hour, number in bars
        ],
        "total": formats.number(sum(number for _, number in bars)),
        "now": formats.number(bars[-1][1]),
    }
    return Panel(
        "Events in the last 24 hours",
        "podium/panel_spark.html",
        context,
        more=("All facts", formats.list_url("events.fact")),
    )
