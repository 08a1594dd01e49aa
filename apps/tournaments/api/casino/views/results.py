"""The board, the results, the prize pool and the events of a tournament (operators.md 3.13 to 3.16)."""

from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import clock
from apps.events.formats import TOO_FREQUENT
from apps.events.models import Fact
from apps.operators.scopes import Scope
from apps.tournaments.api.casino import docs, outputs, queries, reads, standings
from apps.tournaments.api.casino.views.base import CasinoView
from apps.tournaments.services import results, tally


class _ResultsView(CasinoView):
    scopes = {"get": Scope.RESULTS_READ}
    rate_class = "results"


class LeaderboardView(_ResultsView):
    """The ranking."""

    @docs.leaderboard
    def get(self, request: Request, **path: str) -> Response:
        """Return a page of the ranking, or a player with their neighbours."""
        wanted, at = queries.board(request), clock.now()
        found, totals = self.standing()
        return Response(standings.leaderboard(found, totals, wanted, at=at).body)


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
        """Return the events of a tournament, oldest first; score updates only if `type` asks for them."""
        wanted = queries.events(request)
        found = self.tournament()
        facts = Fact.objects.about(found.operator_id, found.subject).of_types(wanted.types)
        if not wanted.types:
            facts = facts.besides_types(TOO_FREQUENT)
        if wanted.since is not None:
            facts = facts.filter(occurred_at__gte=wanted.since)
        page = wanted.page
        shown = list(facts[page.offset : page.stop])
        return Response(outputs.events(found, shown, total=facts.count(), page=page))
