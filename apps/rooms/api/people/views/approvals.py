"""What players let games take (rooms.md 3.30)."""

from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import clock
from apps.rooms.api import values
from apps.rooms.api.base import GameView
from apps.rooms.api.people import answers, inputs
from apps.rooms.api.people.base import CodeView
from apps.rooms.api.people.docs import logins as docs
from apps.rooms.services import approvals, profiles

LONGEST_SIGNATURE = 4096


class ApproveView(CodeView):
    """Grant. The body may name any game of the operator: the player has consented with their code."""

    http_method_names = ["post"]

    @docs.APPROVE
    def post(self, request: Request) -> Response:
        """Replace what a player lets a game take of tokens."""
        fields, at = inputs.fields_of(request), clock.now()
        uid = inputs.uid(fields)
        approvals.approve(
            self.operator_id,
            plyr_id=values.text(fields, "plyrId"),
            code=inputs.code(fields),
            game_id=inputs.game(fields),
            grants=inputs.grants(fields, operator_id=self.operator_id),
            seconds=inputs.seconds(fields, default=approvals.DEFAULT_SECONDS),
            actor=self.actor,
            at=at,
        )
        answer = {"message": "Approved", "success": True}
        self.hand_over(uid, answer, at)
        return Response(answer)


class RevokeView(CodeView):
    """Take back."""

    http_method_names = ["post"]

    @docs.REVOKE
    def post(self, request: Request) -> Response:
        """Take back what a player lets a game take; `all` stands for every token, or every game."""
        fields = inputs.fields_of(request)
        approvals.revoke_with_code(
            self.operator_id,
            plyr_id=values.text(fields, "plyrId"),
            code=inputs.code(fields),
            game_id=inputs.game(fields),
            token=inputs.token(fields),
            actor=self.actor,
            at=clock.now(),
        )
        return Response({"message": "Revoked"})


class RevokeBySignatureView(GameView):
    """The original's other way to revoke, with the signature of the player's wallet."""

    http_method_names = ["post"]

    @docs.REVOKE_BY_SIGNATURE
    def post(self, request: Request) -> Response:
        """Refuse: wallets here are accounts in the books without a key, so no signature is theirs."""
        fields = inputs.fields_of(request)
        for name in ("gameId", "token", "signature"):
            values.text(fields, name, longest=LONGEST_SIGNATURE)
        profiles.called(self.operator_id, values.text(fields, "plyrId"))
        raise approvals.WalletsDontSign


class AllowanceView(GameView):
    """One allowance."""

    http_method_names = ["get", "head"]

    @docs.ALLOWANCE
    def get(self, request: Request, plyrId: str, gameId: str, token: str) -> Response:  # noqa: N803
        """Return what is left of what a player lets a game take of a token."""
        player = profiles.called(self.operator_id, plyrId)
        game_id = approvals.game_called(self.operator_id, gameId)
        return Response(answers.allowance(approvals.allowance(player, game_id=game_id, token=token, at=clock.now())))


class AllowancesView(GameView):
    """All of them."""

    http_method_names = ["get", "head"]

    @docs.ALLOWANCES
    def get(self, request: Request, plyrId: str) -> Response:  # noqa: N803
        """Return what a player lets games take."""
        return self.listed(plyrId, None)

    def listed(self, plyr_id: str, game_id: str | None) -> Response:
        """List those that hold now."""
        player = profiles.called(self.operator_id, plyr_id)
        found = approvals.standing(player, game_id=game_id, at=clock.now())
        return Response({"allowances": [answers.allowance_line(one, str(player.handle)) for one in found]})


class AllowancesOfGameView(AllowancesView):
    """Those of one game."""

    @docs.ALLOWANCES_OF_GAME
    def get(self, request: Request, plyrId: str, gameId: str) -> Response:  # type: ignore[override]  # noqa: N803
        """Return what a player lets a game take."""
        return self.listed(plyrId, approvals.game_called(self.operator_id, gameId))
