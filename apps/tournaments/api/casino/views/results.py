"""The board, the results, the prize pool and the events of a tournament (operators.md 3.13 to 3.16)."""

from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import clock
from apps.events.models import Fact
from apps.operators.scopes import Scope
from apps.tournaments.api.casino import docs, outputs, queries, reads
from apps.tournaments.api.casino.views.base import CasinoView
from apps.tournaments.models import TiePolicy
from apps.tournaments.services import boards, pools, results, tally

NEIGHBOURS = 5


class _ResultsView(CasinoView):
    scopes = {"get": Scope.RESULTS_READ}
    rate_class = "results"


class LeaderboardView(_ResultsView):
    """The ranking."""

    @docs.leaderboard
    def get(self, request: Request, **path: str) -> Response:
        """Return a page of the ranking, or a player with their neighbours."""
        wanted, at = queries.board(request), clock.now()
        (found, totals), page = self.standing(), wanted.page
        if wanted.around is None:
            board = boards.leaderboard(
                found, offset=page.offset, limit=page.limit or 1, include_out=wanted.include_eliminated
            )
        else:
            board = boards.around(found, reads.entry(found, wanted.around), each_side=NEIGHBOURS)
            page = queries.Page(2 * NEIGHBOURS + 1, board.rows[0][0] - 1 if board.rows else 0)
        # Places are worth what the percentages say, unless those who tied have shared them.
        shared = reads.prizes_by_place(found) if found.tie_policy == TiePolicy.SPLIT else None
        return Response(
            outputs.leaderboard(
                found,
                board.rows,
                outputs.prizes_now(found, totals) if shared is None else shared,
                reads.prizes(found, [entry.pk for _, entry in board.rows]),
                pool_units=pools.pool_of(found, totals).total,
                total=board.total,
                page=page,
                last_updated=board.last_updated,
                at=at,
            )
        )


class ResultsView(_ResultsView):
    """The final results."""

    @docs.results
    def get(self, request: Request, **path: str) -> Response:
        """Return who won what, once it is over."""
        return Response(results.outcome(self.tournament()))


class PrizePoolView(_ResultsView):
    """What there is to win."""

    @docs.prize_pool
    def get(self, request: Request, **path: str) -> Response:
        """Return how the pool comes about and what each place is worth."""
        found, at = self.tournament(), clock.now()
        totals = tally.totals(found.pk)
        fixed = reads.prizes_by_place(found)
        prizes = outputs.prizes_now(found, totals) if fixed is None else fixed
        return Response(outputs.prize_pool(found, totals, prizes, final=fixed is not None, at=at))


class EventsView(_ResultsView):
    """What happened."""

    @docs.events
    def get(self, request: Request, **path: str) -> Response:
        """Return the events of a tournament, oldest first."""
        wanted = queries.events(request)
        found = self.tournament()
        facts = Fact.objects.about(found.operator_id, found.subject).of_types(wanted.types)
        if wanted.since is not None:
            facts = facts.filter(occurred_at__gte=wanted.since)
        page = wanted.page
        shown = list(facts[page.offset : page.stop])
        return Response(outputs.events(found, shown, total=facts.count(), page=page))
