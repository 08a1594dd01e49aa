"""Transactions of the chain: where each stands, what it moves, and why it failed."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from apps.core import clock
from apps.core.admin import ChoicesDropdownFilter, Section, TenantAdmin, display, formats
from apps.core.admin.formats import Tone
from apps.ledger.admin.books import as_id
from apps.ledger.lifecycle import ChainStatus
from apps.ledger.models import ChainTransaction

TONES: dict[str, Tone] = {
    ChainStatus.REQUESTED: "grey",
    ChainStatus.SIGNED: "blue",
    ChainStatus.SUBMITTED: "blue",
    ChainStatus.FINAL: "green",
    ChainStatus.FAILED: "red",
    ChainStatus.REJECTED: "amber",
    ChainStatus.EXPIRED: "amber",
    ChainStatus.WITHDRAWN: "grey",
}
# A settlement may have thousands of transfers; its payouts are a list of their own.
SHOWN_TRANSFERS = 100


def status_badge(row: ChainTransaction) -> str:
    """Write where a transaction stands."""
    return formats.badge(row.get_status_display(), formats.tone_of(TONES, row.status))


@admin.register(ChainTransaction)
class ChainTransactionAdmin(TenantAdmin):
    """Money that moves on the chain."""

    views = (
        ("All", {}),
        ("To be signed", {"status__exact": "REQUESTED"}),
        ("On the chain", {"status__exact": "SUBMITTED"}),
        ("Failed", {"status__exact": "FAILED"}),
    )
    list_display = ("shown_id", "shown_status", "direction", "purpose", "shown_subject", "operator", "moves", "made")
    list_select_related = ("operator", "asset")
    list_filter = (("status", ChoicesDropdownFilter), ("direction", ChoicesDropdownFilter))
    search_fields = ("public_id",)
    search_help_text = "Transaction id, the chain's reference, a subject such as tournament:17, or a number"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("shown_id", "shown_status"),
                    ("direction", "purpose"),
                    ("shown_subject", "operator"),
                    ("moves", "shown_player"),
                    ("reference", "confirmations"),
                    ("error", "attempts"),
                )
            },
        ),
        ("Times", {"fields": (("made", "signed"), ("submitted", "ended"), "due")}),
    )

    def find(self, request: HttpRequest, rows: QuerySet[ChainTransaction], term: str) -> QuerySet[ChainTransaction]:
        """By either id, by what it is about, or by number; each by index."""
        match = Q(subject=term) | (Q(reference=term) & ~Q(reference=""))
        number = as_id(term)
        if number is not None:
            match |= Q(pk=number)
        with suppress(ValueError):
            match |= Q(public_id=UUID(term))
        return rows.filter(match)

    def sections(self, request: HttpRequest, row: ChainTransaction) -> Iterable[Section]:
        """What it moves."""
        first = row.transfers.select_related("source", "target", "payout").order_by("number")[: SHOWN_TRANSFERS + 1]
        rows = [
            (
                formats.row_link(one.source),
                formats.row_link(one.target),
                one.address or formats.NOTHING,
                formats.money(one.units, row.asset.scale, row.asset.code),
                formats.row_link(one.payout) if one.payout else formats.NOTHING,
            )
            for one in first
        ]
        note = f"The first {SHOWN_TRANSFERS}." if len(rows) > SHOWN_TRANSFERS else ""
        head = ("From", "To", "On the chain", "Units", "Payout")
        return (Section("Transfers", head, rows[:SHOWN_TRANSFERS], note=note),)

    @display(description="transaction", ordering="pk")
    def shown_id(self, row: ChainTransaction) -> str:
        """Its public id."""
        return formats.code(row.public_id)

    @display(description="status")
    def shown_status(self, row: ChainTransaction) -> str:
        """Where it stands."""
        return status_badge(row)

    @display(description="of")
    def shown_subject(self, row: ChainTransaction) -> str:
        """Whose escrow it fills or empties."""
        return formats.subject(row.subject)

    @display(description="moves")
    def moves(self, row: ChainTransaction) -> str:
        """The sum of its transfers."""
        return formats.money(row.units, row.asset.scale, row.asset.code)

    @display(description="signed by")
    def shown_player(self, row: ChainTransaction) -> str:
        """Whose payment it is."""
        return formats.row_link(row.player)

    @display(description="created")
    def made(self, row: ChainTransaction) -> str:
        """When it was asked for."""
        return formats.moment(row.created_at, seconds=True)

    @display(description="signed")
    def signed(self, row: ChainTransaction) -> str:
        """When its party agreed."""
        return formats.moment(row.signed_at, seconds=True)

    @display(description="submitted")
    def submitted(self, row: ChainTransaction) -> str:
        """When the chain took it."""
        return formats.moment(row.submitted_at, seconds=True)

    @display(description="ended")
    def ended(self, row: ChainTransaction) -> str:
        """When it was final, failed, or came to nothing."""
        return formats.moment(row.ended_at, seconds=True)

    @display(description="due")
    def due(self, row: ChainTransaction) -> Any:
        """When something is done about it next."""
        return formats.moment_and_distance(row.due_at, now=clock.now())
