"""What could not be counted and waits for staff: why, how often, and the way back into the queue."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from apps.core import clock
from apps.core.admin import Operation, Section, TenantAdmin, display, formats
from apps.core.numbers import number
from apps.rounds.models import Round, SetAsideRecount, SetAsideRound
from apps.rounds.models.aside import SetAside
from apps.rounds.services.scoring import aside

LARGEST_NUMBER = 2**63 - 1


def is_aside(row: SetAside) -> bool:
    """Tell whether it still waits."""
    return row.released_at is None


class AsideAdmin(TenantAdmin):
    """Common to rounds and entries."""

    ordering = ("-set_aside_at", "-pk")
    indexed = None
    views = (("All", {}), ("Set aside now", {"released_at__isnull": "True"}))

    @display(description="state")
    def state(self, row: SetAside) -> str:
        """In one word."""
        return formats.badge("Set aside", "red") if is_aside(row) else formats.badge("Released", "green")

    @display(description="times")
    def shown_times(self, row: SetAside) -> str:
        """How often it could not be counted."""
        return formats.number(row.times)

    @display(description="last set aside", ordering="set_aside_at")
    def since(self, row: SetAside) -> str:
        """When."""
        return formats.moment_and_distance(row.set_aside_at, now=clock.now())

    @display(description="released")
    def released(self, row: SetAside) -> str:
        """When it was put back, or came to need no counting."""
        return formats.moment_and_distance(row.released_at, now=clock.now())

    @display(description="what went wrong")
    def shown_error(self, row: SetAside) -> str:
        """As the database said it."""
        return row.error


@admin.register(SetAsideRound)
class SetAsideRoundAdmin(AsideAdmin):
    """Rounds with which the scorer's statement failed."""

    operations = (
        Operation(
            name="put-back",
            label="Put back",
            icon="replay",
            run=aside.put_back,
            permission="rounds.put_back_setasideround",
            offered=is_aside,
            bulk=True,
            explain="It is counted at once, as if it had never been aside; if the cause is not mended, it is set aside "
            "again. In a tournament that has ended meanwhile it counts no more. A round that is a mistake is voided.",
            done="It is in the queue again.",
        ),
    )
    list_display = ("number", "shown_round", "player", "operator", "state", "shown_times", "since", "shown_error")
    list_select_related = ("operator",)
    search_fields = ("number",)
    search_help_text = "The round's number"
    fieldsets = (
        (None, {"fields": (("number", "state"), ("operator", "came"), ("since", "released"), "shown_times")}),
        ("Why", {"fields": ("shown_error",)}),
    )

    def find(self, request: HttpRequest, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        """By the number."""
        known = term.isascii() and term.isdigit() and int(term[:20]) <= LARGEST_NUMBER
        return rows.filter(pk=int(term)) if known else rows.none()

    def enrich(self, rows: Sequence[Any]) -> None:
        """Add the rounds themselves, those that are still kept."""
        wanted = Q(pk__in=[(row.received_at, row.number) for row in rows])
        found = {one.number: one for one in Round.objects.filter(wanted)} if rows else {}
        for row in rows:
            row.told = found.get(row.number)

    def sections(self, request: HttpRequest, row: SetAsideRound) -> Iterable[Section]:
        """Show the round as it was told."""
        self.enrich([row])
        told: Round | None = row.told  # type: ignore[attr-defined]
        yield Section(
            "The round",
            ("Integration", "Round", "Brand", "Player", "Game", "Type", "Bet", "Win", "Played"),
            [] if told is None else [_cells(told)],
            empty="It is no longer kept.",
        )

    @display(description="round")
    def shown_round(self, row: Any) -> str:
        """Its id with the integration."""
        return formats.code(row.told.round_id) if row.told else formats.NOTHING

    @display(description="player")
    def player(self, row: Any) -> str:
        """Who played it, as the brand calls them."""
        return formats.code(row.told.player_ref) if row.told else formats.NOTHING

    @display(description="came in")
    def came(self, row: SetAsideRound) -> str:
        """When."""
        return formats.moment(row.received_at, seconds=True)


@admin.register(SetAsideRecount)
class SetAsideRecountAdmin(AsideAdmin):
    """Entries that could not be counted anew."""

    operations = (
        Operation(
            name="put-back",
            label="Count anew",
            icon="replay",
            run=aside.put_recount_back,
            permission="rounds.put_back_setasiderecount",
            offered=is_aside,
            bulk=True,
            explain="Its points are made anew of all its rounds; if that fails again, it is set aside again.",
            done="It will be counted anew.",
        ),
    )
    list_display = ("entry", "tournament", "operator", "state", "shown_times", "since", "shown_error")
    list_select_related = ("operator", "entry__tournament", "entry__player")
    search_fields = ("entry__player__external_id",)
    search_help_text = "The player's id"
    fieldsets = (
        (None, {"fields": (("entry", "state"), ("operator", "tournament"), ("since", "released"), "shown_times")}),
        ("Why", {"fields": ("shown_error",)}),
    )

    def find(self, request: HttpRequest, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        """By the player; there are few."""
        return rows.filter(entry__player__external_id=term)

    @display(description="tournament")
    def tournament(self, row: SetAsideRecount) -> str:
        """Where it counts."""
        return formats.row_link(row.entry.tournament)


def _cells(told: Round) -> tuple[object, ...]:
    return (
        formats.code(told.integration),
        formats.code(told.round_id),
        told.brand.external_id,
        formats.code(told.player_ref),
        told.game.slug,
        told.round_type,
        f"{number(told.bet)} {told.currency}",
        f"{number(told.win)} {told.currency}",
        formats.moment(told.occurred_at, seconds=True),
    )
