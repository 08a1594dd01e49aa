"""The page of one tournament: everything a person who runs it needs to see, in one look and few queries."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db.models import Count, Sum
from django.utils.html import format_html

from apps.core.admin import formats
from apps.jobs.admin import bar
from apps.jobs.admin import status_badge as job_badge
from apps.jobs.models import Job
from apps.ledger.admin.payouts import award_text, trouble_of
from apps.ledger.admin.payouts import status_badge as payout_badge
from apps.ledger.lifecycle import PayoutStatus
from apps.ledger.models import Payout, PlanKind, Purpose, SettlementPlan
from apps.ledger.services import accounts
from apps.operators.models import Player
from apps.tournaments import engines, prizes
from apps.tournaments.admin import story
from apps.tournaments.admin.looks import entry_badge, money, points, status_badge
from apps.tournaments.board import LIVE
from apps.tournaments.lifecycle import TournamentStatus as S
from apps.tournaments.models import Entry, Tournament
from apps.tournaments.services import boards, pools, tally, terms
from apps.tournaments.services.tally import Totals

TOP = 20
# A longer table of prizes is not summed up for every look at the page.
MOST_SUMMED = 2000


def describe(tournament: Tournament, *, now: datetime) -> dict[str, Any]:
    """Return what the page's template shows."""
    totals = tally.totals(tournament.pk)
    escrow = accounts.balance(tournament.escrow_id)
    plans = {
        plan.kind: plan
        for plan in SettlementPlan.objects.for_operator(tournament.operator_id).filter(subject=tournament.subject)
    }
    plan = plans.get(PlanKind.REFUND) or plans.get(PlanKind.SETTLEMENT)
    jobs = list(
        Job.objects.for_operator(tournament.operator_id).filter(subject=tournament.subject).order_by("-pk")[:10]
    )
    return {
        "status": status_badge(tournament),
        "facts": _facts(tournament, now),
        "steps": _steps(tournament),
        "numbers": _numbers(tournament, totals, escrow),
        "problem": tournament.problem,
        "board": _board(tournament, totals, plan),
        "money": _money(tournament, totals, escrow, plan),
        "prizes": _prizes(tournament, totals, plan),
        "payouts": _payouts(tournament, plan),
        "payout_headers": ("Status", "For", "Number", "Sum"),
        "job_headers": ("Job", "Status", "Progress", "Asked for"),
        "jobs": [(formats.row_link(job), job_badge(job), bar(job), formats.moment(job.created_at)) for job in jobs],
        "story": story.tell(tournament, jobs),
        "links": _links(tournament),
    }


def _facts(tournament: Tournament, now: datetime) -> list[tuple[str, object]]:
    facts: list[tuple[str, object]] = [
        ("Number", formats.code(tournament.pk)),
        ("Operator", formats.row_link(tournament.operator)),
        ("Game", formats.row_link(tournament.game)),
        ("Starts", formats.moment_and_distance(tournament.starts_at, now=now)),
        ("Ends", formats.moment_and_distance(tournament.ends_at, now=now)),
    ]
    if tournament.external_id:
        facts.insert(1, ("External id", formats.code(tournament.external_id)))
    if tournament.cancel_reason:
        facts.append(("Cancelled because", tournament.cancel_reason))
    return facts


def _steps(tournament: Tournament) -> list[dict[str, object]]:
    """Return the stations of its life, those behind it with their times."""
    t = tournament
    stations: list[tuple[str, datetime | None]] = [
        ("Created", t.created_at),
        ("Published", t.published_at),
        ("Started", t.started_at),
    ]
    if t.cancelled_at:
        stations = [one for one in stations if one[1]]
        stations += [("Cancelled", t.cancelled_at), ("Refunded", t.closed_at)]
    else:
        if t.registration_closed_at:
            stations.insert(2, ("Registration closed", t.registration_closed_at))
        stations += [("Completed", t.completed_at), ("Settled", t.closed_at)]
    wrong = t.status == S.FAILED
    steps: list[dict[str, object]] = [
        {"name": name, "at": formats.moment(at) if at else "", "state": "pd-done" if at else ""}
        for name, at in stations
    ]
    if wrong:
        steps[-1] |= {"state": "pd-wrong", "at": "needs attention"}
    return steps


def _numbers(tournament: Tournament, totals: Totals, escrow: int) -> list[tuple[str, object]]:
    seats = f" / {formats.number(tournament.max_players)}" if tournament.max_players else ""
    pool = pools.pool_of(tournament, totals)
    worth = ("Goes back", pool.collected) if tournament.cancelled_at else _worth(tournament, pool.total)
    return [
        ("Players", f"{formats.number(totals.players)}{seats}"),
        ("Still in", formats.number(totals.active)),
        ("Entries", formats.number(totals.entries)),
        ("Entry fee", money(tournament, tournament.fee_units) if tournament.fee_units else "free"),
        (worth[0], money(tournament, worth[1])),
        ("In escrow", money(tournament, escrow)),
    ]


