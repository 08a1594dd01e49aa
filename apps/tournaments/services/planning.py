"""What completing or cancelling would pay. One function makes the dry run and the plan that is frozen."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple

from apps.ledger.models import PlanKind, Purpose, Rail
from apps.tournaments import engines, prizes, rules
from apps.tournaments.lifecycle import BuyInStatus, EntryStatus
from apps.tournaments.models import BuyIn, Entry, Funding, TiePolicy, Tournament
from apps.tournaments.prizes import Award, FreeRounds
from apps.tournaments.services import boards, pools, tally


@dataclass(frozen=True, slots=True)
class PreviewLine:
    """One payout that will be: who, what for, base units. `position` is the rank that the player is told.

    `free` is what is given where it is no cash; `units` is its worth then. `refused` says why nobody gets it.
    `debited` is the amount and currency that a refund gives back, where the operator took them itself.
    """

    key: str
    purpose: Purpose
    rail: Rail
    units: int
    name: str
    party: str = ""
    player_id: int | None = None
    entry_id: int | None = None
    position: int | None = None
    free: FreeRounds | None = None
    refused: str = ""
    debited: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """The lines of a settlement or a refund, before or as they are frozen.

    `top_up` is what the operator adds to what was collected, so that all of it can be paid.
    """

    kind: PlanKind
    lines: Sequence[PreviewLine]
    pool: rules.Pool | None = None
    top_up: int = 0

    @property
    def total_units(self) -> int:
        """Everything that will move, in base units."""
        return sum(line.units for line in self.lines)

    @property
    def players(self) -> int:
        """How many players get something."""
        return len({line.player_id for line in self.lines if line.player_id is not None and not line.refused})

    @property
    def worth(self) -> int:
        """What there is to win, in base units: the pool, or the prizes where they are more."""
        won = sum(line.units for line in self.lines if line.purpose == Purpose.PRIZE)
        return max(won, self.pool.total if self.pool else 0)


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
    """Return fees first, then prizes best place first, then what nobody claims and the operator gets back."""
    totals = tally.totals(tournament.pk)
    pool = pools.pool_of(tournament, totals)
    won = _by_table(tournament, pool) if tournament.prize_table else _by_shares(tournament, pool, totals.players)
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
    lines = [*fees, *_prize_lines(tournament, won)]
    if not tournament.prize_table:
        top_up = pool.overlay if len(lines) > len(fees) else 0
        return Preview(PlanKind.SETTLEMENT, lines, pool, max(top_up, 0))
    short = sum(line.units for line in lines) - pool.collected
    if short < 0:
        lines.append(
            PreviewLine(
                key=f"{tournament.subject}:unclaimed",
                purpose=Purpose.RETURN,
                rail=Rail.CLEARING,
                units=-short,
                name="Unclaimed",
            )
        )
    return Preview(PlanKind.SETTLEMENT, lines, pool, max(short, 0))


Won = Sequence[tuple["Ranked", Sequence[Award]]]


def _by_shares(tournament: Tournament, pool: rules.Pool, players: int) -> Won:
    """The casino's way: the whole pool by percentages, shared among those who are there (operators.md 4.6)."""
    amounts = pools.prizes_by_place(tournament, pool.total, players)
    ranked = _best(tournament, len(amounts))
    if len(ranked) < len(amounts):
        # A dry run holds nothing: somebody has left between the counting and the ranking.
        amounts = pools.prizes_by_place(tournament, pool.total, len(ranked))
    if tournament.tie_policy == TiePolicy.SPLIT:
        amounts = rules.split_ties(amounts, [(entry.points, entry.elimination_round) for entry in ranked])
    return [(entry, [Award(units)]) for entry, units in zip(ranked, amounts, strict=True)]


def _by_table(tournament: Tournament, pool: rules.Pool) -> Won:
    """Prizes by rank; what nobody claims is not shared among the others (rounds.md 5.6)."""
    ranked = _best(tournament, prizes.places(tournament.prize_table))
    marks = None
    if tournament.tie_policy == TiePolicy.SPLIT:
        marks = [(entry.points, entry.elimination_round) for entry in ranked]
    given = prizes.awards(
        tournament.prize_table, pool=pool.total, ranked=len(ranked), scale=tournament.asset.scale, marks=marks
    )
    return list(zip(ranked, given, strict=False))


def _prize_lines(tournament: Tournament, won: Won) -> list[PreviewLine]:
    """Return a line for each prize of each place, best first; a player with two prizes has two payouts."""
    winners = [entry.entry_id for entry, given in won if any(award.units for award in given)]
    unfit = engines.of(tournament).unfit(tournament, winners) if winners else {}
    ranked = boards.numbered(tournament, [entry for entry, _ in won])
    return [
        PreviewLine(
            key=f"{tournament.subject}:payout:{entry.entry_id}" + (f":{number}" if number > 1 else ""),
            purpose=Purpose.PRIZE,
            rail=_rail(tournament, award),
            units=award.units,
            name=entry.name,
            player_id=entry.player_id,
            entry_id=entry.entry_id,
            position=rank,
            free=award.free,
            refused=unfit.get(entry.entry_id, ""),
        )
        for (rank, entry), (_, given) in zip(ranked, won, strict=True)
        for number, award in enumerate(given, start=1)
        if award.units
    ]


def _rail(tournament: Tournament, award: Award) -> Rail:
    """Free rounds are no money, and no wallet holds them: the operator is told, by its API or with the fact."""
    if award.free is None or tournament.rail in (Rail.OPERATOR, Rail.CLEARING):
        return Rail(tournament.rail)
    return Rail.OPERATOR if payout_address(tournament) else Rail.CLEARING


def payout_address(tournament: Tournament) -> str:
    """Return where the operator is told of payouts, or nothing."""
    return tournament.payout_url or tournament.operator.settings.payout_url


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
    """Everything paid by everyone who has not been refunded already, oldest entry first.

    What the operator took by its debit API goes back by its payout API, as it was taken (rounds.md 5.8).
    """
    rail = Rail.WALLET if tournament.funding == Funding.WALLET else Rail.CLEARING
    if tournament.rail == Rail.CHAIN:
        rail = Rail.CHAIN
    rows = (
        Entry.objects.filter(tournament=tournament, paid_units__gt=0)
        .exclude(status=EntryStatus.WITHDRAWN)
        .order_by("pk")
        .values_list("pk", "player_id", "display_name", "paid_units")
    )
    taken = {}
    if tournament.debit_url:
        joined = BuyIn.objects.filter(tournament=tournament, status=BuyInStatus.JOINED)
        taken = {row.entry_id: row for row in joined.only("entry_id", "units", "amount", "currency")}
    lines = []
    for entry_id, player_id, name, units in rows:
        key = f"{tournament.subject}:refund:{entry_id}"
        whole = PreviewLine(key, Purpose.REFUND, rail, int(units), name, player_id=player_id, entry_id=entry_id)
        buy_in = taken.get(entry_id)
        if buy_in is None:
            lines.append(whole)
            continue
        debited = (buy_in.amount, buy_in.currency)
        lines.append(replace(whole, rail=Rail.OPERATOR, units=int(buy_in.units), debited=debited))
        if rest := whole.units - int(buy_in.units):
            lines.append(replace(whole, key=f"{key}:rebuys", units=rest))
    return Preview(PlanKind.REFUND, lines)
