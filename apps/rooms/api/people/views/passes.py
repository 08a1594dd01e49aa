"""Instant Play Passes and how guests claim them (rooms.md 3.25)."""

from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import clock
from apps.rooms.api import values
from apps.rooms.api.base import GameView
from apps.rooms.api.people import answers, inputs
from apps.rooms.api.people.docs import logins as docs
from apps.rooms.errors import InvalidParams
from apps.rooms.services import passes
from apps.rooms.services.passes import CodeNotFound


class RegisterPassView(GameView):
    """Let a guest in."""

    http_method_names = ["post"]
    seals_answers = True

    @docs.REGISTER_PASS
    def post(self, request: Request) -> Response:
        """Make a guest with a session, who lets this game take a lot of the tokens that are named."""
        names = inputs.token_names_or_refuse(self.body(request))
        welcome, task = passes.register(
            self.operator_id,
            game_id=self.game_id,
            grants=passes.grants_for_guest(self.operator_id, names),
            actor=self.actor,
            at=clock.now(),
        )
        return Response({**answers.welcome(welcome), "task": {"id": task.public_id, "status": "SUCCESS"}})


class RevealCodeView(GameView):
    """Show a guest the code that makes the account theirs."""

    http_method_names = ["post"]
    seals_answers = True

    @docs.REVEAL_CODE
    def post(self, request: Request) -> Response:
        """Return a new claiming code; the one before it works no more."""
        fields = self.body(request)
        if inputs.absent(fields.get("sessionJwt")):
            raise InvalidParams("sessionJwt is empty")
        made = passes.reveal(
            inputs.session(fields),
            game_id=self.game_id,
            operator_id=self.operator_id,
            actor=self.actor,
            at=clock.now(),
        )
        return Response(
            {
                "claimingCode": made.code,
                "plyrId": made.profile.plyr_id,
                "gameId": self.game_id,
                "primaryAddress": made.profile.primary_address,
                "mirrorAddress": made.profile.mirror_address,
                "claimingUrl": f"{settings.PUBLIC_URL}/api/user/register/{made.code}",
            }
        )


class VerifyCodeView(GameView):
    """Look at a claiming code."""

    http_method_names = ["get", "head"]

    def refusal(self, status: int, body: dict[str, Any]) -> dict[str, Any]:
        """Say that it is not valid."""
        return body | {"valid": False, "status": "NOT_FOUND"} if body["code"] == CodeNotFound.code else body

    @docs.VERIFY_CODE
    def get(self, request: Request, claimingCode: str) -> Response:  # noqa: N803 - the wire's spelling
        """Tell whose a claiming code is; it is not used up."""
        guest = passes.holder_of(self.operator_id, claimingCode)
        return Response({"valid": True, "status": "UNCLAIMED", "plyrId": guest.handle, "verified": True})


class ClaimView(GameView):
    """Our own form of the original's registration: the code is the proof, no wallet signs."""

    http_method_names = ["post"]
    seals_answers = True

    @docs.CLAIM
    def post(self, request: Request, claimingCode: str) -> Response:  # noqa: N803
        """Give a guest the name they choose and one-time codes; the wallet and what it holds stay theirs."""
        plyr_id = values.text(self.body(request), "plyrId")
        told = {"code": claimingCode, "plyr_id": plyr_id}
        enrolment, profile = passes.claim(self.operator_id, **told, actor=self.actor, at=clock.now())
        return Response(answers.enrolment(enrolment, profile))