def _worth(tournament: Tournament, pool: int) -> tuple[str, int]:
    """Return what there is to win: the pool, or what a table of prizes gives if all of its places are taken."""
    places = prizes.places(tournament.prize_table) if tournament.prize_table else 0
    if not 0 < places <= MOST_SUMMED:
        return "Prize pool", pool
    given = prizes.awards(tournament.prize_table, pool=pool, ranked=places, scale=tournament.asset.scale)
    return "All prizes", sum(one.units for row in given for one in row)


def _ranked(tournament: Tournament, totals: Totals) -> tuple[list[tuple[int, Entry]], int]:
    """Return the first places: from the board while it moves, from the rows once nothing moves any more."""
    if tournament.status in LIVE:
        page = boards.leaderboard(tournament, offset=0, limit=TOP, include_out=True)
        return page.rows, page.total
    rows = Entry.objects.filter(tournament=tournament).ranked()[:TOP]
    return boards.numbered(tournament, list(rows)), totals.players


def _board(tournament: Tournament, totals: Totals, plan: SettlementPlan | None) -> dict[str, Any]:
    ranked, total = _ranked(tournament, totals)
    won: Mapping[int, list[Payout]] = {}
    if plan is not None and plan.kind == PlanKind.SETTLEMENT:
        won = _won(plan, [entry.pk for _, entry in ranked])
    left = engines.of(tournament).rounds_left(tournament, [entry.pk for _, entry in ranked])
    costs = bool(tournament.fee_units or tournament.rebuy_enabled)
    head = [
        "Place", "Player", "Brand", "Points", *(["Rounds left"] if left else []),
        *(["Prize type", "Prize", "Payout"] if won else ["Entries", "Paid"] if costs else []), "Status",
    ]  # fmt: skip
    users = _users([entry.player_id for _, entry in ranked])
    rows = []
    for position, entry in ranked:
        row: list[object] = [
            position,
            formats.lines(
                [
                    formats.link(formats.change_url("tournaments.entry", entry.pk), entry.display_name),
                    formats.code(users[entry.player_id][1]),
                ]
            ),
            users[entry.player_id][0],
            points(entry.points),
        ]
        if left:
            row.append(formats.number(left.get(entry.pk, 0)))
        if won:
            row += _given(tournament, won.get(entry.pk, []))
        elif costs:
            row += [entry.entry_count, money(tournament, entry.paid_units)]
        rows.append([*row, entry_badge(entry)])
    return {
        "wide": bool(won),
        "headers": head,
        "rows": rows,
        "total": formats.number(total),
        "more": formats.list_url("tournaments.entry", tournament=tournament.pk),
    }


def _won(plan: SettlementPlan, entry_ids: Sequence[int]) -> dict[int, list[Payout]]:
    """Return the prizes of entries; one may have several."""
    prizes = Payout.objects.filter(plan=plan, purpose=Purpose.PRIZE, entry_ref__in=entry_ids).order_by("pk")
    won: dict[int, list[Payout]] = {}
    for one in prizes:
        won.setdefault(one.entry_ref or 0, []).append(one)
    return won


