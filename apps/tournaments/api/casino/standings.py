"""The leaderboard of operators.md 3.13, for whoever shows it: the HTTP call and the live sockets."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.tournaments import engines
from apps.tournaments.api.casino import outputs, reads
from apps.tournaments.api.casino.queries import BoardFilter, Page
from apps.tournaments.models import Entry, TiePolicy, Tournament
from apps.tournaments.services import boards, pools
from apps.tournaments.services.tally import Totals

NEIGHBOURS = 5


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """A page of a board: its body on the wire, and the ranks and entries that it shows."""

    body: dict[str, Any]
    rows: list[tuple[int, Entry]]


def leaderboard(found: Tournament, totals: Totals, wanted: BoardFilter, *, at: datetime) -> Leaderboard:
    """Return a page of the ranking, or a player with their neighbours. Raises PlayerNotFound."""
    page = wanted.page
    if wanted.around is None:
        board = boards.leaderboard(
            found, offset=page.offset, limit=page.limit or 1, include_out=wanted.include_eliminated
        )
    else:
        board = boards.around(found, reads.entry(found, wanted.around), each_side=NEIGHBOURS)
        page = Page(2 * NEIGHBOURS + 1, board.offset)
    # Places are worth what the percentages say, unless those who tied have shared them.
    shared = reads.prizes_by_place(found) if found.tie_policy == TiePolicy.SPLIT else None
    body = outputs.leaderboard(
        found,
        board.rows,
        outputs.prizes_now(found, totals) if shared is None else shared,
        reads.prizes(found, [entry.pk for _, entry in board.rows]),
        pool_units=pools.pool_of(found, totals).total,
        total=board.total,
        page=page,
        last_updated=board.last_updated,
        rounds_left=engines.of(found).rounds_left(found, [entry.pk for _, entry in board.rows]),
        at=at,
    )
    return Leaderboard(body, board.rows)
