"""What a player has played (operators.md 3.17)."""

from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import clock
from apps.operators.scopes import Scope
from apps.operators.services.players import resolve_player
from apps.tournaments.api.casino import docs, outputs, queries, reads
from apps.tournaments.api.casino.views.base import CasinoView
from apps.tournaments.services import tally


class HistoryView(CasinoView):
    """The tournaments of a player."""

    scopes = {"get": (Scope.RESULTS_READ, Scope.PLAYERS_READ)}
    rate_class = "results"

    @docs.history
    def get(self, request: Request, **path: str) -> Response:
        """Return a page of a player's tournaments, newest first, and statistics over all of them."""
        page, per_page = queries.history(request)
        player = resolve_player(self.operator.pk, self.kwargs["userId"])
        entries, statistics = reads.history(player, page=page, per_page=per_page)
        return Response(
            outputs.history(
                player,
                entries,
                tally.totals_of(entry.tournament_id for entry in entries),
                reads.prizes_of_player(player, [entry.pk for entry in entries]),
                statistics,
                number_of_page=page,
                per_page=per_page,
                at=clock.now(),
            )
        )