def _users(player_ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Return brand and own id of players."""
    rows = Player.objects.filter(pk__in=player_ids).values_list("pk", "brand__name", "external_id")
    return {pk: (brand, user_id) for pk, brand, user_id in rows}


def _given(tournament: Tournament, given: Sequence[Payout]) -> list[object]:
    """Return the cells of what somebody won: what it is, how much, and where it stands."""
    kinds = ["Free rounds" if one.award else "Cash" for one in given]
    prizes = [_prize(tournament, one) for one in given]
    return [formats.lines(kinds), formats.lines(prizes), formats.lines(_standing(given))]


def _prize(tournament: Tournament, one: Payout) -> object:
    return award_text(one.award) if one.award else money(tournament, one.units)


def _standing(given: Sequence[Payout]) -> list[object]:
    """Return where payouts stand, with the reason where somebody has to know it."""
    return [
        format_html('<a href="{}" title="{}">{}</a>', formats.change_url("ledger.payout", one.pk), trouble, badge)
        for one in given
        for trouble, badge in ((trouble_of(one), payout_badge(one.status)),)
    ]


def _money(tournament: Tournament, totals: Totals, escrow: int, plan: SettlementPlan | None) -> list[dict[str, object]]:
    """Return the sum as people write it: collected, less fees, up to the guarantee, makes the pool."""
    pool = pools.pool_of(tournament, totals)
    rows: list[tuple[str, int, bool]] = [
        ("Entry fees", totals.first_fee_units, False),
        ("Rebuys", totals.rebuy_units, False),
        ("Collected", pool.collected, True),
    ]
    if tournament.cancelled_at:
        rows.append(("All of it goes back", pool.collected, False))
    else:
        rows += [(f"{party.capitalize()} fee", -units, False) for party, units in pool.fees.items()]
        if pool.guarantee:
            rows.append((f"Added for the guarantee of {_plain(tournament, pool.guarantee)}", pool.overlay, False))
        rows.append(("Prize pool", pool.total, True))
        if tournament.prize_table and plan is not None:
            rows.append(("Prizes and fees by the plan", int(plan.total_units), False))
    rows.append(("In escrow now", escrow, False))
    return [{"name": name, "units": money(tournament, units), "total": total} for name, units, total in rows]


def _plain(tournament: Tournament, units: int) -> str:
    return formats.amount(units, tournament.asset.scale, tournament.asset.code)


def _prizes(tournament: Tournament, totals: Totals, plan: SettlementPlan | None) -> dict[str, Any]:
    """Return what each place would get if it ended now; once results are fixed the payouts tell it."""
    if plan is not None or tournament.status in (S.CANCELED, S.REFUNDING):
        return {"rows": []}
    pool = pools.pool_of(tournament, totals)
    if tournament.prize_table:
        return _table(tournament, pool.total)
    amounts = pools.prizes_by_place(tournament, pool.total, totals.players)
    rows = [(place, money(tournament, units)) for place, units in enumerate(amounts[:TOP], start=1)]
    return {"rows": rows, "more": max(0, len(amounts) - TOP)}


def _table(tournament: Tournament, pool: int) -> dict[str, Any]:
    """Return what each place of the table would get; what can't be given is said before it is published."""
    scale, places = tournament.asset.scale, prizes.places(tournament.prize_table)
    given = prizes.awards(tournament.prize_table, pool=pool, ranked=min(places, TOP), scale=scale)
    rows: list[tuple[object, object]] = []
    for row, some in groupby(enumerate(given, start=1), key=itemgetter(1)):
        ranks = [place for place, _ in some]
        if row:
            span = str(ranks[0]) if len(ranks) == 1 else f"{ranks[0]} to {ranks[-1]}"
            rows.append((span, formats.lines([_award(tournament, one) for one in row])))
    problems = terms.impossible_prizes(tournament) if tournament.status == S.DRAFT else []
    return {"rows": rows, "more": max(0, places - TOP), "problems": problems}


def _award(tournament: Tournament, one: prizes.Award) -> object:
    if one.free is None:
        return money(tournament, one.units)
    return f"{one.free.count} free rounds of {one.free.game} at {one.free.value}, for {one.free.valid_hours} h"


def _payouts(tournament: Tournament, plan: SettlementPlan | None) -> list[tuple[object, ...]]:
    """Return how many payouts stand where, each with a link to them."""
    if plan is None:
        return []
    found = list(
        Payout.objects.filter(plan=plan)
        .order_by("status", "purpose")
        .values_list("status", "purpose")
        .annotate(number=Count("pk"), units=Sum("units"))
    )
    # The button for approving asks the same; it need not ask again.
    tournament.podium_waiting = any(row[0] == PayoutStatus.WAITING_APPROVAL for row in found)  # type: ignore[attr-defined]
    return [
        (
            payout_badge(status),
            Purpose(purpose).label,
            formats.link(
                formats.list_url(
                    "ledger.payout", tournament=tournament.pk, status__exact=status, purpose__exact=purpose
                ),
                formats.number(number),
            ),
            money(tournament, units),
        )
        for status, purpose, number, units in found
    ]


def has_failed(tournament: Tournament) -> bool:
    """Tell whether payouts wait for their next try, or for a person, while the others go on."""
    return (
        tournament.status in (S.SETTLING, S.REFUNDING)
        and Payout.objects.filter(
            plan__operator_id=tournament.operator_id,
            plan__subject=tournament.subject,
            open__status__in=(PayoutStatus.ERROR_RETRY, PayoutStatus.ERROR_MANUAL),
        ).exists()
    )


def has_waiting(tournament: Tournament) -> bool:
    """Tell whether payouts of a completed tournament wait for approval."""
    if tournament.status not in (S.SETTLING, S.FAILED) or tournament.cancelled_at:
        return False
    known: bool | None = getattr(tournament, "podium_waiting", None)
    return (
        known
        if known is not None
        else Payout.objects.filter(
            plan__operator_id=tournament.operator_id,
            plan__subject=tournament.subject,
            plan__kind=PlanKind.SETTLEMENT,
            status=PayoutStatus.WAITING_APPROVAL,
        ).exists()
    )


def _links(tournament: Tournament) -> list[object]:
    subject = tournament.subject
    return [
        formats.link(formats.list_url("tournaments.entry", tournament=tournament.pk), "Entries"),
        formats.link(formats.list_url("ledger.journal", q=subject), "Journals"),
        formats.link(formats.list_url("events.fact", subject=subject), "Facts"),
        formats.link(formats.list_url("ledger.payout", tournament=tournament.pk), "Payouts"),
        formats.link(formats.list_url("tournaments.gameevent", tournament=tournament.pk), "Game events"),
        formats.link(formats.list_url("tournaments.buyin", q=tournament.pk), "Buy-ins"),
        formats.link(formats.list_url("tournaments.invitation", tournament=tournament.pk), "Invited"),
        formats.link(formats.change_url("ledger.account", tournament.escrow_id), "Escrow account"),
    ]
