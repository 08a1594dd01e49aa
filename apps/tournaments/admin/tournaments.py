"""The list of tournaments, the page of one, and everything that staff do to one."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.postgres.search import SearchQuery, SearchVector
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from apps.core import clock
from apps.core.admin import (
    ChoicesDropdownFilter,
    DaysFilter,
    Operation,
    OwnRelatedFilter,
    ReasonForm,
    TenantAdmin,
    display,
    formats,
)
from apps.ledger.admin.books import as_id
from apps.tournaments.admin import buyins, drafting, forms, page, previews
from apps.tournaments.admin.looks import money, status_badge
from apps.tournaments.lifecycle import UPCOMING, TournamentStatus
from apps.tournaments.models import Tournament
from apps.tournaments.services import creation, ordering, running, settlement, tally

formats.SUBJECT_PAGES["tournament"] = "tournaments.tournament"


def _cancelled(tournament: Tournament) -> str:
    if tournament.status == TournamentStatus.CANCELED:
        return "Cancelled. Nobody had paid anything."
    return "Cancelled. The refunds are on their way; their bar is below."


def _is_upcoming(tournament: Tournament) -> bool:
    return tournament.status in (TournamentStatus.DRAFT, *UPCOMING) and not drafting.is_rounds_draft(tournament)


OPERATIONS = (
    Operation(
        name="publish",
        label="Publish",
        icon="campaign",
        run=creation.publish,
        permission="tournaments.publish_tournament",
        offered="publish",
        explain="Players may see it and register. If its start time has come, it starts at once.",
        done="Published.",
    ),
    Operation(
        name="start",
        label="Start",
        icon="play_arrow",
        run=running.start,
        permission="tournaments.start_tournament",
        offered="start",
        explain="It starts now, whatever its start time says.",
        done="Started.",
    ),
    Operation(
        name="close-registration",
        label="Close registration",
        icon="door_front",
        run=running.close_registration,
        permission="tournaments.close_registration",
        offered="close_registration",
        explain="Nobody may enter any more. The start stays as planned.",
        done="Registration closed.",
    ),
    Operation(
        name="complete",
        label="Complete",
        icon="flag",
        run=running.complete,
        form=ReasonForm,
        log_only=("reason",),
        permission="tournaments.complete_tournament",
        offered="complete",
        preview=previews.prizes,
        explain="Ends the play. Scores and prizes are fixed as they stand, once and for good.",
        done="Completed. Results are fixed.",
    ),
    Operation(
        name="approve-payouts",
        label="Approve payouts",
        icon="task_alt",
        run=settlement.approve_payouts,
        permission="ledger.approve_payout",
        offered=page.has_waiting,
        preview=previews.waiting,
        explain="These payouts were fixed when the tournament was completed. Approving lets them move.",
        done=lambda approved: f"{formats.number(approved)} payouts approved. Their bar is below.",
    ),
    Operation(
        name="retry-payouts",
        label="Retry failed payouts",
        icon="replay",
        run=settlement.retry_payouts,
        form=ReasonForm,
        log_only=("reason",),
        permission="ledger.retry_payout",
        offered=page.has_failed,
        preview=previews.failed,
        explain="Every payout that failed is tried again now, with the same stored amount and ids.",
        done=lambda again: f"{formats.number(again)} payouts are tried again.",
    ),
    Operation(
        name="invite",
        label="Invite players",
        icon="mail",
        run=buyins.invite,
        form=buyins.InviteForm,
        permission="tournaments.change_tournament",
        offered=buyins.takes_invitations,
        explain="Adds players to the list of those who may join, from a CSV file or typed in. Nobody is taken off it.",
        done=lambda new: f"{formats.number(new)} players are new on the list.",
    ),
    Operation(
        name="resume",
        label="Retry and resume",
        icon="replay",
        run=settlement.resume,
        form=ReasonForm,
        log_only=("reason",),
        permission="tournaments.resume_tournament",
        offered=("resume_settlement", "resume_refunds"),
        preview=previews.failed,
        explain="Every payout that failed is tried again with the same stored amount. Nothing is paid twice.",
        done="Paying on.",
    ),
    Operation(
        name="edit",
        label="Edit",
        submit="Save",
        icon="edit",
        run=creation.update_tournament,
        form=forms.ChangesForm,
        permission="tournaments.change_tournament",
        offered=_is_upcoming,
        done="Saved.",
    ),
    drafting.EDIT,
    drafting.CLONE,
    Operation(
        name="cancel",
        label="Cancel and refund",
        icon="cancel",
        danger=True,
        run=running.cancel,
        form=forms.CancelForm,
        permission="tournaments.cancel_tournament",
        offered="cancel",
        preview=previews.refunds,
        explain="It will not be played to its end, and everything paid goes back, rebuys included. There is no undo.",
        done=_cancelled,
    ),
)


@admin.register(Tournament)
class TournamentAdmin(TenantAdmin):
    """Tournaments."""

    change_form_template = "podium/tournament.html"
    operations = OPERATIONS
    creation = drafting.CREATE
    views = (
        ("All", {}),
        ("Upcoming", {"status__exact": "REGISTERING"}),
        ("Active", {"status__exact": "RUNNING"}),
        ("Paying", {"status__exact": "SETTLING"}),
        ("Refunding", {"status__exact": "REFUNDING"}),
        ("Need attention", {"status__exact": "FAILED"}),
        ("Drafts", {"status__exact": "DRAFT"}),
    )
    indexed = ("pk", "starts_at")
    list_display = ("name", "shown_status", "game", "operator", "starts", "players", "fee", "collected", "shown_id")
    list_select_related = ("operator", "game", "asset")
    list_filter = (("status", ChoicesDropdownFilter), ("game", OwnRelatedFilter), ("starts_at", DaysFilter))
    search_fields = ("name",)
    search_help_text = "Words of the name, external id or number"
    fieldsets = (
        (
            "Entry",
            {
                "fields": (
                    ("entry_mode", "funding"),
                    ("fee", "max_entries"),
                    ("min_players", "max_players"),
                    ("enforce_min_players", "late_registration"),
                    ("rebuy_enabled", "rebuy_fee"),
                    ("rebuy_minutes", "opens"),
                )
            },
        ),
        (
            "Play",
            {
                "fields": (
                    ("tournament_type", "scoring_source"),
                    ("tie_policy", "max_rounds"),
                    ("start_mode", "current_round"),
                    ("room_id", "room_url"),
                    "shown_config",
                )
            },
        ),
        (
            "Prizes and settlement",
            {
                "fields": (
                    ("shares", "guarantee"),
                    ("rake", "rail"),
                    ("needs_approval", "approval_from"),
                    ("payout_url", "debit_url"),
                    ("shown_table", "shown_promo"),
                )
            },
        ),
    )

    # --- lists --------------------------------------------------------------------------------------------------------

    def find(self, request: HttpRequest, rows: QuerySet[Tournament], term: str) -> QuerySet[Tournament]:
        """By number or external id if one is exactly that, else by how the name's words begin; each by index."""
        number = as_id(term)
        match = Q(external_id=term) | Q(pk=number) if number is not None else Q(external_id=term)
        exact = list(rows.filter(match).values_list("pk", flat=True)[:10])
        words = "".join(letter if letter.isalnum() else " " for letter in term).split()
        if exact or not words:
            return rows.filter(pk__in=exact)
        query = SearchQuery(" & ".join(f"{word}:*" for word in words), search_type="raw", config="simple")
        return rows.annotate(words=SearchVector("name", config="simple")).filter(words=query)

    def get_ordering(self, request: HttpRequest) -> Sequence[str]:
        """Newest first; days of the start in their own order, which is also that of the index."""
        if request.GET.get("starts_at_from") or request.GET.get("starts_at_to"):
            return ("starts_at", "pk")
        usual: Sequence[str] = super().get_ordering(request)
        return usual

    def enrich(self, rows: Sequence[Tournament]) -> None:
        """Count the players of a page with one query."""
        totals = tally.totals_of([row.pk for row in rows])
        for row in rows:
            row.page_totals = totals[row.pk]  # type: ignore[attr-defined]

    @display(description="status", ordering="status")
    def shown_status(self, row: Tournament) -> str:
        """Where it stands."""
        return status_badge(row)

    @display(description="starts", ordering="starts_at")
    def starts(self, row: Tournament) -> str:
        """When, and how far off."""
        return formats.moment_and_distance(row.starts_at, now=clock.now())

    @display(description="players")
    def players(self, row: Tournament) -> str:
        """How many of how many."""
        number = formats.number(row.page_totals.players)  # type: ignore[attr-defined]
        return f"{number} / {formats.number(row.max_players)}" if row.max_players else number

    @display(description="fee", ordering="fee_units")
    def fee(self, row: Tournament) -> str:
        """What an entry costs."""
        return money(row, row.fee_units) if row.fee_units else "free"

    @display(description="collected")
    def collected(self, row: Tournament) -> str:
        """What players have paid."""
        return money(row, row.page_totals.collected)  # type: ignore[attr-defined]

    @display(description="number", ordering="pk")
    def shown_id(self, row: Tournament) -> str:
        """Its number."""
        return formats.code(row.pk)

    # --- the page of one ----------------------------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show everything about one tournament."""
        row = self.get_object(request, unquote(object_id))
        extra = dict(extra_context or {})
        if row is not None and self.has_view_permission(request, row):
            extra["page"] = page.describe(row, now=clock.now())
        return super().change_view(request, object_id, form_url, extra)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bring along what every page of a tournament shows."""
        return super().get_queryset(request).select_related("operator", "game", "asset")

    @display(description="rebuy fee")
    def rebuy_fee(self, row: Tournament) -> str:
        """What one more entry costs."""
        return money(row, row.rebuy_fee_units) if row.rebuy_enabled else formats.NOTHING

    @display(description="registration opens")
    def opens(self, row: Tournament) -> str:
        """When players may come."""
        return formats.moment(row.registration_opens_at) if row.registration_opens_at else "when published"

    @display(description="prizes by place")
    def shares(self, row: Tournament) -> str:
        """The percentages, with the number of players they hold from when there are several rules."""
        several = len(row.prize_rules) > 1
        return formats.lines(
            [
                (f"from {rule['minPlayers']} players: " if several else "") + " / ".join(rule["percentages"]) + " %"
                for rule in row.prize_rules
            ]
        )

    @display(description="prizes by rank")
    def shown_table(self, row: Tournament) -> str:
        """The table of prizes, where there is one."""
        return formats.pretty_json(row.prize_table) if row.prize_table else formats.NOTHING

    @display(description="promoRef, as operators are told")
    def shown_promo(self, row: Tournament) -> str:
        """Its reference with the payout API."""
        return formats.code(ordering.promo_ref(row))

    @display(description="guarantee")
    def guarantee(self, row: Tournament) -> str:
        """What the pool is at least."""
        return money(row, row.guarantee_units) if row.guarantee_units else formats.NOTHING

    @display(description="fees")
    def rake(self, row: Tournament) -> str:
        """Every party's share."""
        parties = ("rake", "developer", "stakeholder", "platform")
        found = [f"{party} {bps / 100:g} %" for party in parties if (bps := getattr(row, f"{party}_bps"))]
        return ", ".join(found) or "none"

    @display(description="approval from a pool of")
    def approval_from(self, row: Tournament) -> str:
        """The threshold of its operator when it was made."""
        return money(row, row.approval_from_units)

    @display(description="handed to the game")
    def shown_config(self, row: Tournament) -> str:
        """The game's own settings."""
        return formats.pretty_json(row.config) if row.config else formats.NOTHING

    # --- a new one ----------------------------------------------------------------------------------------------------

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask for the operator first when there are several: games and currencies depend on it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        operators = self.allowing(request, "tournaments.add_tournament")
        asked = request.GET.get("operator", "")
        if asked.isdigit():
            operators = operators.filter(pk=int(asked))
        found = list(operators[:500])
        if len(found) != 1:
            context = {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": "For which operator?",
                "operators": found,
                "scoring": request.GET.get("scoring", ""),
            }
            return TemplateResponse(request, "podium/choose_operator.html", context)
        request.podium_operator = found[0]  # type: ignore[attr-defined]
        return self._operate(request, drafting.creation_for(request, found[0]), None)
