"""Escrow containers: what is inside, how it got there, and the two things that staff do to one."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from apps.core import clock
from apps.core.actors import Actor
from apps.core.admin import ChoicesDropdownFilter, Operation, ReasonForm, Section, TenantAdmin, display, formats
from apps.core.admin.formats import Tone
from apps.ledger.admin.books import as_id
from apps.ledger.admin.chain import status_badge
from apps.ledger.lifecycle import ChainStatus
from apps.ledger.models import ChainTransaction
from apps.ledger.services import accounts
from apps.rumble.lifecycle import OPEN, ContainerStatus
from apps.rumble.models import Container
from apps.rumble.services import containers

formats.SUBJECT_PAGES["container"] = "rumble.container"

TONES: dict[str, Tone] = {
    ContainerStatus.CREATED: "green",
    ContainerStatus.LOCKED: "blue",
    ContainerStatus.RESOLVING: "violet",
    ContainerStatus.RESOLVED: "grey",
    ContainerStatus.EXPIRED: "amber",
}
SHOWN = 100


def _is_its_own(row: Container) -> bool:
    return not hasattr(row, "rumble")


def _may_refund(row: Container) -> bool:
    failed = row.out is not None and row.out.status == ChainStatus.FAILED
    return _is_its_own(row) and (row.status in OPEN or (row.status == ContainerStatus.EXPIRED and failed))


def refund(container_id: int, *, actor: Actor, at: datetime) -> ChainTransaction | None:
    """Give everything back, also where an earlier try has failed."""
    return containers.refund_again(container_id, actor=actor, at=at)


@admin.register(Container)
class ContainerAdmin(TenantAdmin):
    """Containers."""

    operations = (
        Operation(
            name="refund",
            label="Refund",
            icon="undo",
            danger=True,
            run=refund,
            form=ReasonForm,
            log_only=("reason",),
            permission="rumble.refund_container",
            offered=_may_refund,
            explain="Everything inside goes back to its owners, in full, as one transaction on the chain. "
            "Requests that nobody has signed are withdrawn.",
            done="On its way back.",
        ),
    )
    views = (
        ("All", {}),
        ("Open", {"status__exact": "created"}),
        ("Locked", {"status__exact": "locked"}),
        ("Resolving", {"status__exact": "resolving"}),
        ("Expired", {"status__exact": "expired"}),
    )
    list_display = ("shown_id", "shown_status", "application", "shown_of", "operator", "expires", "made")
    list_select_related = ("operator", "application", "rumble__tournament")
    list_filter = (("status", ChoicesDropdownFilter),)
    search_fields = ("id",)
    search_help_text = "Container id, or an APP ID"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("shown_id", "shown_status"),
                    ("application", "operator"),
                    ("shown_of", "inside"),
                    ("user_limit", "shown_stop"),
                    ("shown_escrow", "shown_out"),
                )
            },
        ),
        ("Times", {"fields": (("made", "expires"), ("refreshed", "ended"))}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bring along what every page of a container shows."""
        return (
            super()
            .get_queryset(request)
            .select_related("operator", "application", "asset", "out", "rumble__tournament")
        )

    def find(self, request: HttpRequest, rows: QuerySet[Container], term: str) -> QuerySet[Container]:
        """By its number, or by whose it is."""
        number = as_id(term)
        return rows.filter(Q(pk=number) | Q(application__app_id=number)) if number is not None else rows.none()

    def sections(self, request: HttpRequest, row: Container) -> Iterable[Section]:
        """What was put in, and what went out."""
        deposits = row.deposits.select_related("transaction", "player").order_by("-pk")[:SHOWN]
        yield Section(
            "Deposits",
            ("Request", "Player", "EOS id", "Units", "Stands", "Transaction"),
            [
                (
                    one.pk,
                    formats.row_link(one.player),
                    one.owner_eos_id,
                    formats.money(one.units, row.asset.scale, row.asset.code),
                    one.wire_status,
                    formats.row_link(one.transaction),
                )
                for one in deposits
            ],
            empty="Nobody has put anything in.",
        )
        subject = row.rumble.tournament.subject if hasattr(row, "rumble") else row.subject
        out = ChainTransaction.objects.for_operator(row.operator_id).filter(subject=subject, direction="OUT")
        yield Section(
            "Out of it",
            ("Transaction", "For", "Units", "Stands", "Error", "Created"),
            [
                (
                    formats.row_link(one),
                    one.purpose,
                    formats.money(one.units, row.asset.scale, row.asset.code),
                    status_badge(one),
                    one.error or formats.NOTHING,
                    formats.moment(one.created_at),
                )
                for one in out.order_by("-pk")[:SHOWN]
            ],
            empty="Nothing has left it.",
        )

    @display(description="container", ordering="pk")
    def shown_id(self, row: Container) -> str:
        """Its number."""
        return formats.code(row.pk)

    @display(description="status")
    def shown_status(self, row: Container) -> str:
        """Where it stands."""
        return formats.badge(row.get_status_display(), formats.tone_of(TONES, row.status))

    @display(description="of")
    def shown_of(self, row: Container) -> str:
        """Its tournament, if it is one's."""
        return formats.row_link(row.rumble.tournament) if hasattr(row, "rumble") else "itself"

    @display(description="inside")
    def inside(self, row: Container) -> str:
        """What is final."""
        return formats.money(accounts.balance(row.escrow_id), row.asset.scale, row.asset.code)

    @display(description="to be given back")
    def shown_stop(self, row: Container) -> str:
        """Why."""
        return row.get_stop_display() if row.stop else formats.NOTHING

    @display(description="escrow")
    def shown_escrow(self, row: Container) -> str:
        """Its account."""
        return formats.row_link(row.escrow)

    @display(description="newest transaction out")
    def shown_out(self, row: Container) -> str:
        """With its state."""
        return formats.lines([formats.row_link(row.out), status_badge(row.out)]) if row.out else formats.NOTHING

    @display(description="expires")
    def expires(self, row: Container) -> Any:
        """When its lifetime is over."""
        return formats.moment_and_distance(row.expires_at, now=clock.now())

    @display(description="refreshed")
    def refreshed(self, row: Container) -> str:
        """When the clock was restarted."""
        return formats.moment(row.refreshed_at)

    @display(description="created")
    def made(self, row: Container) -> str:
        """When it was made."""
        return formats.moment(row.created_at)

    @display(description="ended")
    def ended(self, row: Container) -> str:
        """When it was emptied for good, or expired."""
        return formats.moment(row.ended_at)
