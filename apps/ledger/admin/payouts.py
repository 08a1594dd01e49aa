"""What is owed: frozen plans and their payouts. Amounts never change; people decide whether and how they move."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpRequest

from apps.core import clock, exact
from apps.core.admin import (
    ChoicesDropdownFilter,
    Operation,
    ReasonForm,
    Section,
    TenantAdmin,
    TextFilter,
    display,
    formats,
    narrow,
    owing_subjects,
)
from apps.core.admin.formats import Tone
from apps.ledger.admin.books import as_id
from apps.ledger.admin.callbacks import remittance_of
from apps.ledger.admin.payout_forms import AddressForm, NoteForm
from apps.ledger.lifecycle import PayoutStatus
from apps.ledger.models import Payout, PlanKind, Purpose, Rail, SettlementPlan
from apps.ledger.services import plans, remitting
from apps.operators.admin.players import players_matching

STATUS_TONES: dict[str, Tone] = {
    PayoutStatus.WAITING_APPROVAL: "amber",
    PayoutStatus.PROCESSING: "blue",
    PayoutStatus.PAID: "green",
    PayoutStatus.ERROR_RETRY: "amber",
    PayoutStatus.ERROR_MANUAL: "red",
    PayoutStatus.NOT_ELIGIBLE: "grey",
}
PURPOSE_TONES: dict[str, Tone] = {
    Purpose.PRIZE: "violet",
    Purpose.REFUND: "blue",
    Purpose.FEE: "grey",
    Purpose.RETURN: "grey",
}


def status_badge(status: str) -> str:
    """Write a payout's state."""
    return formats.badge(PayoutStatus(status).label, formats.tone_of(STATUS_TONES, status))


def award_text(award: str) -> str:
    """Write what is given where it is not money: "40 free rounds of ACME_LUCKY_FOX at 0.25, for 48 h"."""
    told = exact.decoded(award)
    return f"{told['count']} free rounds of {told['gameId']} at {told['value']}, for {told['validHours']} h"


def trouble_of(payout: Payout) -> str:
    """Write why a payout is where it is, and when it is tried again by itself."""
    if payout.status == PayoutStatus.ERROR_RETRY and payout.next_attempt_at is not None:
        again = formats.distance(payout.next_attempt_at, now=clock.now()) or "later"
        return f"{payout.error} Tried {payout.attempts} times; again {again}."
    return payout.error


def goes_to_operator(payout: Payout) -> bool:
    """Tell whether it still has to be sent to the operator."""
    ended = payout.status in (PayoutStatus.PAID, PayoutStatus.NOT_ELIGIBLE)
    return payout.rail == Rail.OPERATOR and not ended


class SubjectFilter(TextFilter):
    """By the number of the tournament."""

    title = "tournament's number"
    parameter_name = "tournament"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Go through the plans, whose index leads to the payouts in order."""
        number = as_id((self.value() or "").strip())
        if number is None:
            return queryset
        owing = SettlementPlan.objects.filter(subject=f"tournament:{number}")
        return queryset.filter(plan__in=owing)


# States in which a payout keeps its competition open.
UNPAID = (
    PayoutStatus.WAITING_APPROVAL,
    PayoutStatus.PROCESSING,
    PayoutStatus.ERROR_RETRY,
    PayoutStatus.ERROR_MANUAL,
)


def in_open_plans(payouts: QuerySet[Payout], user: Any) -> QuerySet[Payout]:
    """Narrow unpaid payouts to the plans that can hold any, whose index leads to them."""
    subjects = owing_subjects(user)
    if subjects is None:
        return payouts
    plans_owing = narrow(SettlementPlan.objects.filter(subject__in=subjects), user, "operator_id")
    return payouts.filter(plan_id__in=list(plans_owing.values_list("pk", flat=True)))


class StatusFilter(ChoicesDropdownFilter):
    """By state; what is unpaid is found through the plans that still owe."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow the list."""
        found: QuerySet[Any] = super().queryset(request, queryset)
        return in_open_plans(found, request.user) if self.value() in UNPAID else found


