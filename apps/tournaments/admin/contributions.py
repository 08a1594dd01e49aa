"""What tournaments add to the pages of others: the first page, a player's entries, the approval of a plan."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db.models import Sum
from django.http import HttpRequest

from apps.core import clock
from apps.core.actors import Actor
from apps.core.admin import (
    Operation,
    Panel,
    Preview,
    Section,
    add_operation,
    formats,
    narrow,
    owing,
    panel,
    section_of,
)
from apps.ledger.lifecycle import PayoutStatus
from apps.ledger.models import Balance, OpenPayout, Payout, PlanKind, Rail, SettlementPlan
from apps.operators.models import Player
from apps.tournaments.admin import page, previews
from apps.tournaments.admin.looks import entry_badge, money, points, status_badge
from apps.tournaments.lifecycle import UPCOMING, TournamentStatus
from apps.tournaments.models import Entry, Tournament
from apps.tournaments.services import settlement, tally

SHOWN = 8
OPEN = (
    *UPCOMING,
    TournamentStatus.RUNNING,
    TournamentStatus.SETTLING,
    TournamentStatus.REFUNDING,
    TournamentStatus.FAILED,
)


@section_of("operators.player")
def entries(request: HttpRequest, player: Player) -> Section:  # noqa: ARG001 - the base's signature
    """A player's newest entries."""
    newest = Entry.objects.filter(player=player).select_related("tournament__asset").order_by("-pk")[:SHOWN]
    rows = [
        (
            formats.link(formats.change_url("tournaments.entry", entry.pk), entry.tournament.name),
            status_badge(entry.tournament),
            entry_badge(entry),
            points(entry.points),
            money(entry.tournament, entry.paid_units),
            formats.moment(entry.registered_at),
        )
        for entry in newest
    ]
    return Section(
        "Entries",
        ("Tournament", "It is", "Entry", "Points", "Paid", "Registered"),
        rows,
        empty="Never entered anything.",
        more=("All of them", formats.list_url("tournaments.entry", q=player.external_id)),
    )


def _rows(request: HttpRequest, statuses: tuple[str, ...], order: str) -> list[Tournament]:
    found = narrow(Tournament.objects.filter(status__in=statuses), request.user, "operator_id")
    return list(found.select_related("asset", "operator").order_by(order)[:SHOWN])


def _table(tournaments: list[Tournament], totals: dict[int, tally.Totals], times: str) -> list[tuple[Any, ...]]:
    now = clock.now()
    return [
        (
            formats.row_link(one),
            one.operator.name,
            status_badge(one),
            formats.number(totals[one.pk].players)
            + (f" / {formats.number(one.max_players)}" if one.max_players else ""),
            money(one, totals[one.pk].collected),
            formats.moment_and_distance(getattr(one, times), now=now),
        )
        for one in tournaments
    ]


# More than this many at once are not listed but searched.
MOST_OWING = 1000


@owing
def subjects_owing(user: Any) -> list[str] | None:
    """Tournaments that are paying, refunding, or stuck at it, and buy-ins that go back on their own."""
    statuses = (TournamentStatus.SETTLING, TournamentStatus.REFUNDING, TournamentStatus.FAILED)
    rows = narrow(Tournament.objects.filter(status__in=statuses), user, "operator_id")
    ids = list(rows.values_list("pk", flat=True)[: MOST_OWING + 1])
    going_back = narrow(OpenPayout.objects.filter(rail=Rail.OPERATOR), user, "payout__operator_id")
    single = going_back.filter(plan__subject__startswith="buyin:").values_list("plan__subject", flat=True)
    subjects = [*(f"tournament:{pk}" for pk in ids), *single[: MOST_OWING + 1]]
    return None if len(subjects) > MOST_OWING else subjects


# --- approving, from wherever a payout waits --------------------------------------------------------------------------


def _tournament_of(row: Payout | SettlementPlan) -> Tournament:
    number = int(row.subject.removeprefix("tournament:"))
    found: Tournament = Tournament.objects.select_related("asset").get(pk=number)
    return found


