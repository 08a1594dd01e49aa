"""What players let games take, and the chips that games make."""

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from apps.core import clock
from apps.core.admin import Operation, ReasonForm, TenantAdmin, display, formats
from apps.operators.admin.players import players_matching
from apps.rooms.admin.looks import money
from apps.rooms.models import Allowance, Chip
from apps.rooms.services import approvals, chips

formats.SUBJECT_PAGES["chip"] = "rooms.chip"


def is_standing(row: Allowance) -> bool:
    """Tell whether a game may still take something."""
    return row.units > 0 and clock.now() < row.expires_at


@admin.register(Allowance)
class AllowanceAdmin(TenantAdmin):
    """Allowances. Players grant them with a one-time code; staff can only take them back."""

    operations = (
        Operation(
            name="revoke",
            label="Revoke",
            icon="money_off",
            danger=True,
            run=approvals.revoke,
            form=ReasonForm,
            permission="rooms.change_allowance",
            offered=is_standing,
            explain="The game may take nothing of this token until the player approves it again.",
            done="Revoked.",
        ),
    )
    list_display = ("shown_player", "game_id", "state", "left", "granted", "operator", "until")
    list_select_related = ("operator", "player", "asset")
    search_fields = ("game_id",)
    search_help_text = "A player's user id, plyrId or name"
    fieldsets = (
        (
            None,
            {"fields": (("shown_player", "state"), ("game_id", "operator"), ("left", "granted"), ("since", "until"))},
        ),
    )

    def find(self, request: HttpRequest, rows: QuerySet[Allowance], term: str) -> QuerySet[Allowance]:
        """By player."""
        return rows.filter(player__in=players_matching(request, term))

    @display(description="player")
    def shown_player(self, row: Allowance) -> str:
        """Whose money it is."""
        return formats.row_link(row.player)

    @display(description="state")
    def state(self, row: Allowance) -> str:
        """Whether it holds."""
        if not row.granted_units:
            return formats.badge("Revoked", "grey")
        if row.expires_at <= clock.now():
            return formats.badge("Over", "grey")
        return formats.badge("Holds", "green") if row.units else formats.badge("Used up", "grey")

    @display(description="left")
    def left(self, row: Allowance) -> str:
        """What the game may still take."""
        return money(row.asset, int(row.units))

    @display(description="of")
    def granted(self, row: Allowance) -> str:
        """What was granted."""
        return money(row.asset, int(row.granted_units))

    @display(description="granted at")
    def since(self, row: Allowance) -> str:
        """When."""
        return formats.moment(row.granted_at, seconds=True)

    @display(description="until")
    def until(self, row: Allowance) -> str:
        """When it ends by itself."""
        return formats.moment(row.expires_at)


@admin.register(Chip)
class ChipAdmin(TenantAdmin):
    """Chips. Their games mint and burn them; here they are only looked at."""

    list_display = ("symbol", "name", "game_id", "shown_asset", "operator", "made")
    list_select_related = ("operator", "asset")
    search_fields = ("symbol",)
    search_help_text = "Symbol, or the id of the token"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("symbol", "name"),
                    ("game_id", "operator"),
                    ("shown_asset", "address"),
                    ("supply", "made"),
                    "image",
                )
            },
        ),
    )

    def find(self, request: HttpRequest, rows: QuerySet[Chip], term: str) -> QuerySet[Chip]:
        """By symbol or token."""
        return rows.filter(Q(symbol__iexact=term) | Q(asset__code=term))

    @display(description="token")
    def shown_asset(self, row: Chip) -> str:
        """The asset in the books."""
        return formats.row_link(row.asset)

    @display(description="address")
    def address(self, row: Chip) -> str:
        """What rooms take for the token."""
        return formats.code(chips.address_of(row))

    @display(description="supply")
    def supply(self, row: Chip) -> str:
        """How much of it is out."""
        return str(chips.supplies([row])[row.asset_id])

    @display(description="made")
    def made(self, row: Chip) -> str:
        """When."""
        return formats.moment(row.created_at)
