"""Webhook endpoints: how they fare at a glance, and everything that can be done about it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from apps.core import clock
from apps.core.actors import Actor
from apps.core.admin import (
    ChoicesDropdownFilter,
    Operation,
    ReasonForm,
    Section,
    TenantAdmin,
    display,
    formats,
)
from apps.events.admin import looks, replays
from apps.events.admin.endpoint_forms import FORMATS, OTHERS, EditForm, NewEndpointForm, RotateForm
from apps.events.models import OWNED, Delivery, Endpoint, Format
from apps.events.services import deliveries, endpoints
from apps.operators.models import Operator

formats.SUBJECT_PAGES["endpoint"] = "events.endpoint"

SHOWN_DELIVERIES = 15


def operator_of(endpoint_id: int) -> int:
    """Return whose endpoint it is; the page has looked whether the person may act there."""
    return int(Endpoint.objects.values_list("operator_id", flat=True).get(pk=endpoint_id))


def add(*, operator: Operator, actor: Actor, at: datetime, **said: Any) -> endpoints.Made:
    """Make an endpoint."""
    return endpoints.create_endpoint(operator.pk, actor=actor, at=at, **said)


def edit(endpoint_id: int, *, changes: endpoints.EndpointChanges, actor: Actor, at: datetime) -> Endpoint:
    """Change an endpoint."""
    return endpoints.change_endpoint(
        endpoint_id, operator_id=operator_of(endpoint_id), changes=changes, actor=actor, at=at
    )


def rotate(endpoint_id: int, *, overlap_seconds: int, actor: Actor, at: datetime) -> endpoints.Made:
    """Replace the secret."""
    return endpoints.rotate_secret(
        endpoint_id, operator_id=operator_of(endpoint_id), overlap_seconds=overlap_seconds, actor=actor, at=at
    )


def enable(endpoint_id: int, *, actor: Actor, at: datetime) -> Endpoint:
    """Let facts flow again."""
    return endpoints.enable_endpoint(endpoint_id, operator_id=operator_of(endpoint_id), actor=actor, at=at)


def disable(endpoint_id: int, *, reason: str, actor: Actor, at: datetime) -> Endpoint:
    """Stop sending."""
    return endpoints.disable_endpoint(
        endpoint_id, operator_id=operator_of(endpoint_id), reason=reason, actor=actor, at=at
    )


def remove(endpoint_id: int, *, actor: Actor, at: datetime) -> Endpoint:
    """Stop sending for good."""
    return endpoints.remove_endpoint(endpoint_id, operator_id=operator_of(endpoint_id), actor=actor, at=at)


def send_test(endpoint_id: int, *, actor: Actor, at: datetime) -> Delivery:
    """Queue a test."""
    return deliveries.send_test(endpoint_id, operator_id=operator_of(endpoint_id), actor=actor, at=at)


def is_on(endpoint: Endpoint) -> bool:
    """Tell whether facts flow."""
    return endpoint.enabled


def is_off(endpoint: Endpoint) -> bool:
    """Tell whether nothing flows."""
    return not endpoint.enabled


def is_signed(endpoint: Endpoint) -> bool:
    """Tell whether it has a secret, and is the operator's to change; a game platform's or application's is not."""
    return endpoint.format not in OWNED


