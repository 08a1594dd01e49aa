"""Entries, what staff do to them, and what games reported."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from apps.core.admin import (
    ChoicesDropdownFilter,
    Operation,
    ReasonForm,
    Section,
    TenantAdmin,
    TextFilter,
    display,
    formats,
)
from apps.core.admin.formats import Tone
from apps.ledger.admin.books import as_id
from apps.ledger.admin.payouts import status_badge as payout_badge
from apps.ledger.models import Payout
from apps.operators.admin.players import players_matching
from apps.tournaments.admin import forms, previews
from apps.tournaments.admin.looks import entry_badge, money, points
from apps.tournaments.lifecycle import UPCOMING, EntryStatus, TournamentStatus
from apps.tournaments.models import Entry, GameEvent, ScoringSource
from apps.tournaments.services import boards, entries


class TournamentFilter(TextFilter):
    """By the number of the tournament."""

    title = "tournament's number"
    parameter_name = "tournament"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Only its rows."""
        number = as_id((self.value() or "").strip())
        return queryset if number is None else queryset.filter(tournament_id=number)


def _may_leave(entry: Entry) -> bool:
    return entry.status == EntryStatus.IN and entry.tournament.status in (*UPCOMING, TournamentStatus.RUNNING)


def _may_rebuy(entry: Entry) -> bool:
    tournament = entry.tournament
    open_for_it = tournament.status in (
        TournamentStatus.REGISTERING,
        TournamentStatus.REGISTRATION_CLOSED,
        TournamentStatus.RUNNING,
    )
    room = entry.entry_count < tournament.max_entries
    return bool(tournament.rebuy_enabled and open_for_it and room and entry.status != EntryStatus.WITHDRAWN)


def _may_adjust(entry: Entry) -> bool:
    return _plays(entry) and entry.tournament.scoring_source == ScoringSource.REPORTED


def _may_reset(entry: Entry) -> bool:
    return _plays(entry) and entry.tournament.scoring_source == ScoringSource.ROUNDS


def _plays(entry: Entry) -> bool:
    return bool(entry.tournament.status == TournamentStatus.RUNNING and entry.status != EntryStatus.WITHDRAWN)


