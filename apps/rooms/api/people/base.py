"""What calls with a one-time code share."""

from typing import Any

from django.http.response import HttpResponseBase
from rest_framework.request import Request

from apps.rooms.api.base import GameView
from apps.rooms.services import hand_overs


class CodeView(GameView):
    """A call that a player proves with a one-time code.

    An `Idempotency-Key` means nothing here: a code is good for one try, and a try counts even if the call is refused,
    which the transaction that keeps answers for retries would undo.
    """

    def _answer(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        answer: HttpResponseBase = getattr(self, str(request.method).lower())(request, *args, **kwargs)
        return answer

    def hand_over(self, uid: str | None, answer: dict[str, Any], at: Any) -> None:
        """Keep the answer for whoever polls `/auth/read/{uid}`, if the call names a uid (rooms.md 3.40)."""
        if uid is not None:
            hand_overs.keep(uid, answer, credential_id=self.credential.pk, actor=self.actor, at=at)
