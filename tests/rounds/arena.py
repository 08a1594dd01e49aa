"""A tournament that is scored by rounds, rounds for it, and a scorer that counts when it is told to."""

import itertools
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from typing import Any

from apps.core.actors import SYSTEM
from apps.rounds.models import Score
from apps.rounds.reading import read_batch
from apps.rounds.services import intake
from apps.rounds.services.scoring import scorer
from apps.tournaments.api.casino.scoring import policy
from apps.tournaments.models import Entry, Tournament
from apps.tournaments.services import creation, entries, running
from tests.factories import GAME
from tests.rounds.world import ROUND_GAME, Integration, a_round

WIDE = Context(prec=60)
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
_ids = itertools.count(1)


class Arena(Integration):
    """Everything happens at told moments: tournaments start at noon and last an hour unless told otherwise."""

    def __init__(self, **more: Any) -> None:
        super().__init__(watched=False, **more)

    def open(self, *, method: str = "WAGERED_AMOUNT", hours: float = 1, **scoring: Any) -> Tournament:
        """A running tournament on the one game."""
        wanted = {"source": "rounds", "method": method, "games": [ROUND_GAME]} | scoring
        new = creation.NewTournament(
            name="Sprint",
            game_slug=GAME,
            currency="EUR",
            starts_at=NOON,
            ends_at=NOON + timedelta(hours=hours),
            scoring=policy(wanted, game=GAME),
        )
        made = creation.create_tournament(new, operator=self.operator, actor=SYSTEM, at=NOON - timedelta(minutes=1))
        running.keep_time(made.pk, at=NOON)
        return Tournament.objects.get(pk=made.pk)

    def take(self, *rounds: Mapping[str, Any], at: datetime = NOON) -> None:
        """Take rounds in at a moment, without HTTP."""
        told = read_batch(json.dumps(rounds, default=str).encode())
        intake.take(told, operator_id=self.operator.pk, integration=self.name, at=at)

    def count(self, *, at: datetime = NOON, limit: int | None = None) -> int:
        """Count all that waits; return how many rounds that was."""
        total = 0
        while (done := scorer.count_on(self.operator.pk, at=at, limit=limit)) and done.anything:
            total += done.rounds
        return total

    def join(self, tournament: Tournament, player: str, *, at: datetime = NOON) -> Entry:
        """Opt a player in."""
        return entries.register(
            tournament.pk, user_id=player, display_name=player, brand_id=self.brand.external_id, actor=SYSTEM, at=at
        )


def played(player: str = "ann", bet: Any = 1, win: Any = 0, *, second: float = 0, **more: Any) -> dict[str, Any]:
    """A round that a player finished some seconds after noon."""
    moment = (NOON + timedelta(seconds=second)).isoformat().replace("+00:00", "Z")
    return a_round(roundId=f"p-{next(_ids)}", playerId=player, timestamp=moment, betAmount=bet, winAmount=win, **more)


def board(tournament: Tournament) -> list[tuple[str, Decimal]]:
    """Who has how many points, best first."""
    ranked = Entry.objects.filter(tournament=tournament).select_related("player").ranked()
    return [(entry.player.external_id, entry.points.normalize(WIDE)) for entry in ranked]


def state(tournament: Tournament) -> list[dict[str, Any]]:
    """Everything that counting has written, by player."""
    names = [field.attname for field in Score._meta.fields if field.attname not in ("entry_id", "tournament_id")]
    rows = Score.objects.filter(tournament=tournament).order_by("brand_id", "player_ref").select_related("entry")
    return [
        {name: getattr(row, name) for name in names}
        | {"points": row.entry.points, "scored_at": row.entry.scored_at, "tie_break": row.entry.tie_break}
        for row in rows
    ]
