"""Logins, sessions and handed-over answers (rooms.md 3.20 to 3.24 and 3.40)."""

import base64
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import clock
from apps.rooms.api import values
from apps.rooms.api.base import GameView, PublicView
from apps.rooms.api.people import answers, inputs
from apps.rooms.api.people.base import CodeView
from apps.rooms.api.people.docs import logins as docs
from apps.rooms.services import hand_overs, logins, sessions


class LoginView(CodeView):
    """3.20."""

    http_method_names = ["post"]

    @docs.LOGIN
    def post(self, request: Request) -> Response:
        """Open a session; the player's earlier one with this game ends."""
        return self.let_in(self.body(request), approve=False)

    def let_in(self, fields: dict[str, Any], *, approve: bool) -> Response:
        """Check everything that can be wrong, then the code, then open the session."""
        at, uid = clock.now(), inputs.uid(fields)
        if approve:
            inputs.game(fields)
        welcome = logins.login(
            self.operator_id,
            plyr_id=values.text(fields, "plyrId"),
            code=inputs.code(fields),
            game_id=self.game_id,
            seconds=inputs.seconds(fields, default=sessions.DEFAULT_SECONDS),
            grants=inputs.grants(fields, operator_id=self.operator_id) if approve else (),
            actor=self.actor,
            at=at,
        )
        answer = answers.welcome(welcome)
        self.hand_over(uid, answer, at)
        return Response(answer)


class LoginAndApproveView(LoginView):
    """3.21."""

    @docs.LOGIN_AND_APPROVE
    def post(self, request: Request) -> Response:
        """Open a session and replace what the player lets this game take, both or neither."""
        return self.let_in(self.body(request), approve=True)


class LogoutView(GameView):
    """3.22."""

    http_method_names = ["post"]

    def refusal(self, status: int, body: dict[str, Any]) -> dict[str, Any]:
        """Say it where clients of the original look, too."""
        return body | {"message": body["error"]}

    @docs.LOGOUT
    def post(self, request: Request) -> Response:
        """End a session."""
        token = inputs.session(self.body(request))
        logins.logout(token, game_id=self.game_id, operator_id=self.operator_id, actor=self.actor, at=clock.now())
        return Response({"message": "Logout success"})


class VerifySessionView(GameView):
    """3.23."""

    http_method_names = ["post"]

    def refusal(self, status: int, body: dict[str, Any]) -> dict[str, Any]:
        """Say that it is not valid."""
        return body | {"isValid": False, "success": False}

    @docs.VERIFY_SESSION
    def post(self, request: Request) -> Response:
        """Tell whether a session is live, and whose it is."""
        token = inputs.session(self.body(request))
        seen, profile = logins.look_at(token, game_id=self.game_id, operator_id=self.operator_id, at=clock.now())
        about = {"isValid": True, "plyrId": profile.plyr_id, "walletAddress": profile.primary_address, "success": True}
        return Response({**about, "payload": answers.payload(seen.claims, profile) if seen.claims else {}})


class PublicKeyView(PublicView):
    """3.24."""

    http_method_names = ["get"]

    @docs.PUBLIC_KEY
    def get(self, request: Request) -> Response:
        """Return the key that checks session tokens: base64 of its PEM."""
        pem = sessions.public_key(at=clock.now())
        return Response({"publicKey": base64.b64encode(pem.encode()).decode()})


class ReadAuthView(GameView):
    """3.40. Reading uses the answer up, so it is no HEAD's to read."""

    http_method_names = ["get"]
    rate_class = "room_polls"

    @docs.READ_AUTH
    def get(self, request: Request, uid: str) -> Response:
        """Return the answer to a login or approval that named this uid, once, within ten minutes."""
        return Response({"data": hand_overs.take(uid, credential_id=self.credential.pk, at=clock.now())})


class RevokeAuthView(GameView):
    """3.40."""

    http_method_names = ["post"]

    @docs.REVOKE_AUTH
    def post(self, request: Request, uid: str) -> Response:
        """Forget an answer that nobody has read."""
        hand_overs.revoke(uid, credential_id=self.credential.pk, actor=self.actor, at=clock.now())
        return Response({"message": "Auth data revoked"})
