"""Money at the edge of a wallet: deposits, withdrawals, holds."""

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from apps.core.admin import ChoicesDropdownFilter, TenantAdmin, display, formats
from apps.core.admin.formats import Tone
from apps.ledger.models import Direction, Hold, HoldStatus, Transfer
from apps.operators.admin.players import players_matching

DIRECTION_TONES: dict[str, Tone] = {Direction.DEPOSIT: "green", Direction.WITHDRAWAL: "amber"}
HOLD_TONES: dict[str, Tone] = {HoldStatus.ACTIVE: "amber", HoldStatus.CAPTURED: "blue", HoldStatus.RELEASED: "grey"}


@admin.register(Transfer)
class TransferAdmin(TenantAdmin):
    """Deposits and withdrawals."""

    list_display = ("reference", "shown_direction", "player", "operator", "amount", "after", "when")
    list_select_related = ("operator", "player", "asset")
    list_filter = (("direction", ChoicesDropdownFilter),)
    search_fields = ("reference",)
    search_help_text = "Reference, or a player's user id or name"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("reference", "shown_direction"),
                    ("player", "operator"),
                    ("amount", "after"),
                    ("when", "journal"),
                )
            },
        ),
    )

    def find(self, request: HttpRequest, rows: QuerySet[Transfer], term: str) -> QuerySet[Transfer]:
        """By the operator's reference or by player."""
        return rows.filter(Q(reference=term) | Q(player__in=players_matching(request, term)))

    @display(description="direction", ordering="direction")
    def shown_direction(self, row: Transfer) -> str:
        """Which way."""
        return formats.badge(row.get_direction_display(), formats.tone_of(DIRECTION_TONES, row.direction))

    @display(description="amount")
    def amount(self, row: Transfer) -> str:
        """How much."""
        return formats.money(row.units, row.asset.scale, row.asset.code)

    @display(description="available after")
    def after(self, row: Transfer) -> str:
        """What the wallet held then."""
        return formats.money(row.balance_after, row.asset.scale, row.asset.code)

    @display(description="when", ordering="pk")
    def when(self, row: Transfer) -> str:
        """To the second."""
        return formats.moment(row.created_at, seconds=True)


@admin.register(Hold)
class HoldAdmin(TenantAdmin):
    """Units set aside for one purpose."""

    list_display = ("key", "shown_status", "player", "operator", "amount", "about", "placed")
    list_select_related = ("operator", "player", "asset")
    list_filter = (("status", ChoicesDropdownFilter),)
    search_fields = ("key",)
    search_help_text = "Key, or a player's user id or name"
    fieldsets = (
        (None, {"fields": (("key", "shown_status"), ("player", "operator"), ("amount", "about"), ("placed", "ended"))}),
    )

    def find(self, request: HttpRequest, rows: QuerySet[Hold], term: str) -> QuerySet[Hold]:
        """By key or by player."""
        return rows.filter(Q(key=term) | Q(player__in=players_matching(request, term)))

    @display(description="status", ordering="status")
    def shown_status(self, row: Hold) -> str:
        """Whether the units are still set aside."""
        return formats.badge(row.get_status_display(), formats.tone_of(HOLD_TONES, row.status))

    @display(description="amount")
    def amount(self, row: Hold) -> str:
        """How much."""
        return formats.money(row.units, row.asset.scale, row.asset.code)

    @display(description="for")
    def about(self, row: Hold) -> str:
        """What they were held for."""
        return formats.subject(row.subject)

    @display(description="placed", ordering="pk")
    def placed(self, row: Hold) -> str:
        """When."""
        return formats.moment(row.placed_at, seconds=True)

    @display(description="ended")
    def ended(self, row: Hold) -> str:
        """When they moved on or came back."""
        return formats.moment(row.ended_at, seconds=True)
