"""Dry runs: the lines that the real run would write, told in a person's words."""

from datetime import datetime
from typing import Any

from django.db.models import Count, Sum

from apps.core.admin import Preview, formats
from apps.core.admin.operations import SHOWN_LINES
from apps.ledger.admin.payouts import award_text
from apps.ledger.lifecycle import PayoutStatus
from apps.ledger.models import Payout, Purpose, Rail
from apps.tournaments.admin.looks import money, points
from apps.tournaments.lifecycle import UPCOMING
from apps.tournaments.models import Entry, Tournament
from apps.tournaments.services import planning, settlement, tally

HEADERS = ("Place", "To", "For", "By", "Amount")


def _table(tournament: Tournament, plan: planning.Preview) -> list[tuple[object, ...]]:
    return [
        (
            line.position or "",
            formats.link(formats.change_url("tournaments.entry", line.entry_id), line.name)
            if line.entry_id
            else line.name,
            Purpose(line.purpose).label,
            _by(line),
            _what(tournament, line),
        )
        for line in plan.lines[:SHOWN_LINES]
    ]


def _by(line: planning.PreviewLine) -> object:
    """Write how a line moves, or why it does not."""
    return formats.badge(f"Not eligible: {line.refused}", "grey") if line.refused else Rail(line.rail).label


def _what(tournament: Tournament, line: planning.PreviewLine) -> object:
    """Write what a line gives: money, what the operator took, or free rounds."""
    if line.free is not None:
        free = line.free
        return f"{free.count} free rounds of {free.game} at {free.value}, for {free.valid_hours} h"
    if line.debited is not None:
        return formats.lines([money(tournament, line.units), " ".join(line.debited)])
    return money(tournament, line.units)


def refunds(tournament: Tournament, at: datetime) -> Preview:  # noqa: ARG001 - every preview is told the moment
    """Return what cancelling now would pay back."""
    plan = planning.preview_refunds(tournament.pk)
    totals = tally.totals(tournament.pk)
    return Preview(
        HEADERS[1:],
        [row[1:] for row in _table(tournament, plan)],
        len(plan.lines),
        facts=(
            ("Players now", formats.number(totals.players)),
            ("Refunds", formats.number(len(plan.lines))),
            ("Total", money(tournament, plan.total_units)),
        ),
        note="" if plan.lines else "Nobody has paid anything, so nothing goes back.",
    )


def prizes(tournament: Tournament, at: datetime) -> Preview:  # noqa: ARG001 - likewise
    """Return what completing now would pay."""
    plan = planning.preview_settlement(tournament.pk)
    pool = plan.pool
    facts: list[tuple[str, object]] = [("Payouts", formats.number(len(plan.lines)))]
    if pool is not None:
        facts += [("Collected", money(tournament, pool.collected)), ("Prize pool", money(tournament, pool.total))]
    if plan.top_up:
        facts.append(("Added by the operator", money(tournament, plan.top_up)))
    facts.append(("Total", money(tournament, plan.total_units)))
    threshold = tournament.approval_from_units
    waits = tournament.needs_approval or (threshold is not None and plan.worth >= threshold)
    note = "The payouts will wait for approval." if waits else "The payouts begin at once."
    return Preview(HEADERS, _table(tournament, plan), len(plan.lines), facts=facts, note=note if plan.lines else "")


def waiting(tournament: Tournament, at: datetime) -> Preview:  # noqa: ARG001 - likewise
    """Return the stored payouts that approving would let go."""
    return _stored(tournament, (PayoutStatus.WAITING_APPROVAL,))


def failed(tournament: Tournament, at: datetime) -> Preview:  # noqa: ARG001 - likewise
    """Return the stored payouts that would be tried again."""
    return _stored(tournament, (PayoutStatus.ERROR_RETRY, PayoutStatus.ERROR_MANUAL))


def _stored(tournament: Tournament, statuses: tuple[PayoutStatus, ...]) -> Preview:
    plan = settlement.plan_of(tournament)
    payouts = Payout.objects.filter(plan=plan, status__in=statuses)
    sums = payouts.aggregate(number=Count("pk"), units=Sum("units"))
    rows = [
        (
            payout.position or "",
            formats.row_link(payout.player) if payout.player else "Operator",
            payout.get_purpose_display(),
            payout.get_rail_display(),
            award_text(payout.award) if payout.award else money(tournament, payout.units),
        )
        for payout in payouts.select_related("player").order_by("position", "pk")[:SHOWN_LINES]
    ]
    facts = (("Payouts", formats.number(sums["number"])), ("Total", money(tournament, sums["units"] or 0)))
    return Preview(HEADERS, rows, sums["number"], facts=facts)


def removal(entry: Entry, at: datetime) -> Preview:  # noqa: ARG001 - likewise
    """Return what a player who leaves gets back."""
    tournament = entry.tournament
    early = tournament.status in UPCOMING
    row = (entry.display_name, points(entry.points), money(tournament, entry.paid_units))
    back = money(tournament, entry.paid_units if early else 0)
    note = "" if early else "It is running: nothing is refunded, and the player stays ranked."
    return Preview(("Player", "Points", "Paid", "Gets back"), [(*row, back)], 1, note=note)


def rebuy(entry: Entry, at: datetime) -> Preview:  # noqa: ARG001 - likewise
    """Return what one more entry costs, and how many there may be."""
    tournament = entry.tournament
    facts: list[tuple[str, Any]] = [
        ("Entries now", f"{entry.entry_count} of {tournament.max_entries}"),
        ("Paid so far", money(tournament, entry.paid_units)),
        ("One more costs", money(tournament, tournament.rebuy_fee_units)),
        ("Taken from", tournament.get_funding_display()),
    ]
    return Preview((), (), 0, facts=facts)
