"""What staff set for one game."""

from datetime import datetime

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.core.actors import Actor
from apps.core.admin import Operation, TenantAdmin, display
from apps.operators.models import Operator
from apps.rooms.admin import forms
from apps.rooms.models import GameSettings
from apps.rooms.services import settings


def add_settings(
    *, operator: Operator, game_id: str, earn_fee_percent: int, max_players: int, actor: Actor, at: datetime
) -> GameSettings:
    """Set a game's fee and capacity for the first time, or again."""
    return settings.put_settings(
        operator.pk, game_id, earn_fee_percent=earn_fee_percent, max_players=max_players, actor=actor, at=at
    )


def change_settings(
    settings_id: int, *, earn_fee_percent: int, max_players: int, actor: Actor, at: datetime
) -> GameSettings:
    """Change a game's fee and capacity."""
    row = GameSettings.objects.get(pk=settings_id)
    return settings.put_settings(
        row.operator_id, row.game_id, earn_fee_percent=earn_fee_percent, max_players=max_players, actor=actor, at=at
    )


@admin.register(GameSettings)
class GameSettingsAdmin(TenantAdmin):
    """Fees and capacities, by game. A game without a row has no fee and rooms without a limit."""

    indexed = None
    creation = Operation(
        name="add",
        label="Set up a game",
        icon="add",
        run=add_settings,
        form=forms.NewGameForm,
        permission="rooms.add_gamesettings",
    )
    operations = (
        Operation(
            name="edit",
            label="Edit",
            submit="Save",
            icon="edit",
            run=change_settings,
            form=forms.GameForm,
            permission="rooms.change_gamesettings",
            explain="Holds from the next operation on. What was paid out keeps the fee it was paid out with.",
            done="Saved.",
        ),
    )
    list_display = ("game_id", "fee", "capacity", "operator")
    list_select_related = ("operator",)
    search_fields = ("game_id",)
    search_help_text = "The public name of the game's key"
    fieldsets = ((None, {"fields": (("game_id", "operator"), ("fee", "capacity"))}),)

    def find(self, request: HttpRequest, rows: QuerySet[GameSettings], term: str) -> QuerySet[GameSettings]:
        """By name; there are few."""
        return rows.filter(game_id__icontains=term)

    @display(description="fee on earnings", ordering="earn_fee_percent")
    def fee(self, row: GameSettings) -> str:
        """In percent."""
        return f"{row.earn_fee_percent} %"

    @display(description="players a room takes", ordering="max_players")
    def capacity(self, row: GameSettings) -> str:
        """For rooms that name no number."""
        return str(row.max_players) if row.max_players else "any number"
