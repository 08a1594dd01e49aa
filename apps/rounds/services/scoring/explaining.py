"""Why somebody has the points they have: every round, what it is worth, and why it does not count (podium.md 3)."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection

from apps.rounds.services.scoring import statements
from apps.tournaments.models import Entry, Tournament

# Of the way of judging, told beside the method: another one whenever the same rounds would come to other points.
VERSION = 1


class JudgedRound(NamedTuple):
    """A round as a tournament sees it. `reason` tells why it does not count; None: it does."""

    number: int
    round_id: str
    occurred_at: datetime
    bet: Decimal
    win: Decimal
    currency: str
    points: Decimal | None
    reason: str | None

    @property
    def counted(self) -> bool:
        """Tell whether it is in the points."""
        return self.reason is None


def explain(
    tournament: Tournament, entry: Entry, *, limit: int, offset: int = 0, number: int | None = None
) -> Sequence[JudgedRound]:
    """Return rounds of a player on the games of a tournament, newest first; only that with `number` if it is named."""
    given: dict[str, Any] = {
        "operator": tournament.operator_id,
        "tournament": tournament.pk,
        "entry": entry.pk,
        "since": tournament.created_at,
        "number": number,
        "limit": limit,
        "offset": offset,
    }
    with connection.cursor() as cursor:
        cursor.execute(statements.EXPLAIN, given)
        return [JudgedRound(*row) for row in cursor.fetchall()]
