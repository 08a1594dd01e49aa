"""From models to the bodies of the casino dialect (operators.md 3). Pure: what is needed comes as arguments.

Amounts are JSON numbers in major units, times ISO 8601 in UTC, ids strings of digits.
"""

from apps.tournaments.api.casino.outputs.players import (
    buy_in,
    fee,
    listed_players,
    player_status,
    rebought,
    registered,
    removed,
)
from apps.tournaments.api.casino.outputs.results import by_ordinal, events, history, leaderboard, prize_pool, prizes_now
from apps.tournaments.api.casino.outputs.shared import average, entry_statistics, ordinal, pagination, points_text
from apps.tournaments.api.casino.outputs.tournaments import (
    cancelled,
    created,
    details,
    started,
    status,
    tournament,
    tournament_list,
)

__all__ = [
    "average",
    "buy_in",
    "by_ordinal",
    "cancelled",
    "created",
    "details",
    "entry_statistics",
    "events",
    "fee",
    "history",
    "leaderboard",
    "listed_players",
    "ordinal",
    "pagination",
    "player_status",
    "points_text",
    "prize_pool",
    "prizes_now",
    "rebought",
    "registered",
    "removed",
    "started",
    "status",
    "tournament",
    "tournament_list",
]
