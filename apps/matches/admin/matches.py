"""The list of matches, the page of one, and everything that staff do to one."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest

from apps.core import clock
from apps.core.admin import (
    ChoicesDropdownFilter,
    Operation,
    OwnRelatedFilter,
    ReasonForm,
    Section,
    TenantAdmin,
    display,
    formats,
)
from apps.core.admin.operations import available_transitions
from apps.ledger.admin.books import as_id
from apps.matches.admin import forms, previews, sections, story
from apps.matches.admin.looks import money, status_badge
from apps.matches.lifecycle import PAID_OUT, HandStatus, MatchStatus
from apps.matches.models import HandResult, Match, Participant
from apps.matches.services import correcting, creation, disputing, staff

formats.SUBJECT_PAGES["match"] = "matches.match"

# Teams, and players of one, whose names the list shows.
FEW = 3

HAND = {
    HandStatus.PROPOSED: "Kept to itself. It counts once a second person has entered the same.",
    HandStatus.AGREED: "Both said the same. The match is settled.",
    HandStatus.DISAGREED: "The two differ, so neither counts. Talk to each other, then begin again.",
}


def _said(entered: HandResult) -> str:
    return HAND[HandStatus(entered.status)]


def _was_paid(match: Match) -> bool:
    return match.status in PAID_OUT and match.escrowed_at is not None


def _may_abort(match: Match) -> bool:
    return match.status != MatchStatus.DISPUTED and "abort" in available_transitions(match)


OPERATIONS = (
    Operation(
        name="enter-result",
        label="Settle by hand",
        submit="Enter result",
        icon="edit_note",
        run=staff.enter_result,
        form=forms.BlindForm,
        permission="matches.settle_match",
        offered="decide",
        preview=previews.outcomes,
        explain="It takes two people. What the first enters is shown to nobody; the second enters the result without "
        "seeing it. Only if both say the same is the match settled.",
        done=_said,
    ),
    Operation(
        name="decide-dispute",
        label="Decide dispute",
        icon="gavel",
        run=disputing.decide,
        form=forms.DecisionForm,
        permission="matches.decide_dispute",
        offered="resolve",
        preview=previews.outcomes,
        explain="Decides every open dispute of this match for good, and moves the money at once.",
        done="Decided.",
    ),
    Operation(
        name="forfeit",
        label="Forfeit a team",
        icon="flag",
        run=staff.forfeit,
        form=forms.ForfeitForm,
        log_only=("reason",),
        permission="matches.forfeit_match",
        offered="decide",
        explain="The game is told. If one team is left, it wins and is paid; the usual fee applies.",
        done="Forfeited.",
    ),
    Operation(
        name="correct",
        label="Correct the result",
        icon="published_with_changes",
        danger=True,
        run=correcting.correct,
        form=forms.FirstPlaceForm,
        permission="matches.correct_match",
        offered=_was_paid,
        preview=previews.outcomes,
        explain="What was paid is taken back by the opposite journals and paid anew, as if the right result had come "
        "first. If somebody no longer has the money, nothing moves.",
        done="Corrected.",
    ),
    Operation(
        name="abort",
        label="Abort and refund",
        icon="cancel",
        danger=True,
        run=staff.abort,
        form=ReasonForm,
        permission="matches.abort_match",
        offered=_may_abort,
        preview=previews.refunds,
        explain="Nobody wins. Every stake goes back in full, without a fee.",
        done="Aborted. Every stake went back.",
    ),
    Operation(
        name="cancel",
        label="Cancel",
        icon="cancel",
        danger=True,
        run=creation.cancel,
        form=ReasonForm,
        permission="matches.cancel_match",
        offered="cancel",
        explain="It will not take place. What was reserved is released.",
        done="Cancelled.",
    ),
)


@admin.register(Match)
class MatchAdmin(TenantAdmin):
    """Matches."""

    operations = OPERATIONS
    views = (
        ("All", {}),
        ("Live", {"status__exact": "LIVE"}),
        ("Telling the game", {"status__exact": "NOTIFYING"}),
        ("Held", {"status__exact": "SETTLING"}),
        ("Disputed", {"status__exact": "DISPUTED"}),
        ("Confirming", {"status__exact": "CONFIRMING"}),
        ("Aborted", {"status__exact": "ABORTED"}),
    )
    list_display = ("public_id", "who", "shown_status", "client", "operator", "pot", "fee", "made", "due")
    list_select_related = ("operator", "client", "asset")
    list_filter = (("status", ChoicesDropdownFilter), ("client", OwnRelatedFilter))
    search_fields = ("public_id",)
    search_help_text = "Match id, number, or a participant's id"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("public_id", "shown_status"),
                    ("client", "operator"),
                    ("outcome", "reason"),
                    ("entry_fee", "pot"),
                    ("fee", "rate"),
                    ("needs_review", "rematch_of"),
                )
            },
        ),
        ("Terms", {"fields": (("mode", "delivery"), ("score_order", "tie_policy"), ("submissions", "hold_minutes"))}),
        (
            "Times",
            {
                "fields": (
                    ("made", "confirm_until"),
                    ("escrowed", "lived"),
                    ("result_until", "held"),
                    ("decided", "ended"),
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bring along what every page of a match shows."""
        rows = super().get_queryset(request).select_related("operator", "client", "asset", "rematch_of")
        return rows.prefetch_related(Prefetch("participants", Participant.objects.order_by("pk")))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Take a match's own id as well as its number: that is what subjects name."""
        if not object_id.isdigit() or len(object_id) == 24:  # noqa: PLR2004 - digits of a match id
            found = Match.objects.filter(public_id=object_id).values_list("pk", flat=True).first()
            object_id = str(found or 0)
        return super().get_object(request, object_id, from_field)

    def find(self, request: HttpRequest, rows: QuerySet[Match], term: str) -> QuerySet[Match]:
        """By id, number, or who takes part; each by index."""
        number = as_id(term)
        match = Q(public_id=term.lower())
        if number is not None:
            match |= Q(pk=number)
        exact = list(rows.filter(match).values_list("pk", flat=True)[:10])
        if exact:
            return rows.filter(pk__in=exact)
        return rows.filter(participants__player__external_id=term)

    def sections(self, request: HttpRequest, row: Match) -> Iterable[Section]:
        """Teams, money, what was said, and the story."""
        return (*sections.of(row), story.told(row))

    @display(description="status", ordering="status")
    def shown_status(self, row: Match) -> str:
        """Where it stands."""
        return status_badge(row)

    @display(description="players")
    def who(self, row: Match) -> str:
        """Team against team, as far as there is room for names."""
        teams: dict[int, list[str]] = {}
        for one in row.participants.all():
            teams.setdefault(one.team_id, []).append(one.user_id)
        if len(teams) > FEW or any(len(names) > FEW for names in teams.values()):
            return f"{len(teams)} teams, {sum(map(len, teams.values()))} players"
        first, *others = (", ".join(names) for names in teams.values())
        return formats.lines([first, *(f"v {names}" for names in others)])

    @display(description="entry fee")
    def entry_fee(self, row: Match) -> str:
        """What a participant stakes unless told otherwise."""
        return money(row, row.entry_fee_units) if row.entry_fee_units else "free"

    @display(description="pot")
    def pot(self, row: Match) -> str:
        """What was staked."""
        return money(row, row.pot_units)

    @display(description="fee")
    def fee(self, row: Match) -> str:
        """What the operator took."""
        return money(row, row.fee_units)

    @display(description="fee rate")
    def rate(self, row: Match) -> str:
        """Of the pot."""
        return f"{row.fee_bps / 100:g} %"

    @display(description="reason")
    def reason(self, row: Match) -> str:
        """Why it ended so."""
        return " ".join(part for part in (row.abort_code, row.end_reason) if part) or formats.NOTHING

    @display(description="created", ordering="pk")
    def made(self, row: Match) -> str:
        """When it was created."""
        return formats.moment(row.created_at)

    @display(description="due")
    def due(self, row: Match) -> str:
        """When the clock does something to it."""
        return formats.moment_and_distance(row.due_at, now=clock.now())

    @display(description="confirm by")
    def confirm_until(self, row: Match) -> str:
        """When it is cancelled unless everybody has confirmed."""
        return formats.moment(row.confirm_by)

    @display(description="in escrow")
    def escrowed(self, row: Match) -> str:
        """When the stakes were taken."""
        return formats.moment(row.escrowed_at)

    @display(description="live")
    def lived(self, row: Match) -> str:
        """When play began."""
        return formats.moment(row.live_at)

    @display(description="result by")
    def result_until(self, row: Match) -> str:
        """When it is given up without one."""
        return formats.moment(row.result_by)

    @display(description="held until")
    def held(self, row: Match) -> str:
        """When a held result is paid."""
        return formats.moment(row.held_until)

    @display(description="decided")
    def decided(self, row: Match) -> str:
        """When the outcome was known."""
        return formats.moment(row.decided_at)

    @display(description="ended")
    def ended(self, row: Match) -> str:
        """When it was over."""
        return formats.moment(row.ended_at)