def approve_payouts_beside(payout_id: int, *, actor: Actor, at: datetime) -> int:
    """Approve every waiting payout of a payout's tournament."""
    return settlement.approve_payouts(_tournament_of(Payout.objects.get(pk=payout_id)).pk, actor=actor, at=at)


def approve_plan(plan_id: int, *, actor: Actor, at: datetime) -> int:
    """Approve every waiting payout of a plan's tournament."""
    return settlement.approve_payouts(_tournament_of(SettlementPlan.objects.get(pk=plan_id)).pk, actor=actor, at=at)


def _waits(row: Payout) -> bool:
    return row.status == PayoutStatus.WAITING_APPROVAL and row.subject.startswith("tournament:")


def _has_waiting(plan: SettlementPlan) -> bool:
    ours = plan.kind == PlanKind.SETTLEMENT and plan.subject.startswith("tournament:")
    return ours and page.has_waiting(_tournament_of(plan))


def _waiting(row: Payout | SettlementPlan, at: datetime) -> Preview:
    return previews.waiting(_tournament_of(row), at)


def _approval(label: str, run: Callable[..., int], offered: Callable[[Any], bool]) -> Operation:
    return Operation(
        name="approve-payouts",
        label=label,
        icon="task_alt",
        run=run,
        permission="ledger.approve_payout",
        offered=offered,
        preview=_waiting,
        explain="These payouts were fixed when the tournament was completed. Approving lets all of them move.",
        done=lambda approved: f"{formats.number(approved)} payouts approved.",
    )


add_operation("ledger.payout", _approval("Approve all of its tournament", approve_payouts_beside, _waits))
add_operation("ledger.settlementplan", _approval("Approve payouts", approve_plan, _has_waiting))


# --- the first page ---------------------------------------------------------------------------------------------------

HEADERS = ("Tournament", "Operator", "Status", "Players", "Collected")


@panel(order=10)
def active(request: HttpRequest) -> Panel | None:
    """Tournaments that need eyes now: running, paying, refunding, stuck."""
    if not request.user.has_perm("tournaments.view_tournament"):
        return None
    statuses = tuple(status for status in OPEN if status not in UPCOMING)
    found = _rows(request, statuses, "-pk")
    totals = tally.totals_of([one.pk for one in found])
    return Panel(
        "Active tournaments",
        "podium/panel_table.html",
        {"headers": (*HEADERS, "Started"), "rows": _table(found, totals, "started_at"), "empty": "Nothing is running."},
        wide=True,
        more=("All active", formats.list_url("tournaments.tournament", status__exact="RUNNING")),
    )


@panel(order=15)
def upcoming(request: HttpRequest) -> Panel | None:
    """What starts next."""
    if not request.user.has_perm("tournaments.view_tournament"):
        return None
    found = _rows(request, tuple(UPCOMING), "starts_at")
    totals = tally.totals_of([one.pk for one in found])
    return Panel(
        "Upcoming tournaments",
        "podium/panel_table.html",
        {"headers": (*HEADERS, "Starts"), "rows": _table(found, totals, "starts_at"), "empty": "Nothing is planned."},
        wide=True,
        more=("All upcoming", formats.list_url("tournaments.tournament", status__exact="REGISTERING")),
    )


@panel(order=30)
def escrow(request: HttpRequest) -> Panel | None:
    """What players have paid into competitions that are not over. Those that are over hold exactly nothing."""
    if not request.user.has_perm("ledger.view_account"):
        return None
    open_ones = narrow(Tournament.objects.filter(status__in=OPEN), request.user, "operator_id")
    found = (
        Balance.objects.filter(account_id__in=open_ones.values("escrow_id"), units__gt=0)
        .order_by("account__asset__code")
        .values_list("account__operator__name", "account__asset__code", "account__asset__scale")
        .annotate(total=Sum("units"))
    )
    rows = [(name, code, formats.money(units, scale)) for name, code, scale, units in found]
    return Panel(
        "In escrow",
        "podium/panel_table.html",
        {"headers": ("Operator", "Asset", "Units"), "rows": rows, "empty": "Nothing is in escrow."},
        more=("All escrows", formats.list_url("ledger.account", kind__exact="ESCROW")),
    )
