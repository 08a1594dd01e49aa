"""Queues of the SQS kind, both ways: where they are, how they fare, created and tried out from here."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from apps.core import clock
from apps.core.actors import Actor
from apps.core.admin import Operation, Preview, ReasonForm, Section, TenantAdmin, display, formats
from apps.events.admin import looks
from apps.events.admin.queue_forms import CreateForm, InboundForm, NewInboundForm, NewQueueForm, QueueForm
from apps.events.models import InboundQueue, Queue, Stream
from apps.events.relay import sqs_setup
from apps.events.services import queues
from apps.events.services.queues import Access
from apps.operators.models import Operator

SHOWN_REFUSALS = 20


def add_queue(*, operator: Operator, access: Access, events: list[str], actor: Actor, at: datetime) -> Queue:
    """Add a queue."""
    return queues.add_queue(operator.pk, access, events=events, actor=actor, at=at)


def add_inbound(*, operator: Operator | None, access: Access, actor: Actor, at: datetime) -> InboundQueue:
    """Add a queue to read from."""
    return queues.add_inbound_queue(operator.pk if operator else None, access, actor=actor, at=at)


def change_queue(queue_id: int, *, access: Access, events: list[str], actor: Actor, at: datetime) -> Queue:
    """Change a queue."""
    return queues.change_queue(queue_id, access, events=events, actor=actor, at=at)


def change_inbound(queue_id: int, *, access: Access, actor: Actor, at: datetime) -> InboundQueue:
    """Change a queue to read from."""
    return queues.change_inbound_queue(queue_id, access, actor=actor, at=at)


def check(model: Any, queue_id: int, *, actor: Actor, at: datetime) -> tuple[int, int]:  # noqa: ARG001 - logged by who asks
    """Ask the queue how much waits there."""
    return sqs_setup.check(queue_id, model=model)


def what_is_skipped(queue: Queue, at: datetime) -> Preview:  # noqa: ARG001 - every preview is told the moment
    """Tell how much is given up."""
    head = Stream.objects.filter(operator_id=queue.operator_id).values_list("last_sequence", flat=True).first() or 0
    return Preview((), (), 0, facts=[("Numbers it has not come to", formats.number(looks.behind(queue, head)))])


def is_on(queue: Queue | InboundQueue) -> bool:
    """Tell whether it is used."""
    return queue.enabled


def is_off(queue: Queue | InboundQueue) -> bool:
    """Tell whether it is not used."""
    return not queue.enabled


def is_there(queue: Queue | InboundQueue) -> bool:
    """Tell whether there is a queue to ask."""
    return bool(queue.url)


def operations_of(model: Any) -> tuple[Operation, ...]:
    """Return what can be done to queues of both kinds."""
    name: str = model._meta.model_name  # noqa: SLF001 - documented
    change = f"events.change_{name}"
    return (
        Operation(
            name="check",
            label="Check",
            icon="network_check",
            run=partial(check, model),
            permission=f"events.test_{name}",
            offered=is_there,
            explain="Asks the queue how many messages wait in it.",
            done=lambda found: f"It answers: {found[0]} messages wait, {found[1]} are with a consumer.",
        ),
        Operation(
            name="create-queues",
            label="Create queues",
            icon="add_box",
            run=partial(sqs_setup.create_queues, model=model),
            form=CreateForm,
            permission=f"events.create_{name}",
            explain="Creates a FIFO queue with the attributes of the contract, and its dead-letter queue. Where they "
            "exist already they get these attributes.",
            done=lambda made: f"Created: {made.url}; dead letters: {made.dead_url}",
        ),
        Operation(
            name="enable",
            label="Enable",
            icon="play_arrow",
            run=partial(queues.enable, model=model),
            permission=change,
            offered=is_off,
            done="Enabled.",
        ),
        Operation(
            name="disable",
            label="Disable",
            icon="pause",
            danger=True,
            run=partial(queues.disable, model=model),
            form=ReasonForm,
            permission=change,
            offered=is_on,
            explain="Nothing is lost: it goes on where it stopped.",
            done="Disabled.",
        ),
    )


class _QueueAdmin(TenantAdmin):
    """What both kinds show."""

    indexed = None
    list_select_related = ("operator",)
    list_filter = ("enabled",)
    search_fields = ("name",)
    search_help_text = "Name or queue URL"

    def find(self, request: HttpRequest, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        """By what people know of a queue; there are few."""
        return rows.filter(Q(name__icontains=term) | Q(url__icontains=term))

    @display(description="state")
    def state(self, row: Queue | InboundQueue) -> str:
        """In one word."""
        return formats.badge(*looks.queue_state(row))

    @display(description="queue URL")
    def shown_url(self, row: Queue | InboundQueue) -> str:
        """Whole."""
        return formats.code(row.url)

    @display(description="secret access key")
    def secret(self, row: Queue | InboundQueue) -> str:
        """Whether there is one."""
        return "stored encrypted" if row.sealed_secret else "none"

    @display(description="reached at")
    def server(self, row: Queue | InboundQueue) -> str:
        """The server."""
        return row.endpoint_url or f"AWS, {row.region}"

    @display(description="last success")
    def succeeded(self, row: Queue | InboundQueue) -> str:
        """When it last did what it is for."""
        return formats.moment_and_distance(row.last_success_at, now=clock.now())

    @display(description="last error")
    def error(self, row: Queue | InboundQueue) -> str:
        """What went wrong last."""
        if not row.last_error:
            return formats.NOTHING
        return format_html('{} <span class="pd-quiet">{}</span>', row.last_error, formats.moment(row.last_error_at))


@admin.register(Queue)
class QueueAdmin(_QueueAdmin):
    """Queues that facts are told to."""

    creation = Operation(
        name="add",
        label="Add queue",
        icon="add",
        run=add_queue,
        form=NewQueueForm,
        permission="events.add_queue",
        explain="Facts from now on are told to it.",
    )
    operations = (
        Operation(
            name="test",
            label="Send a test message",
            icon="send",
            run=sqs_setup.send_test,
            permission="events.test_queue",
            offered=is_there,
            explain="Puts one system.status message on the queue. It is no fact and has no number.",
            done=lambda event_id: f"The queue took it: {event_id}.",
        ),
        Operation(
            name="edit",
            label="Edit",
            submit="Save",
            icon="edit",
            run=change_queue,
            form=QueueForm,
            permission="events.change_queue",
            explain="What it wants counts for facts that it has not come to yet.",
            done="Saved.",
        ),
        *operations_of(Queue),
        Operation(
            name="skip",
            label="Skip to now",
            icon="skip_next",
            danger=True,
            run=queues.skip_to_now,
            form=ReasonForm,
            preview=what_is_skipped,
            permission="events.change_queue",
            explain="Gives up everything that the queue has not been told yet. This can't be undone.",
            done="It goes on with the next new fact.",
        ),
    )
    list_display = ("name", "operator", "state", "shown_behind", "shown_sent", "succeeded", "error")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("name", "state"),
                    ("operator", "server"),
                    "shown_url",
                    ("access_key_id", "secret"),
                    ("shown_events", "shown_behind"),
                )
            },
        ),
        ("Health", {"fields": (("shown_sent", "succeeded"), ("failures", "error"), ("next_try", "shown_cursor"))}),
    )

    def enrich(self, rows: Sequence[Queue]) -> None:
        """Read how far their streams are."""
        heads = dict(
            Stream.objects.filter(operator_id__in={row.operator_id for row in rows}).values_list(
                "operator_id", "last_sequence"
            )
        )
        for row in rows:
            row.__dict__["_head"] = heads.get(row.operator_id, 0)

    def sections(self, request: HttpRequest, row: Queue) -> Iterable[Section]:
        """Show what it will never take."""
        refusals = row.refusals.select_related("fact").order_by("-pk")[:SHOWN_REFUSALS]
        yield Section(
            "Refused for good",
            ("Fact", "Number", "When", "Why"),
            [
                (
                    formats.row_link(one.fact, one.fact.type),
                    formats.number(one.fact.sequence or 0),
                    formats.moment(one.refused_at, seconds=True),
                    one.error,
                )
                for one in refusals
            ],
            empty="Nothing.",
        )

    @display(description="behind")
    def shown_behind(self, row: Queue) -> str:
        """How many numbers it has not come to."""
        if "_head" not in row.__dict__:
            self.enrich([row])
        return formats.number(looks.behind(row, row.__dict__["_head"]))

    @display(description="sent")
    def shown_sent(self, row: Queue) -> str:
        """How many messages it took."""
        return formats.number(row.sent)

    @display(description="events")
    def shown_events(self, row: Queue) -> str:
        """What it wants."""
        return looks.patterns(row.events)

    @display(description="next try")
    def next_try(self, row: Queue) -> str:
        """When it is tried again while it fails."""
        return formats.moment(row.next_try_at, seconds=True) if row.failures else formats.NOTHING

    @display(description="has come to number")
    def shown_cursor(self, row: Queue) -> str:
        """Its cursor, and what it holds back."""
        held = f", {len(row.held)} held back" if row.held else ""
        return f"{formats.number(row.after_sequence)}{held}"


@admin.register(InboundQueue)
class InboundQueueAdmin(_QueueAdmin):
    """Queues that game platforms put events on."""

    creation = Operation(
        name="add",
        label="Add incoming queue",
        icon="add",
        run=add_inbound,
        form=NewInboundForm,
        permission="events.add_inboundqueue",
    )
    operations = (
        Operation(
            name="edit",
            label="Edit",
            submit="Save",
            icon="edit",
            run=change_inbound,
            form=InboundForm,
            permission="events.change_inboundqueue",
            done="Saved.",
        ),
        *operations_of(InboundQueue),
    )
    list_display = ("name", "operator", "state", "shown_taken", "shown_malformed", "succeeded", "error")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("name", "state"),
                    ("operator", "server"),
                    "shown_url",
                    ("access_key_id", "secret"),
                )
            },
        ),
        (
            "Health",
            {"fields": (("shown_taken", "shown_malformed"), ("succeeded", "failures"), "error")},
        ),
    )

    @display(description="messages taken")
    def shown_taken(self, row: InboundQueue) -> str:
        """How many."""
        return formats.number(row.taken)

    @display(description="left to dead letters")
    def shown_malformed(self, row: InboundQueue) -> str:
        """How many were not well formed."""
        return formats.badge(formats.number(row.malformed), "amber") if row.malformed else "0"