@admin.register(Endpoint)
class EndpointAdmin(TenantAdmin):
    """Where an operator's facts are sent."""

    indexed = None
    views = (("All", {}), ("Failing", {"failing_since__isnull": "False"}), ("Disabled", {"enabled__exact": "0"}))
    creation = Operation(
        name="add",
        label="Add endpoint",
        icon="add_link",
        run=add,
        form=NewEndpointForm,
        permission="events.add_endpoint",
        reveal="podium/signing_secret.html",
    )
    operations = (
        Operation(
            name="test",
            label="Send a test",
            icon="send",
            run=send_test,
            permission="events.test_endpoint",
            offered=is_on,
            explain="One signed call with a test event. It is tried once and shows up among the deliveries.",
            done="The test is on its way: see the newest delivery below.",
        ),
        Operation(
            name="edit",
            label="Edit",
            submit="Save",
            icon="edit",
            run=edit,
            form=EditForm,
            permission="events.change_endpoint",
            offered=is_signed,
            explain="What is queued already goes to the new address, in the new format.",
            done="Saved.",
        ),
        Operation(
            name="rotate-secret",
            label="Rotate secret",
            icon="autorenew",
            run=rotate,
            form=RotateForm,
            permission="events.rotate_endpoint",
            offered=is_signed,
            reveal="podium/signing_secret.html",
            explain="A new secret is made now and shown once.",
        ),
        *replays.OPERATIONS,
        Operation(
            name="enable",
            label="Enable",
            icon="play_arrow",
            run=enable,
            permission="events.change_endpoint",
            offered=is_off,
            explain="What was queued before goes out now. What happened meanwhile is sent by a replay only.",
            done="Enabled.",
        ),
        Operation(
            name="disable",
            label="Disable",
            icon="pause",
            danger=True,
            run=disable,
            form=ReasonForm,
            permission="events.change_endpoint",
            offered=is_on,
            explain="What is queued waits. What happens from now on is not queued; a replay can send it later.",
            done="Disabled.",
        ),
        Operation(
            name="remove",
            label="Remove",
            icon="link_off",
            danger=True,
            run=remove,
            form=ReasonForm,
            log_only=("reason",),
            permission="events.remove_endpoint",
            offered=is_signed,
            explain="Nothing is sent there any more and its secret is forgotten. This can't be undone.",
            done="Removed.",
            removes=True,
        ),
    )
    list_display = ("shown_name", "operator", "state", "hour", "day", "shown_waiting", "shown_lag", "error")
    list_select_related = ("operator",)
    list_filter = (("format", ChoicesDropdownFilter), "enabled", ("failing_since", admin.EmptyFieldListFilter))
    search_fields = ("url",)
    search_help_text = "Address, description or id (ep_…)"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("shown_url", "state"),
                    ("operator", "shown_id"),
                    ("shown_events", "shown_format"),
                    ("shown_order", "secrets"),
                )
            },
        ),
        (
            "Health",
            {"fields": (("hour", "day"), ("shown_waiting", "shown_lag"), ("succeeded", "failed"), "error")},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Endpoint]:
        """Leave out those that were removed."""
        return super().get_queryset(request).filter(removed_at=None)

    def created(self, answer: endpoints.Made) -> Endpoint:
        """Return the row."""
        return answer.endpoint

    def find(self, request: HttpRequest, rows: QuerySet[Endpoint], term: str) -> QuerySet[Endpoint]:
        """By what people know of an endpoint; there are few."""
        return rows.filter(Q(url__icontains=term) | Q(description__icontains=term) | Q(public_id=term))

    def enrich(self, rows: Sequence[Endpoint]) -> None:
        """Read how all of them fare at once."""
        found = looks.read_health(rows, now=clock.now())
        for row in rows:
            row.__dict__["_health"] = found[row.pk]

    def sections(self, request: HttpRequest, row: Endpoint) -> Iterable[Section]:
        """Show the newest deliveries."""
        newest = list(row.deliveries.select_related("fact").order_by("-pk")[:SHOWN_DELIVERIES])
        for delivery in newest:
            delivery.endpoint = row
        yield Section(
            "Newest deliveries",
            ("Event", "Number", "State", "Attempts", "Answer", "Queued"),
            [
                (
                    formats.link(formats.change_url("events.delivery", one.pk), one.fact.type if one.fact else "Test"),
                    formats.number(one.sequence) if one.sequence else formats.NOTHING,
                    looks.delivery_badge(one),
                    one.attempts,
                    one.last_status or one.last_error or formats.NOTHING,
                    formats.moment(one.created_at, seconds=True),
                )
                for one in newest
            ],
            empty="Nothing was sent yet.",
            more=("All deliveries", formats.list_url("events.delivery", endpoint__id__exact=row.pk)),
        )

    def health_of(self, row: Endpoint) -> looks.Health:
        """Return how it fares; on its own page it is read when first asked for."""
        if "_health" not in row.__dict__:
            self.enrich([row])
        found: looks.Health = row.__dict__["_health"]
        return found

    @display(description="endpoint", ordering="description")
    def shown_name(self, row: Endpoint) -> str:
        """Its description, and where it is."""
        return format_html('{}<br><span class="pd-quiet">{}</span>', row.description or row.public_id, row.url[:80])

    @display(description="state")
    def state(self, row: Endpoint) -> str:
        """In one word."""
        if not row.enabled and row.disabled_reason:
            return format_html(
                '{} <span class="pd-quiet">{}</span>', formats.badge("Disabled", "grey"), row.disabled_reason
            )
        return formats.badge(*looks.endpoint_state(row, health=self.health_of(row)))

    @display(description="arrived, last hour")
    def hour(self, row: Endpoint) -> str:
        """Of what was tried."""
        return looks.share(self.health_of(row).hour)

    @display(description="arrived, last day")
    def day(self, row: Endpoint) -> str:
        """Of what was tried."""
        return looks.share(self.health_of(row).day)

    @display(description="waiting")
    def shown_waiting(self, row: Endpoint) -> str:
        """How many deliveries."""
        return looks.waiting(self.health_of(row))

    @display(description="oldest waits")
    def shown_lag(self, row: Endpoint) -> str:
        """For how long."""
        return looks.lag(self.health_of(row), now=clock.now())

    @display(description="last error")
    def error(self, row: Endpoint) -> str:
        """What the receiver said, or why it could not be asked."""
        if not row.last_error:
            return formats.NOTHING
        return format_html('{} <span class="pd-quiet">{}</span>', row.last_error, formats.moment(row.last_failure_at))

    @display(description="address")
    def shown_url(self, row: Endpoint) -> str:
        """Whole."""
        return formats.code(row.url)

    @display(description="endpoint id")
    def shown_id(self, row: Endpoint) -> str:
        """Its id in the API."""
        return formats.code(row.public_id)

    @display(description="events")
    def shown_events(self, row: Endpoint) -> str:
        """What it wants."""
        return formats.lines(row.events)

    @display(description="format")
    def shown_format(self, row: Endpoint) -> str:
        """How facts are written down."""
        return {**dict(FORMATS), **OTHERS}[Format(row.format)]

    @display(description="order")
    def shown_order(self, row: Endpoint) -> str:
        """How strict."""
        return "strictly one at a time, by number" if row.ordered else "kept per tournament, room or match"

    @display(description="signed with")
    def secrets(self, row: Endpoint) -> str:
        """What signs, but never the secret."""
        if not row.secret:
            return formats.NOTHING
        until = row.previous_secret_until
        if until is not None and until > clock.now():
            return format_html("its secret, and the one before it until {}", formats.moment(until))
        return "its secret"

    @display(description="last success")
    def succeeded(self, row: Endpoint) -> str:
        """When something last arrived."""
        return formats.moment_and_distance(row.last_success_at, now=clock.now())

    @display(description="failing since")
    def failed(self, row: Endpoint) -> str:
        """Since when nothing has arrived."""
        return formats.moment_and_distance(row.failing_since, now=clock.now())
