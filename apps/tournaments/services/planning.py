"""What completing or cancelling would pay. One function makes the dry run and the plan that is frozen."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from apps.ledger.models import PlanKind, Purpose, Rail
from apps.tournaments import rules
from apps.tournaments.lifecycle import EntryStatus
from apps.tournaments.models import Entry, Funding, TiePolicy, Tournament
from apps.tournaments.services import pools, tally


@dataclass(frozen=True, slots=True)
class PreviewLine:
    """One payout that will be: who, what for, base units."""

    key: str
    purpose: Purpose
    rail: Rail
    units: int
    name: str
    party: str = ""
    player_id: int | None = None
    entry_id: int | None = None
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """The lines of a settlement or a refund, before or as they are frozen."""

    kind: PlanKind
    lines: Sequence[PreviewLine]
    pool: rules.Pool | None = None

    @property
    def total_units(self) -> int:
        """Everything that will move, in base units."""
        return sum(line.units for line in self.lines)

    @property
    def players(self) -> int:
        """How many players get something."""
        return sum(1 for line in self.lines if line.player_id is not None)


class Ranked(NamedTuple):
    """What the plan needs of an entry."""

    entry_id: int
    player_id: int
    name: str
    points: Decimal
    elimination_round: int | None
    paid_units: int


def preview_settlement(tournament_id: int) -> Preview:
    """Return what completing now would pay; nothing is written."""
    return plan_prizes(Tournament.objects.select_related("asset").get(pk=tournament_id))


def preview_refunds(tournament_id: int) -> Preview:
    """Return what cancelling now would pay back; nothing is written."""
    return plan_refunds(Tournament.objects.select_related("asset").get(pk=tournament_id))


def plan_prizes(tournament: Tournament) -> Preview:
    """Return fees first, then prizes best place first; the guarantee's top-up is in `pool.overlay`."""
    totals = tally.totals(tournament.pk)
    pool = pools.pool_of(tournament, totals)
    amounts = pools.prizes_by_place(tournament, pool.total, totals.players)
    ranked = _best(tournament, len(amounts))
    if len(ranked) < len(amounts):
        # A dry run holds nothing: somebody has left between the counting and the ranking.
        amounts = pools.prizes_by_place(tournament, pool.total, len(ranked))
    if tournament.tie_policy == TiePolicy.SPLIT:
        amounts = rules.split_ties(amounts, [(entry.points, entry.elimination_round) for entry in ranked])
    fees = [
        PreviewLine(
            key=f"{tournament.subject}:fee:{party}",
            purpose=Purpose.FEE,
            rail=Rail.CHAIN if tournament.rail == Rail.CHAIN else Rail.CLEARING,
            units=units,
            name=f"{party.capitalize()} fee",
            party=party,
        )
        for party, units in pool.fees.items()
        if units
    ]
    prizes = [
        PreviewLine(
            key=f"{tournament.subject}:payout:{entry.entry_id}",
            purpose=Purpose.PRIZE,
            rail=Rail(tournament.rail),
            units=units,
            name=entry.name,
            player_id=entry.player_id,
            entry_id=entry.entry_id,
            position=place,
        )
        for place, (entry, units) in enumerate(zip(ranked, amounts, strict=True), start=1)
        if units
    ]
    return Preview(PlanKind.SETTLEMENT, [*fees, *prizes], pool)


def _best(tournament: Tournament, places: int) -> list[Ranked]:
    """Return the best entries: as many as there are prizes, and everyone tied with the last of them who may share."""
    if not places:
        return []
    entries = Entry.objects.filter(tournament=tournament).ranked()
    fields = ("pk", "player_id", "display_name", "points", "elimination_round", "paid_units")
    best = [Ranked(*row) for row in entries.values_list(*fields)[:places]]
    if tournament.tie_policy == TiePolicy.SPLIT and best:
        last = best[-1]
        best = [Ranked(*row) for row in entries.filter(points__gte=last.points).values_list(*fields)]
        mark = (last.points, last.elimination_round)
        while len(best) > places and (best[-1].points, best[-1].elimination_round) != mark:
            best.pop()
    return best


def plan_refunds(tournament: Tournament) -> Preview:
    """Everything paid by everyone who has not been refunded already, oldest entry first."""
    rail = Rail.WALLET if tournament.funding == Funding.WALLET else Rail.CLEARING
    if tournament.rail == Rail.CHAIN:
        rail = Rail.CHAIN
    rows = (
        Entry.objects.filter(tournament=tournament, paid_units__gt=0)
        .exclude(status=EntryStatus.WITHDRAWN)
        .order_by("pk")
        .values_list("pk", "player_id", "display_name", "paid_units")
    )
    return Preview(
        PlanKind.REFUND,
        [
            PreviewLine(
                key=f"{tournament.subject}:refund:{entry_id}",
                purpose=Purpose.REFUND,
                rail=rail,
                units=int(units),
                name=name,
                player_id=player_id,
                entry_id=entry_id,
            )
            for entry_id, player_id, name, units in rows
        ],
    )
