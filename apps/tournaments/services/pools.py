"""From a tournament and its totals to money: the pool, the prizes by place, the estimate before anyone came."""

from dataclasses import replace

from apps.tournaments import prizes, rules
from apps.tournaments.models import Tournament
from apps.tournaments.services.tally import Totals


def pool_of(tournament: Tournament, totals: Totals) -> rules.Pool:
    """Return the pool as it stands, in base units: max(guarantee, collected less fees).

    Where prizes go by a table, the guarantee is a fixed part to which what was collected is added (rounds.md 5.6).
    """
    pool = rules.pool(
        totals.collected,
        basis_points={
            "rake": tournament.rake_bps,
            "developer": tournament.developer_bps,
            "stakeholder": tournament.stakeholder_bps,
            "platform": tournament.platform_bps,
        },
        guarantee=int(tournament.guarantee_units),
    )
    return replace(pool, total=pool.guarantee + pool.net) if tournament.prize_table else pool


def prizes_by_place(tournament: Tournament, total_units: int, players: int) -> list[int]:
    """Return the base units of each paid place, first place first, for that many ranked players; cash only."""
    if tournament.prize_table:
        given = prizes.awards(tournament.prize_table, pool=total_units, ranked=players, scale=tournament.asset.scale)
        return [sum(award.units for award in row if award.free is None) for row in given]
    shares = rules.percentages_for(tournament.prize_rules, players)
    unclaimed = any(rule.get("unclaimed") == "first" for rule in tournament.prize_rules)
    return rules.prizes(total_units, shares, players, unclaimed_to_first=unclaimed)


def places(tournament: Tournament, players: int) -> int:
    """Return how many places are paid with that many players, whether there are as many or not."""
    if tournament.prize_table:
        return prizes.places(tournament.prize_table)
    return len(rules.percentages_for(tournament.prize_rules, players))


def estimate(tournament: Tournament) -> int:
    """Return what may be won, told at creation (operators.md 4.4): the guarantee, else a full field's fees."""
    if tournament.guarantee_units:
        return int(tournament.guarantee_units)
    return int(tournament.fee_units) * (tournament.max_players or 0)
