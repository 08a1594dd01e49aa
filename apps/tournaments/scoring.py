"""How a tournament is scored by game rounds: the policy that is fixed at creation (podium.md 3, rounds.md 5).

It is kept on the tournament as JSON with these names in camelCase, decimals as text, and never changes there.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec

MAX_WINDOW = 1000
DEFAULT_GRACE = 300
# How far a score is kept: digits after the point.
PLACES = 12


class Method(StrEnum):
    """What points are made of (rounds.md 5.2)."""

    WAGERED_AMOUNT = "WAGERED_AMOUNT"
    WIN_BET_RATIO = "WIN_BET_RATIO"
    BEST_MULTIPLIER = "BEST_MULTIPLIER"
    CONSECUTIVE_ROUNDS = "CONSECUTIVE_ROUNDS"
    TOTAL_WIN = "TOTAL_WIN"
    ROUND_COUNT = "ROUND_COUNT"


class Ratio(StrEnum):
    """The two readings of a win/bet ratio: the sum of each round's, or that of the sums."""

    SUM_OF_RATIOS = "SUM_OF_RATIOS"
    RATIO_OF_SUMS = "RATIO_OF_SUMS"


class OptIn(StrEnum):
    """How players join (rounds.md 5.3)."""

    AUTO = "AUTO"
    MANUAL = "MANUAL"
    BUY_IN = "BUY_IN"
    INVITED = "INVITED"


class TieBreak(StrEnum):
    """Who comes first of those with equal points; SHARE_RANK and SPLIT_PRIZE order them by time all the same.

    With SHARE_RANK they are told one rank wherever a rank is told, that of the first of them; the next one's counts all
    before it (1, 2, 2, 4). With both they share what their places are worth together in cash.
    """

    EARLIEST = "EARLIEST"
    LATEST = "LATEST"
    SHARE_RANK = "SHARE_RANK"
    SPLIT_PRIZE = "SPLIT_PRIZE"
    FEWEST_ROUNDS = "FEWEST_ROUNDS"


SHARING = (TieBreak.SHARE_RANK, TieBreak.SPLIT_PRIZE)


class RoundsRail(StrEnum):
    """Where prizes go: to the players' wallets, or by the operator's payout callback."""

    WALLET = "wallet"
    OPERATOR = "operator"


class Invitation(msgspec.Struct, frozen=True, rename="camel"):
    """Somebody who may take part in a tournament of invited players."""

    brand_id: str
    player_id: str


class RoundScoring(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """The policy. Amounts in major units of the tournament's currency, which is the base currency.

    `games` and `brands` hold the operator's own ids; no brand means all of them. `window` is that of
    CONSECUTIVE_ROUNDS, `ratio` the reading of WIN_BET_RATIO. `prizes` is a table of prizes by rank, as it was given.
    """

    method: Method
    games: tuple[str, ...]
    brands: tuple[str, ...] = ()
    round_types: tuple[str, ...] = ("REGULAR",)
    min_bet: Decimal = Decimal(0)
    opt_in: OptIn = OptIn.AUTO
    invited: tuple[Invitation, ...] = ()
    limit_rounds: int | None = None
    min_rounds: int = 0
    window: int | None = None
    ratio: Ratio = Ratio.SUM_OF_RATIOS
    factor: Decimal = Decimal(1)
    grace_seconds: int = DEFAULT_GRACE
    tie_break: TieBreak = TieBreak.EARLIEST
    allow_reset: bool = False
    auto_payout: bool = True
    rail: RoundsRail = RoundsRail.WALLET
    payout_url: str | None = None
    debit_url: str | None = None
    prizes: tuple[dict[str, Any], ...] = ()

    def snapshot(self) -> dict[str, Any]:
        """Return it as it is kept."""
        kept: dict[str, Any] = msgspec.to_builtins(self, builtin_types=())
        return {"source": "rounds"} | kept


def shares_ranks(snapshot: dict[str, Any]) -> bool:
    """Tell whether equal points have one rank; `snapshot` may be empty, for points that the game reports."""
    return bool(snapshot.get("tieBreak") == TieBreak.SHARE_RANK)


def read(snapshot: dict[str, Any]) -> RoundScoring:
    """Return the policy of a tournament that is scored by rounds, from what was kept."""
    return msgspec.convert(snapshot, RoundScoring, strict=False)
