"""Channels: where rounds are read from, how they fare, set up and tried out from here."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from apps.core import clock
from apps.core.actors import Actor
from apps.core.admin import ChoicesDropdownFilter, Operation, ReasonForm, Section, TenantAdmin, display, formats
from apps.operators.models import Operator
from apps.rounds.admin import channel_forms as forms
from apps.rounds.channels import consuming
from apps.rounds.models import Channel, ChannelKind
from apps.rounds.services import channels

SHOWN_REFUSALS = 20
# What a glance at rounds that are not whole may cost.
MOST_OPEN = 10_000
ABOUT = {
    ChannelKind.RABBITMQ: "A durable queue. Messages are acknowledged once their rounds are stored.",
    ChannelKind.KAFKA: "A topic. Offsets are committed once rounds are stored.",
    ChannelKind.PULL: "The client's own HTTP interface, asked every second.",
}


def add(
    *,
    operator: Operator,
    name: str,
    integration: str,
    kind: str,
    configuration: Mapping[str, Any],
    mapping: Mapping[str, str],
    transactions: Mapping[str, Any],
    secret: str,
    actor: Actor,
    at: datetime,
) -> Channel:
    """Add a channel."""
    return channels.add(
        operator.pk,
        name=name,
        integration=integration,
        kind=kind,
        configuration=configuration,
        mapping=mapping,
        transactions=transactions,
        secret=secret,
        actor=actor,
        at=at,
    )


def is_on(channel: Channel) -> bool:
    """Tell whether it is read."""
    return channel.enabled


def is_off(channel: Channel) -> bool:
    """Tell whether it is not read."""
    return not channel.enabled


def is_pull(channel: Channel) -> bool:
    """Tell whether its place is ours to keep."""
    return channel.kind == ChannelKind.PULL


@admin.register(Channel)
class ChannelAdmin(TenantAdmin):
    """Channels of rounds."""

    indexed = None
    creation = Operation(
        name="add",
        label="Add channel",
        icon="add",
        run=add,
        form=forms.NewChannelForm,
        permission="rounds.add_channel",
        explain="It is read at once, by the relay and by every `manage.py consume_rounds`.",
    )
    operations = (
        Operation(
            name="check",
            label="Check",
            icon="network_check",
            run=consuming.check,
            permission="rounds.change_channel",
            explain="Connects as a reader does and takes nothing. Kafka and RabbitMQ may create what is missing.",
            done=lambda found: f"It answers. {found}.",
        ),
        Operation(
            name="edit",
            label="Edit",
            submit="Save",
            icon="edit",
            run=channels.change,
            form=forms.ChannelForm,
            permission="rounds.change_channel",
            explain="Readers begin anew with it within seconds.",
            done="Saved.",
        ),
        Operation(
            name="rewind",
            label="Move cursor",
            icon="history",
            danger=True,
            run=channels.rewind,
            form=forms.RewindForm,
            permission="rounds.rewind_channel",
            offered=is_pull,
            explain="Going back is safe: a round counts once. Going forward leaves out what lies between.",
            done="Moved.",
        ),
        Operation(
            name="enable",
            label="Enable",
            icon="play_arrow",
            run=channels.enable,
            permission="rounds.change_channel",
            offered=is_off,
            done="Enabled.",
        ),
        Operation(
            name="disable",
            label="Disable",
            icon="pause",
            danger=True,
            run=channels.disable,
            form=ReasonForm,
            permission="rounds.change_channel",
            offered=is_on,
            explain="Nothing is lost: it goes on where it stopped.",
            done="Disabled.",
        ),
    )
    list_display = ("name", "operator", "kind", "integration", "state", "shown_taken", "shown_refused", "seen", "error")
    list_select_related = ("operator",)
    list_filter = (("kind", ChoicesDropdownFilter), "enabled")
    search_fields = ("name",)
    search_help_text = "Name or integration"
    fieldsets = (
        (None, {"fields": (("name", "state"), ("operator", "integration"), ("kind", "secret"))}),
        ("How it is read", {"fields": ("setup", "shown_mapping", "shown_transactions", "shown_cursor")}),
        ("Health", {"fields": (("shown_taken", "shown_refused"), ("seen", "succeeded"), ("failures", "error"))}),
    )

    def find(self, request: HttpRequest, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        """By what people know of a channel; there are few."""
        return rows.filter(Q(name__icontains=term) | Q(integration__icontains=term))

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask for the kind first: each has its own fields."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.GET.get("kind") not in ChannelKind.values:
            kinds = [(kind.value, kind.label, ABOUT[kind]) for kind in ChannelKind]
            context = {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": "How do the rounds come?",
                "choices": kinds,
                "name": "kind",
            }
            return TemplateResponse(request, "podium/choose.html", context)
        return super().add_view(request, form_url, extra_context)

    def sections(self, request: HttpRequest, row: Channel) -> Iterable[Section]:
        """Show what could not be read of pulled pages."""
        if row.kind != ChannelKind.PULL:
            return
        refused = row.refused_items.order_by("-pk")[:SHOWN_REFUSALS]
        yield Section(
            "Rounds that can't be read",
            ("When", "Why", "As it came"),
            [
                (formats.moment(one.refused_at, seconds=True), one.error, formats.code(one.body[:500]))
                for one in refused
            ],
            empty="None.",
        )

    @display(description="state")
    def state(self, row: Channel) -> str:
        """In one word."""
        if not row.enabled:
            return formats.badge("Disabled", "grey")
        if row.failures:
            return formats.badge("Failing", "red")
        return formats.badge("Reading", "green") if row.last_success_at else formats.badge("Not read yet", "amber")

    @display(description="rounds taken")
    def shown_taken(self, row: Channel) -> str:
        """How many, repetitions included."""
        return formats.number(row.taken)

    @display(description="messages refused")
    def shown_refused(self, row: Channel) -> str:
        """How many were not well formed."""
        return formats.badge(formats.number(row.refused), "amber") if row.refused else "0"

    @display(description="last message")
    def seen(self, row: Channel) -> str:
        """When something last came."""
        return formats.moment_and_distance(row.last_seen_at, now=clock.now())

    @display(description="last success")
    def succeeded(self, row: Channel) -> str:
        """When the other side last answered."""
        return formats.moment_and_distance(row.last_success_at, now=clock.now())

    @display(description="last error")
    def error(self, row: Channel) -> str:
        """What went wrong last."""
        if not row.last_error:
            return formats.NOTHING
        return formats.lines([row.last_error, formats.moment(row.last_error_at)])

    @display(description="password or key")
    def secret(self, row: Channel) -> str:
        """Whether there is one."""
        return "stored encrypted" if row.sealed_secret else "none"

    @display(description="set up as")
    def setup(self, row: Channel) -> str:
        """All of it."""
        return formats.pretty_json(row.configuration)

    @display(description="the client's own words")
    def shown_mapping(self, row: Channel) -> str:
        """Where our fields stand in its messages."""
        return formats.pretty_json(row.mapping) if row.mapping else "as ours"

    @display(description="bets and wins that come apart")
    def shown_transactions(self, row: Channel) -> str:
        """How they are known, and how many rounds are not whole yet."""
        if row.transactions is None:
            return "each message is a whole round"
        waiting = row.open_rounds.all()[:MOST_OPEN].count()
        more = "+" if waiting == MOST_OPEN else ""
        return formats.lines([formats.pretty_json(row.transactions), f"{formats.number(waiting)}{more} rounds open"])

    @display(description="has come to")
    def shown_cursor(self, row: Channel) -> str:
        """The cursor of a pull."""
        if row.kind != ChannelKind.PULL:
            return "the broker keeps its place"
        return formats.code(row.cursor) if row.cursor else "the beginning"
