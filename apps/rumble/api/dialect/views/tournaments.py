"""Tournaments (rumble.md 3.6 to 3.17)."""

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import clock
from apps.rumble.api.dialect import answers, inputs
from apps.rumble.api.dialect.base import ApplicationView, PlayerView, done
from apps.rumble.api.dialect.docs import NOTHING, describe
from apps.rumble.api.dialect.paging import PARAMETERS, page
from apps.rumble.models import RumbleTournament
from apps.rumble.services import boards, participation, tournaments

NAME = "RumbleTournamentsController"


class _TournamentView(ApplicationView):
    def found(self, tournament_id: str) -> RumbleTournament:
        """Return the caller's tournament; another application's is as good as missing."""
        return tournaments.find_tournament(self.application.pk, tournament_id)

    def told(self, rumble: RumbleTournament, *, status: int = 200) -> Response:
        """Answer with a tournament as it is now."""
        return Response(answers.tournament_json(self.found(rumble.public_id)), status=status)


class TournamentsView(_TournamentView):
    """All tournaments of the application."""

    @describe(
        f"{NAME}_create",
        "Create a tournament",
        {201: answers.TournamentOut},
        request=inputs.NewTournamentIn,
        sends={
            "settingsId": "6f0f2c1e-8a55-4a0b-9d0c-0b7e2f6a1c11",
            "registrationFeeInUpx": 120,
            "stakeholderEosId": "brandacct123",
        },
    )
    def post(self, request: Request) -> Response:
        """Make a tournament of settings, with a copy of what stands in them, and its escrow container."""
        body = inputs.NewTournamentIn.read_body(self.body(request))
        made = tournaments.create_tournament(
            self.application,
            settings_public_id=body["settings_id"],
            fee=body.get("registration_fee_in_upx"),
            stakeholder_eos_id=body.get("stakeholder_eos_id") or "",
            actor=self.actor,
            at=clock.now(),
        )
        return self.told(made, status=201)


class TournamentView(_TournamentView):
    """One tournament."""

    @describe(f"{NAME}_findRumbleTournament", "Get a tournament", {200: answers.TournamentOut})
    def get(self, request: Request, id: str) -> Response:
        """Return it as it is now."""
        return Response(answers.tournament_json(self.found(id)))


class JoinView(PlayerView):
    """A player comes in."""

    @describe(f"{NAME}_join", "Register the player whose token this is", {204: NOTHING})
    def post(self, request: Request, id: str) -> Response:
        """Ask the player for the registration fee; they are in when the payment is final. Any body is ignored."""
        connection = self.connection
        rumble = tournaments.find_tournament(connection.application_id, id)
        participation.join(rumble.pk, player_id=connection.player_id, actor=self.actor, at=clock.now())
        return done()


class CloseRegistrationView(_TournamentView):
    """Nobody else comes in."""

    @describe(f"{NAME}_closeRumbleTournamentRegistration", "Close the registration", {204: NOTHING})
    def patch(self, request: Request, id: str) -> Response:
        """Block new participants; the minimum must have been reached."""
        tournaments.close_registration(self.found(id).pk, actor=self.actor, at=clock.now())
        return done()


class StartView(_TournamentView):
    """Play begins."""

    @describe(f"{NAME}_startTournament", "Start a tournament", {204: NOTHING})
    def patch(self, request: Request, id: str) -> Response:
        """Let scores come in; the minimum must have been reached, and no payment may be on its way."""
        tournaments.start(self.found(id).pk, actor=self.actor, at=clock.now())
        return done()


class ScoresView(_TournamentView):
    """Who has how many points."""

    @describe(
        f"{NAME}_registerScores",
        "Register scores",
        {204: NOTHING},
        request=inputs.ScoresIn,
        sends={"scores": [{"userId": "9d1c7b6e-55e7-4f0e-8c55-0a4e5b8a7d01", "value": 812}]},
    )
    def post(self, request: Request, id: str) -> Response:
        """Take scores, all or none of them; sent again, the last one counts."""
        rumble = self.found(id)
        scores = inputs.scores(inputs.ScoresIn.read_body(self.body(request)))
        tournaments.record_scores(rumble.pk, scores, actor=self.actor, at=clock.now())
        return done()


class ResolveView(_TournamentView):
    """The end."""

    @describe(
        f"{NAME}_resolveTournament",
        "Resolve a tournament",
        {200: answers.ScoreboardOut},
        request=inputs.ResolveIn,
        sends={"forceResolutionWithNullScore": False},
    )
    def post(self, request: Request, id: str) -> Response:
        """Rank the players and begin to pay. Returns the final scoreboard."""
        rumble = self.found(id)
        body = inputs.ResolveIn.read_body(self.body(request))
        board = tournaments.resolve(
            rumble.pk, force=body["force_resolution_with_null_score"], actor=self.actor, at=clock.now()
        )
        return Response(answers.scoreboard_json(board))


class CancelView(_TournamentView):
    """It does not take place."""

    @describe(f"{NAME}_cancelTournament", "Cancel a tournament", {200: answers.TournamentOut})
    def post(self, request: Request, id: str) -> Response:
        """Give everybody back what they paid, in full. Any body is ignored."""
        return self.told(tournaments.cancel(self.found(id).pk, actor=self.actor, at=clock.now()))


class ParticipantsView(_TournamentView):
    """Who takes part."""

    @describe(
        f"{NAME}_findRumbleTournamentParticipants",
        "List participants",
        {200: answers.ParticipantPageOut},
        parameters=[*PARAMETERS, OpenApiParameter("status", str, enum=answers.PARTICIPANT_WORDS)],
    )
    def get(self, request: Request, id: str) -> Response:
        """List them, newest first."""
        rows = participation.participants(self.found(id).pk, status=request.query_params.get("status") or None)
        return Response(page(request, rows, answers.participant_json))


class ParticipantView(_TournamentView):
    """One of them."""

    @describe(
        f"{NAME}_getRumbleTournamentParticipantInfo", "Get a participant by user id", {200: answers.ParticipantOut}
    )
    def get(self, request: Request, id: str, userId: str) -> Response:  # noqa: N803 - the wire's
        """Return a player's newest participation."""
        found = participation.participant(self.found(id).pk, user_id=userId)
        return Response(answers.participant_json(found))


class DistributionView(_TournamentView):
    """What would be paid."""

    @describe(
        f"{NAME}_getRumbleTournamentCurrentPrizeDistribution",
        "Get the prizes as they stand",
        {200: answers.DistributionOut},
    )
    def get(self, request: Request, id: str) -> Response:
        """Return the prizes of the present participants; once resolved, the final ones."""
        return Response(answers.distribution_json(boards.distribution(self.found(id))))


class ScoreboardView(_TournamentView):
    """Who leads, or has won."""

    @describe(f"{NAME}_getRumbleTournamentScoreboard", "Get the scoreboard", {200: answers.ScoreboardOut})
    def get(self, request: Request, id: str) -> Response:
        """Return the provisional scoreboard; once resolved, the final one."""
        return Response(answers.scoreboard_json(boards.scoreboard(self.found(id))))
