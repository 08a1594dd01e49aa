"""Why somebody stands where they stand, and beginning anew (podium.md 3)."""

from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import clock
from apps.core.clock import iso
from apps.core.numbers import number
from apps.operators.api.access import actor_of
from apps.operators.scopes import Scope
from apps.tournaments import engines
from apps.tournaments.api.casino import docs, inputs, outputs, queries, reads
from apps.tournaments.api.casino.views.base import CasinoView
from apps.tournaments.engines import AccountedRound
from apps.tournaments.services import boards


class ScoreView(CasinoView):
    """What a player's points are made of."""

    scopes = {"get": Scope.RESULTS_READ}
    rate_class = "results"

    @docs.score
    def get(self, request: Request, **path: str) -> Response:
        """Return the rounds, newest first, each with what it is worth."""
        page = queries.rounds(request)
        entry = self.entry()
        account = engines.of(entry.tournament).account(
            entry.tournament, entry, limit=page.limit or queries.DEFAULT_LIMIT, offset=page.offset
        )
        return Response(
            {
                "score": number(entry.points),
                "position": boards.position_of(entry),
                "rule": {"method": account.method, "version": account.version},
                "rounds": [_round(one) for one in account.rounds],
            }
        )


class ResetView(CasinoView):
    """Begin anew, where the tournament allows it."""

    scopes = {"post": Scope.PLAYERS_WRITE}
    rate_class = "registration"

    @docs.reset_score
    def post(self, request: Request, **path: str) -> Response:
        """Set a player's score and used rounds to nothing; what had been reached stays on record."""
        reason, entry = inputs.reset(request.data), self.entry()
        engine = engines.of(entry.tournament)
        entry = engine.reset(entry, reason=reason, by_staff=False, actor=actor_of(request), at=clock.now())
        won = entry.pk in reads.prizes(entry.tournament, [entry.pk])
        position = boards.position_of(entry)
        return Response(outputs.player_status(entry.tournament, entry, position=position, won=won))


def _round(one: AccountedRound) -> dict[str, object]:
    told: dict[str, object] = {
        "roundId": one.round_id,
        "timestamp": iso(one.occurred_at),
        "betAmount": number(one.bet),
        "winAmount": number(one.win),
        "currency": one.currency,
        "points": None if one.points is None else number(one.points),
        "counted": one.reason is None,
    }
    return told if one.reason is None else told | {"reason": one.reason}
