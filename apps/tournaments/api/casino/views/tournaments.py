"""Create, list, read, update, start and cancel tournaments (operators.md 3.1 to 3.7)."""

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import clock
from apps.operators.api.access import actor_of
from apps.operators.scopes import Scope
from apps.tournaments.api.casino import docs, inputs, outputs, queries, reads
from apps.tournaments.api.casino.views.base import CasinoView
from apps.tournaments.services import boards, creation, running, settlement, tally
from apps.tournaments.services.tokens import room_of

PREVIEW = 10


class TournamentsView(CasinoView):
    """All tournaments of the operator."""

    scopes = {"post": Scope.TOURNAMENTS_WRITE, "get": Scope.TOURNAMENTS_READ}
    rate_class = {"post": "tournament_creation"}

    @docs.create_tournament
    def post(self, request: Request) -> Response:
        """Create a tournament; one whose start time has come starts at once."""
        new, at = inputs.new_tournament(request.data), clock.now()
        made = creation.create_tournament(new, operator=self.operator, actor=actor_of(request), at=at)
        return Response(outputs.created(made, tally.Totals(), at=at), status.HTTP_201_CREATED)

    @docs.list_tournaments
    def get(self, request: Request) -> Response:
        """List tournaments in the order of their start."""
        wanted, at = queries.tournaments(request), clock.now()
        found, total = reads.tournaments(self.operator.pk, wanted, at=at)
        totals = tally.totals_of(one.pk for one in found)
        return Response(outputs.tournament_list(found, totals, total=total, page=wanted.page, at=at))


class TournamentView(CasinoView):
    """One tournament."""

    # `write_implies_delete` of the operator's settings is honoured where scopes are checked.
    scopes = {"get": Scope.TOURNAMENTS_READ, "put": Scope.TOURNAMENTS_WRITE, "delete": Scope.TOURNAMENTS_DELETE}

    @docs.get_tournament
    def get(self, request: Request, **path: str) -> Response:
        """Return a tournament with its first ten places."""
        found, at = self.tournament(), clock.now()
        best = boards.leaderboard(found, offset=0, limit=PREVIEW, include_out=True).rows
        won = reads.prizes(found, [entry.pk for _, entry in best])
        return Response(outputs.details(found, tally.totals(found.pk), best, won, at=at))

    @docs.update_tournament
    def put(self, request: Request, **path: str) -> Response:
        """Change what is named, before the start."""
        changes, at = inputs.tournament_changes(request.data), clock.now()
        changed = creation.update_tournament(self.tournament().pk, changes, actor=actor_of(request), at=at)
        return Response({"tournament": outputs.tournament(changed, tally.totals(changed.pk), at=at)})

    @docs.cancel_tournament
    def delete(self, request: Request, **path: str) -> Response:
        """Cancel and refund everyone; the refunds are fixed here and paid in the background."""
        reason = inputs.cancellation(request)
        gone = running.cancel(self.tournament().pk, reason=reason, actor=actor_of(request), at=clock.now())
        plan = settlement.plan_of(gone)
        units, players = (int(plan.total_units), plan.lines) if plan else (0, 0)
        return Response(outputs.cancelled(gone, refunded_units=units, players=players))


class StartView(CasinoView):
    """Start by hand."""

    scopes = {"post": Scope.TOURNAMENTS_WRITE}

    @docs.start_tournament
    def post(self, request: Request, **path: str) -> Response:
        """Start now, whatever the plan says."""
        # Nothing is read of the body, but one that is no JSON is refused here as everywhere.
        _, at = request.data, clock.now()
        started = running.start(self.tournament().pk, actor=actor_of(request), at=at)
        return Response(outputs.started(started, tally.totals(started.pk), at=at))


class StatusView(CasinoView):
    """Where a tournament stands."""

    scopes = {"get": Scope.TOURNAMENTS_READ}

    @docs.get_status
    def get(self, request: Request, **path: str) -> Response:
        """Return status, phase and counts."""
        found = self.tournament()
        return Response(outputs.status(found, tally.totals(found.pk), room=room_of(found), at=clock.now()))