@admin.register(Entry)
class EntryAdmin(TenantAdmin):
    """Who is in which tournament."""

    operations = (
        Operation(
            name="remove",
            label="Remove player",
            icon="person_remove",
            danger=True,
            run=entries.remove,
            form=forms.RemovalForm,
            permission="tournaments.remove_entry",
            offered=_may_leave,
            preview=previews.removal,
            done="Removed.",
        ),
        Operation(
            name="rebuy",
            label="Rebuy",
            icon="add_card",
            run=entries.rebuy,
            form=forms.RebuyForm,
            log_only=("reason",),
            permission="tournaments.rebuy_entry",
            offered=_may_rebuy,
            preview=previews.rebuy,
            explain="The player buys more entries. One who is out comes back with the points they had.",
            done="Bought in.",
        ),
        Operation(
            name="adjust-score",
            label="Adjust score",
            icon="exposure",
            run=entries.adjust_score,
            form=forms.ScoreForm,
            permission="tournaments.adjust_entry",
            offered=_may_adjust,
            explain="Sets the points by hand. The place follows at once, and the change is told with its reason.",
            done="Score set.",
        ),
        Operation(
            name="reset-score",
            label="Reset score",
            icon="restart_alt",
            run=entries.reset_score,
            form=ReasonForm,
            permission="tournaments.adjust_entry",
            offered=_may_reset,
            explain="The player begins anew: no points, no rounds used. What had been reached stays on record.",
            done="Score reset.",
        ),
    )
    list_display = (
        "player_name",
        "tournament",
        "shown_status",
        "shown_points",
        "entry_count",
        "paid",
        "operator",
        "registered",
    )
    list_select_related = ("player", "tournament__asset", "operator")
    list_filter = (TournamentFilter,)
    search_fields = ("display_name",)
    search_help_text = "A player's user id, number, or the beginning of their name"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("display_name", "shown_status"),
                    ("player", "tournament"),
                    ("shown_points", "position"),
                    ("entry_count", "paid"),
                    ("registered", "scored"),
                    ("game_id", "payment_id"),
                    ("current_round", "current_group"),
                    ("elimination_round", "left"),
                )
            },
        ),
    )

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """Within one tournament, by state too; over all of them there would be no index for it."""
        filters = super().get_list_filter(request)
        if as_id(request.GET.get("tournament", "")) is not None:
            filters.append(("status", ChoicesDropdownFilter))
        return filters

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bring along what an entry's page and operations ask for."""
        return super().get_queryset(request).select_related("player", "tournament__asset", "operator")

    def find(self, request: HttpRequest, rows: QuerySet[Entry], term: str) -> QuerySet[Entry]:
        """By player, through the index of their entries."""
        return rows.filter(player__in=players_matching(request, term))

    def sections(self, request: HttpRequest, row: Entry) -> Iterable[Section]:
        """What it is owed."""
        owed = Payout.objects.filter(player_id=row.player_id, entry_ref=row.pk, subject=row.tournament.subject)
        rows = [
            (
                formats.row_link(payout, payout.get_purpose_display()),
                payout.position or "",
                money(row.tournament, payout.units),
                payout_badge(payout.status),
                formats.moment(payout.paid_at),
            )
            for payout in owed.order_by("pk")[:20]
        ]
        return (Section("Payouts", ("For", "Place", "Amount", "Status", "Paid"), rows, empty="Nothing is owed."),)

    @display(description="player", ordering="display_name")
    def player_name(self, row: Entry) -> str:
        """The name shown on the board, and the operator's id."""
        return formats.lines([row.display_name, formats.code(row.player.external_id)])

    @display(description="status", ordering="status")
    def shown_status(self, row: Entry) -> str:
        """Where it stands."""
        return entry_badge(row)

    @display(description="points")
    def shown_points(self, row: Entry) -> str:
        """Exactly."""
        return points(row.points)

    @display(description="place")
    @formats.once
    def position(self, row: Entry) -> object:
        """On the board now."""
        return boards.position_of(row) or formats.NOTHING

    @display(description="paid")
    def paid(self, row: Entry) -> str:
        """Everything paid for it, rebuys included."""
        return money(row.tournament, row.paid_units)

    @display(description="registered", ordering="pk")
    def registered(self, row: Entry) -> str:
        """When."""
        return formats.moment(row.registered_at)

    @display(description="points reached")
    def scored(self, row: Entry) -> str:
        """When the present points were reached, by the game's clock."""
        return formats.moment(row.scored_at, seconds=True)

    @display(description="id for the game")
    def game_id(self, row: Entry) -> str:
        """How game servers know it."""
        return formats.code(row.internal_player_id)

    @display(description="left")
    def left(self, row: Entry) -> str:
        """When it went out or withdrew."""
        return formats.moment(row.eliminated_at or row.withdrawn_at)


OUTCOME_TONES: dict[str, Tone] = {"applied": "green", "ignored": "grey", "refused": "red"}


@admin.register(GameEvent)
class GameEventAdmin(TenantAdmin):
    """What game servers reported, as it came."""

    tenant = "tournament__operator_id"
    list_display = ("shown_type", "tournament", "event_id", "shown_outcome", "note", "received")
    list_select_related = ("tournament",)
    list_filter = (TournamentFilter,)
    search_fields = ("event_id",)
    search_help_text = "An event's id"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("shown_type", "shown_outcome"),
                    ("tournament", "event_id"),
                    ("received", "occurred"),
                    "note",
                    "shown_payload",
                )
            },
        ),
    )

    def find(self, request: HttpRequest, rows: QuerySet[GameEvent], term: str) -> QuerySet[GameEvent]:
        """By the game's id of it."""
        return rows.filter(Q(event_id=term))

    @display(description="type", ordering="pk")
    def shown_type(self, row: GameEvent) -> str:
        """What was reported."""
        return row.type

    @display(description="outcome")
    def shown_outcome(self, row: GameEvent) -> str:
        """What became of it."""
        return formats.badge(row.outcome, formats.tone_of(OUTCOME_TONES, row.outcome))

    @display(description="received")
    def received(self, row: GameEvent) -> str:
        """By our clock."""
        return formats.moment(row.received_at, seconds=True)

    @display(description="occurred")
    def occurred(self, row: GameEvent) -> str:
        """By the game's clock."""
        return formats.moment(row.occurred_at, seconds=True)

    @display(description="payload")
    def shown_payload(self, row: GameEvent) -> str:
        """Exactly as it came."""
        return formats.pretty_json(row.payload)
