"""The delivery log: each fact on its way to each endpoint, and every try."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from apps.core.actors import Actor
from apps.core.admin import (
    ChoicesDropdownFilter,
    DaysFilter,
    Operation,
    OwnRelatedFilter,
    Section,
    TenantAdmin,
    display,
    formats,
)
from apps.core.exact import decoded, dumps
from apps.events import formats as writing
from apps.events.admin import looks
from apps.events.admin.facts import TypeFilter
from apps.events.lifecycle import DeliveryStatus
from apps.events.models import Attempt, Delivery
from apps.events.services import deliveries

SHOWN_ATTEMPTS = 50


class EventTypeFilter(TypeFilter):
    """By the type of the fact, or its beginning."""

    path = "fact__type"


def retry(delivery_id: int, *, actor: Actor, at: datetime) -> Delivery:
    """Try a delivery now."""
    operator_id = int(Delivery.objects.values_list("operator_id", flat=True).get(pk=delivery_id))
    return deliveries.retry(delivery_id, operator_id=operator_id, actor=actor, at=at)


def may_be_retried(delivery: Delivery) -> bool:
    """Tell whether there is somebody to send it to."""
    return delivery.endpoint.enabled and delivery.fact_id is not None


@admin.register(Delivery)
class DeliveryAdmin(TenantAdmin):
    """One fact for one endpoint."""

    views = (
        ("All", {}),
        ("Waiting", {"status__exact": DeliveryStatus.PENDING.value}),
        ("Delivered", {"status__exact": DeliveryStatus.DELIVERED.value}),
        ("Dead letters", {"status__exact": DeliveryStatus.EXHAUSTED.value}),
    )
    operations = (
        Operation(
            name="retry",
            label="Try now",
            icon="replay",
            run=retry,
            permission="events.retry_delivery",
            offered=may_be_retried,
            bulk=True,
            explain="Sent at once, and from the beginning of the schedule, under the id it always had.",
            done="It is on its way.",
        ),
    )
    list_display = ("event", "about", "shown_number", "to", "operator", "state", "attempts", "answer", "queued")
    list_select_related = ("operator", "endpoint", "fact")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("endpoint", OwnRelatedFilter),
        EventTypeFilter,
        ("created_at", DaysFilter),
    )
    search_fields = ("fact__public_id",)
    search_help_text = "An event's id (evt_…), which is the webhook-id, or its number in the stream"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("event", "state"),
                    ("about", "shown_number"),
                    ("to", "operator"),
                    ("webhook_id", "attempts"),
                    ("queued", "finished"),
                    ("next_try", "answer"),
                )
            },
        ),
    )

    def find(self, request: HttpRequest, rows: QuerySet[Delivery], term: str) -> QuerySet[Delivery]:
        """By the fact's id or number; deliveries are found through their fact."""
        if term.isascii() and term.isdigit() and len(term) < 19:  # noqa: PLR2004 - what a bigint holds
            return rows.filter(fact__sequence=int(term))
        return rows.filter(fact__public_id=term)

    def sections(self, request: HttpRequest, row: Delivery) -> Iterable[Section]:
        """Show what is sent, and every try."""
        tries = list(row.tried.order_by("-started_at", "-pk")[:SHOWN_ATTEMPTS])
        yield Section(
            "Attempts",
            ("Try", "When", "Took", "Answer", "What was sent and what came back"),
            [
                (
                    one.number,
                    formats.moment(one.started_at, seconds=True),
                    f"{formats.number(one.milliseconds)}\u00a0ms",
                    _outcome(one),
                    _exchange(one),
                )
                for one in tries
            ],
            empty="Not tried yet." if not row.attempts else "These tries are older than what is kept.",
        )
        body = writing.shown(row.endpoint.format, writing.outgoing(row))
        yield Section(
            "Body, as it is sent now", (row.endpoint.get_format_display(),), [(formats.pretty_json(decoded(body)),)]
        )

    @display(description="event", ordering="pk")
    def event(self, row: Delivery) -> str:
        """What happened."""
        return row.fact.type if row.fact else "Test"

    @display(description="about")
    def about(self, row: Delivery) -> str:
        """To what, with a link."""
        return formats.subject(row.fact.subject) if row.fact else formats.NOTHING

    @display(description="number")
    def shown_number(self, row: Delivery) -> str:
        """Its place in the stream, with a link to the fact."""
        return formats.row_link(row.fact, formats.number(row.sequence)) if row.fact else formats.NOTHING

    @display(description="to")
    def to(self, row: Delivery) -> str:
        """The endpoint."""
        if row.endpoint.removed_at is not None:
            return format_html("{} (removed)", row.endpoint)
        return formats.row_link(row.endpoint)

    @display(description="state", ordering="status")
    def state(self, row: Delivery) -> str:
        """Where it stands."""
        return looks.delivery_badge(row)

    @display(description="last answer")
    def answer(self, row: Delivery) -> str:
        """A status, or why there was none."""
        return str(row.last_status or "") or row.last_error or formats.NOTHING

    @display(description="queued", ordering="pk")
    def queued(self, row: Delivery) -> str:
        """When."""
        return formats.moment(row.created_at, seconds=True)

    @display(description="over")
    def finished(self, row: Delivery) -> str:
        """When it arrived or was given up."""
        return formats.moment(row.finished_at, seconds=True)

    @display(description="next try")
    def next_try(self, row: Delivery) -> str:
        """When."""
        return formats.moment(row.next_attempt_at, seconds=True)

    @display(description="webhook-id")
    def webhook_id(self, row: Delivery) -> str:
        """The event's id, the same at every try and on every transport."""
        return formats.code(row.fact.public_id if row.fact else "")


def _outcome(one: Attempt) -> str:
    if one.status is None:
        return formats.badge(one.error or "no answer", "red")
    return formats.badge(one.status, "green" if 200 <= one.status < 300 else "red")  # noqa: PLR2004 - what 2xx means


def _exchange(one: Attempt) -> str:
    sent: Any = dumps(one.request_headers)
    return format_html(
        '<details><summary>{} bytes sent</summary><p class="pd-quiet">Headers; those with secrets are not kept. '
        'SHA-256 of the body: {}</p>{}<p class="pd-quiet">Answer</p><pre class="pd-json">{}</pre></details>',
        formats.number(one.body_bytes),
        one.body_digest,
        formats.pretty_json(decoded(sent.encode())),
        one.answer or "(nothing)",
    )
