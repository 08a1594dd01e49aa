"""What a tournament is worth and who gets what: pure integer arithmetic (operators.md 4.4, 4.6)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from typing import Any

from apps.core.errors import Invalid

HUNDRED = Fraction(100)
TOLERANCE = Decimal("0.01")
DEFAULT_PERCENTAGES = (Decimal(50), Decimal(30), Decimal(20))


@dataclass(frozen=True, slots=True)
class Pool:
    """What was collected and what becomes of it, in base units.

    `collected + overlay == total + sum(fees)` once there is somebody to pay.
    """

    collected: int
    fees: Mapping[str, int] = field(default_factory=dict)
    guarantee: int = 0
    total: int = 0

    @property
    def net(self) -> int:
        """What the players paid, less the fees."""
        return self.collected - sum(self.fees.values())

    @property
    def overlay(self) -> int:
        """What the operator adds so that the guarantee holds."""
        return self.total - self.net


def pool(collected: int, *, basis_points: Mapping[str, int], guarantee: int) -> Pool:
    """Return max(guarantee, collected less fees); every fee is rounded down."""
    fees = {party: collected * bps // 10_000 for party, bps in basis_points.items() if bps}
    net = collected - sum(fees.values())
    return Pool(collected, fees, guarantee, max(guarantee, net))


def check_percentages(percentages: Sequence[Decimal]) -> None:
    """Raise Invalid unless the shares are positive and add up to 100 within 0.01."""
    if not percentages or min(percentages) <= 0:
        raise Invalid("Prize percentages must be above zero.", fields={"prize_pool": ["Not above zero."]})
    if abs(sum(percentages, Decimal(-100))) > TOLERANCE:
        raise Invalid("Prize percentages must add up to 100.", fields={"prize_pool": ["Must add up to 100."]})


def percentages_for(rules: Sequence[Mapping[str, Any]], players: int) -> tuple[Decimal, ...]:
    """Return the shares of the last rule whose `minPlayers` is reached; the first rule when none is."""
    fitting = [rule for rule in rules if rule["minPlayers"] <= players] or list(rules[:1])
    return tuple(Decimal(share) for share in fitting[-1]["percentages"]) if fitting else ()


def prizes(
    total: int, percentages: Sequence[Decimal], finishers: int, *, unclaimed_to_first: bool = False
) -> list[int]:
    """Share `total` by place: each share rounded down, the odd units to the first place.

    With fewer finishers than places the shares are taken over the places that exist, or those of the others go to the
    first place as well (`unclaimed_to_first`, rumble.md 5.2). Nobody to pay: no prizes.
    """
    places = [Fraction(share) for share in percentages[:finishers]]
    if not places or total <= 0:
        return []
    fewer = len(places) < len(percentages) and not unclaimed_to_first
    whole = sum(places) if fewer else max(HUNDRED, sum(places))
    parts = [int(total * share // whole) for share in places]
    parts[0] += total - sum(parts)
    return parts


def split_ties(amounts: Sequence[int], marks: Sequence[object]) -> list[int]:
    """Let equal marks share what their places are worth together; the odd units one by one from the best placed.

    `marks` has one mark per ranked player, best first, and is at least as long as `amounts`.
    """
    worth = [*amounts, *([0] * (len(marks) - len(amounts)))]
    shared: list[int] = []
    for _, group in groupby(range(len(marks)), key=marks.__getitem__):
        places = list(group)
        each, odd = divmod(sum(worth[place] for place in places), len(places))
        shared += [each + (index < odd) for index in range(len(places))]
    return shared


def share_ranks(places: Sequence[int], marks: Sequence[object]) -> list[int]:
    """Return the rank of each place, best first: equal marks have that of the first of them (1, 2, 2, 4)."""
    ranks: list[int] = []
    for index, place in enumerate(places):
        ranks.append(ranks[-1] if index and marks[index] == marks[index - 1] else place)
    return ranks
