"""What an operator offers and to whom: brands and games."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from apps.core.actors import Actor
from apps.core.admin import Operation, OperationForm, TenantAdmin
from apps.operators.models import Brand, Game, Operator
from apps.operators.services import tenants


class BrandForm(OperationForm):
    """A new brand."""

    operator = forms.ModelChoiceField(Operator.objects.none())
    external_id = forms.CharField(max_length=64, label="Brand id", help_text="The operator's own id of it.")
    name = forms.CharField(max_length=120)


class RenameForm(OperationForm):
    """Another name."""

    name = forms.CharField(max_length=120)

    def prepare(self) -> None:
        """Start from the name it has."""
        self.fields["name"].initial = self.row.name  # type: ignore[union-attr]


def add_brand(*, operator: Operator, external_id: str, name: str, actor: Actor, at: datetime) -> Brand:
    """Create a brand, or rename the one that has this id."""
    return tenants.put_brand(operator.pk, external_id=external_id, name=name, actor=actor, at=at)[0]


def rename_brand(brand_id: int, *, name: str, actor: Actor, at: datetime) -> Brand:
    """Rename a brand."""
    brand = Brand.objects.get(pk=brand_id)
    return tenants.put_brand(brand.operator_id, external_id=brand.external_id, name=name, actor=actor, at=at)[0]


@admin.register(Brand)
class BrandAdmin(TenantAdmin):
    """Brands: each has its own players."""

    indexed = None
    creation = Operation(
        name="add", label="Add brand", icon="add", run=add_brand, form=BrandForm, permission="operators.add_brand"
    )
    operations = (
        Operation(
            name="rename",
            label="Rename",
            icon="edit",
            run=rename_brand,
            form=RenameForm,
            permission="operators.change_brand",
            done="Renamed.",
        ),
    )
    list_display = ("name", "external_id", "operator")
    list_select_related = ("operator",)
    search_fields = ("name",)
    search_help_text = "Name or brand id"
    fieldsets = ((None, {"fields": (("name", "external_id"), "operator")}),)

    def find(self, request: HttpRequest, rows: QuerySet[Brand], term: str) -> QuerySet[Brand]:
        """By name or the operator's id; there are few."""
        return rows.filter(Q(name__icontains=term) | Q(external_id=term))


class GameForm(OperationForm):
    """What can be said of a game at any time."""

    display_name = forms.CharField(max_length=120)
    provider = forms.CharField(max_length=120, required=False)
    enabled = forms.BooleanField(required=False, initial=True, help_text="Only enabled games take new tournaments.")
    is_freeround_supported = forms.BooleanField(required=False, label="Free rounds supported")
    icon_url = forms.CharField(max_length=500, required=False, label="Icon address")
    launch_url = forms.CharField(
        max_length=500, required=False, label="Launch address", help_text="{slug} is filled in, ?jwt= is added."
    )

    def prepare(self) -> None:
        """Start from what it is."""
        if self.row is not None:
            for name, field in self.fields.items():
                if name != "ticket":
                    field.initial = getattr(self.row, name)


class NewGameForm(GameForm):
    """A new game."""

    operator = forms.ModelChoiceField(Operator.objects.none())
    slug = forms.CharField(max_length=80, help_text="Its name in the API. Letters, digits, . _ - only; fixed for good.")

    field_order = ("operator", "slug")


def add_game(*, operator: Operator, slug: str, actor: Actor, at: datetime, **said: Any) -> Game:
    """Put a game into the operator's catalogue."""
    return tenants.put_game(operator.pk, slug, tenants.GameChanges(**said), actor=actor, at=at)[0]


def change_game(game_id: int, *, actor: Actor, at: datetime, **said: Any) -> Game:
    """Change a game."""
    game = Game.objects.get(pk=game_id)
    return tenants.put_game(game.operator_id, game.slug, tenants.GameChanges(**said), actor=actor, at=at)[0]


@admin.register(Game)
class GameAdmin(TenantAdmin):
    """The catalogue of games."""

    indexed = None
    creation = Operation(
        name="add", label="Add game", icon="add", run=add_game, form=NewGameForm, permission="operators.add_game"
    )
    operations = (
        Operation(
            name="edit",
            label="Edit",
            submit="Save",
            icon="edit",
            run=change_game,
            form=GameForm,
            permission="operators.change_game",
            done="Saved.",
        ),
    )
    list_display = ("display_name", "slug", "provider", "operator", "enabled", "is_freeround_supported")
    list_select_related = ("operator",)
    list_filter = ("enabled",)
    search_fields = ("slug",)
    search_help_text = "Name, slug or provider"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("display_name", "slug"),
                    ("operator", "provider"),
                    ("enabled", "is_freeround_supported"),
                    ("icon_url", "launch_url"),
                )
            },
        ),
    )

    def find(self, request: HttpRequest, rows: QuerySet[Game], term: str) -> QuerySet[Game]:
        """By name, slug or provider; a catalogue is small."""
        return rows.filter(Q(display_name__icontains=term) | Q(slug__icontains=term) | Q(provider__icontains=term))