@admin.register(Payout)
class PayoutAdmin(TenantAdmin):
    """One amount owed to one party."""

    operations = (
        Operation(
            name="retry",
            label="Retry",
            icon="replay",
            run=plans.retry,
            form=ReasonForm,
            log_only=("reason",),
            permission="ledger.retry_payout",
            offered="retry",
            bulk=True,
            explain="The same stored amount is tried again, on the operator's rail under the same two ids. A payout "
            "that was paid meanwhile is not paid twice.",
            done="Back in the queue.",
        ),
        Operation(
            name="settle-outside",
            label="Settled outside",
            icon="handshake",
            danger=True,
            run=plans.settle_outside,
            form=NoteForm,
            permission="ledger.retry_payout",
            offered="settle_outside",
            explain="For a payout that you have paid by other means. Its units move from escrow to the operator's "
            "clearing account, and it is never paid again.",
            done="Closed as settled outside.",
        ),
        Operation(
            name="readdress",
            label="Change the address",
            icon="edit_location",
            run=remitting.readdress,
            form=AddressForm,
            permission="ledger.retry_payout",
            offered=goes_to_operator,
            explain="All payouts of its plan that are not paid yet go there. What they say stays the same, their ids "
            "included. Those that failed are to be retried afterwards.",
            done=lambda moved: f"{formats.number(moved)} payouts go to the new address.",
        ),
        Operation(
            name="reject",
            label="Reject",
            icon="thumb_down",
            danger=True,
            run=plans.reject,
            form=ReasonForm,
            permission="ledger.approve_payout",
            offered="reject",
            bulk=True,
            explain="It will never be paid. Its units stay in escrow until the tournament is closed.",
            done="Rejected.",
        ),
    )
    views = (
        ("All", {}),
        ("Waiting for approval", {"status__exact": "WAITING_APPROVAL"}),
        ("Need a person", {"status__exact": "ERROR_MANUAL"}),
        ("Will be retried", {"status__exact": "ERROR_RETRY"}),
        ("Processing", {"status__exact": "PROCESSING"}),
    )
    list_display = (
        "shown_id",
        "shown_purpose",
        "player",
        "about",
        "position",
        "prize",
        "shown_status",
        "trouble",
        "paid",
    )
    list_select_related = ("operator", "player", "asset")
    list_filter = (
        ("status", StatusFilter),
        ("purpose", ChoicesDropdownFilter),
        ("rail", ChoicesDropdownFilter),
        SubjectFilter,
    )
    search_fields = ("key",)
    search_help_text = "Number, key, or a player's user id or name"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("prize", "shown_status"),
                    ("shown_purpose", "position"),
                    ("player", "about"),
                    ("rail", "operator"),
                    ("shown_key", "shown_plan"),
                )
            },
        ),
        (
            "How it moves",
            {"fields": (("source", "target"), ("attempts", "next_try"), ("paid", "shown_journal"), "trouble")},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """On a payout's own page, what it refers to comes along."""
        rows = super().get_queryset(request)
        match = request.resolver_match
        if match is not None and match.kwargs.get("object_id"):
            rows = rows.select_related("operator", "player", "asset", "plan", "journal", "source", "target")
        return rows

    def find(self, request: HttpRequest, rows: QuerySet[Payout], term: str) -> QuerySet[Payout]:
        """By number, by key, or by player."""
        number = as_id(term)
        match = Q(key=term) | Q(player__in=players_matching(request, term))
        return rows.filter(match | Q(pk=number) if number is not None else match)

    @display(description="payout", ordering="pk")
    def shown_id(self, row: Payout) -> str:
        """Its number."""
        return formats.code(row.pk)

    @display(description="for")
    def shown_purpose(self, row: Payout) -> str:
        """Prize, refund or fee."""
        return formats.badge(row.get_purpose_display(), formats.tone_of(PURPOSE_TONES, row.purpose))

    @display(description="of")
    def about(self, row: Payout) -> str:
        """The competition that owes it."""
        return formats.subject(row.subject)

    def sections(self, request: HttpRequest, row: Payout) -> Iterable[Section]:
        """What the operator is told about it, and every try."""
        return remittance_of(row)

    @display(description="amount")
    def prize(self, row: Payout) -> str:
        """How much, or what else."""
        return award_text(row.award) if row.award else formats.money(row.units, row.asset.scale, row.asset.code)

    @display(description="status", ordering="status")
    def shown_status(self, row: Payout) -> str:
        """Where it stands."""
        return status_badge(row.status)

    @display(description="note")
    def trouble(self, row: Payout) -> str:
        """The error, or the note of a person."""
        return trouble_of(row) or formats.NOTHING

    @display(description="paid")
    def paid(self, row: Payout) -> str:
        """When."""
        return formats.moment(row.paid_at)

    @display(description="key")
    def shown_key(self, row: Payout) -> str:
        """The key of the journal that pays it."""
        return formats.code(row.key)

    @display(description="plan")
    def shown_plan(self, row: Payout) -> str:
        """The plan it is a line of."""
        return formats.row_link(row.plan)

    @display(description="next try")
    def next_try(self, row: Payout) -> str:
        """When it is tried again by itself."""
        return formats.moment(row.next_attempt_at)

    @display(description="journal")
    def shown_journal(self, row: Payout) -> str:
        """The movement that paid it."""
        return formats.row_link(row.journal)


PLAN_TONES: dict[str, Tone] = {PlanKind.SETTLEMENT: "violet", PlanKind.REFUND: "blue"}


@admin.register(SettlementPlan)
class SettlementPlanAdmin(TenantAdmin):
    """The payouts of one competition, computed once and never again."""

    list_display = ("shown_id", "shown_kind", "about", "operator", "lines", "total", "frozen", "frozen_by")
    list_select_related = ("operator", "asset")
    list_filter = (("kind", ChoicesDropdownFilter),)
    search_fields = ("subject",)
    search_help_text = "tournament:17, a tournament's number or a plan's"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("shown_kind", "about"),
                    ("total", "lines"),
                    ("frozen", "frozen_by"),
                    ("operator", "shown_digest"),
                )
            },
        ),
    )

    def find(self, request: HttpRequest, rows: QuerySet[SettlementPlan], term: str) -> QuerySet[SettlementPlan]:
        """By what it ends, or by number."""
        number = as_id(term)
        match = Q(subject=term)
        return rows.filter(match | Q(subject=f"tournament:{term}") | Q(pk=number) if number is not None else match)

    def sections(self, request: HttpRequest, row: SettlementPlan) -> Iterable[Section]:
        """Its payouts, by where they stand."""
        return (payouts_by_status(row),)

    @display(description="plan", ordering="pk")
    def shown_id(self, row: SettlementPlan) -> str:
        """Its number."""
        return formats.code(row.pk)

    @display(description="ends by")
    def shown_kind(self, row: SettlementPlan) -> str:
        """Prizes and fees, or refunds."""
        return formats.badge(row.get_kind_display(), formats.tone_of(PLAN_TONES, row.kind))

    @display(description="of")
    def about(self, row: SettlementPlan) -> str:
        """The competition it ends."""
        return formats.subject(row.subject)

    @display(description="total")
    def total(self, row: SettlementPlan) -> str:
        """The sum of its lines."""
        return formats.money(row.total_units, row.asset.scale, row.asset.code)

    @display(description="frozen", ordering="pk")
    def frozen(self, row: SettlementPlan) -> str:
        """When it was fixed."""
        return formats.moment(row.frozen_at, seconds=True)

    @display(description="SHA-256 of its lines")
    def shown_digest(self, row: SettlementPlan) -> str:
        """Proves that no line has changed."""
        return formats.code(row.digest)


def payouts_by_status(plan: SettlementPlan) -> Section:
    """Return how many payouts of a plan stand where, each with a link to them."""
    found = (
        Payout.objects.filter(plan=plan)
        .order_by("status")
        .values_list("status")
        .annotate(number=Count("pk"), units=Sum("units"))
    )
    number = plan.subject.partition(":")[2]
    rows = [
        (
            status_badge(status),
            formats.link(
                formats.list_url("ledger.payout", tournament=number, status__exact=status), formats.number(count)
            ),
            formats.money(units, plan.asset.scale, plan.asset.code),
        )
        for status, count, units in found
    ]
    return Section(
        "Payouts",
        ("Status", "Number", "Sum"),
        rows,
        empty="Nothing was owed.",
        more=("All of them", formats.list_url("ledger.payout", tournament=number)),
    )
