"""Facts, as staff read them: what happened, to what, by whom, in which request."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.core.cache import cache
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncHour
from django.http import HttpRequest

from apps.core import clock
from apps.core.admin import (
    DaysFilter,
    Panel,
    Section,
    TenantAdmin,
    TextFilter,
    display,
    formats,
    narrow,
    operators_of,
    panel,
)
from apps.events.admin import looks
from apps.events.models import Delivery, Fact, Queue, Refusal


class TypeFilter(TextFilter):
    """By type, or by the beginning of one."""

    title = "type"
    parameter_name = "type"
    path = "type"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """`player.` stands for all that begin with it."""
        wanted = (self.value() or "").strip().removesuffix("*")
        if not wanted:
            return queryset
        how = "__startswith" if wanted.endswith(".") else ""
        return queryset.filter(**{f"{self.path}{how}": wanted})


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

    def sections(self, request: HttpRequest, row: Fact) -> Iterable[Section]:
        """Show where the fact went."""
        yield where_it_went(row)

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


def where_it_went(fact: Fact) -> Section:
    """Return every endpoint and queue that a fact is for, and how far it has come on its way there."""
    rows: list[tuple[object, ...]] = []
    for one in Delivery.objects.filter(fact=fact).select_related("endpoint").order_by("endpoint_id"):
        if one.endpoint.removed_at is not None:
            where: object = f"{one.endpoint} (removed)"
        else:
            where = formats.row_link(one.endpoint)
        way = formats.link(formats.change_url("events.delivery", one.pk), "Delivery")
        told = one.last_status or one.last_error or formats.NOTHING
        rows.append(("Webhook", where, looks.delivery_badge(one), one.attempts, told, way))
    refused = dict(Refusal.objects.filter(fact=fact).values_list("queue_id", "error"))
    for queue in Queue.objects.for_operator(fact.operator_id).order_by("pk"):
        state = _on_queue(fact, queue, refused)
        if state:
            error = refused.get(queue.pk, formats.NOTHING)
            rows.append(("SQS", formats.row_link(queue), state, "", error, formats.NOTHING))
    return Section(
        "Where it went",
        ("By", "To", "State", "Attempts", "Last answer", ""),
        rows,
        empty="Nobody is set up to be told of it. It can be read at GET /api/events and is sent to open sockets.",
    )


def _on_queue(fact: Fact, queue: Queue, refused: dict[int, str]) -> str:
    """Return how far a fact has come on its way to a queue; "" if it is not meant for it."""
    number = fact.sequence
    if queue.pk in refused:
        return formats.badge("Refused", "red")
    if not queue.wants(fact.type) or (number is not None and number <= queue.from_sequence):
        return ""
    if number in queue.held:
        return formats.badge("Held back", "amber")
    if number is None or number > queue.after_sequence:
        return formats.badge("Waiting", "blue")
    return formats.badge("Taken", "green")


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
