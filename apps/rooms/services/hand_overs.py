"""Answers kept for a game under a `uid` until it reads them, once, within ten minutes (rooms.md 3.40).

The uid is a secret between whoever logs the player in and the game: it works for the key that asked and no other.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from apps.core import crypto
from apps.core.actors import Actor
from apps.core.exact import ExactDecoder, dumps
from apps.rooms import errors
from apps.rooms.models import HandOver

KEPT = timedelta(minutes=10)


class AuthNotFound(errors.RoomError):
    """Auth not found"""  # noqa: D400, D415 - word for word (rooms.md 3.40)

    kind = "not_found"
    code = "AUTH_NOT_FOUND"
    hint = "Poll until the player has logged in; an answer can be read once, by the key that asked for it."


class AuthExpired(AuthNotFound):
    """Auth expired"""  # noqa: D400, D415 - likewise

    code = "AUTH_EXPIRED"
    hint = "Have the player log in again, and read the answer within ten minutes."


def keep(uid: str, answer: Mapping[str, Any], *, credential_id: int, actor: Actor, at: datetime) -> None:  # noqa: ARG001
    """Keep an answer for the key that asked; the same uid again replaces it. What nobody read in time is dropped."""
    HandOver.objects.filter(expires_at__lte=at).delete()
    HandOver.objects.update_or_create(
        credential_id=credential_id,
        uid_digest=_digest(uid),
        defaults={"sealed_answer": crypto.encrypt(dumps(answer)), "expires_at": at + KEPT},
    )


def take(uid: str, *, credential_id: int, at: datetime) -> dict[str, Any]:
    """Return a kept answer and forget it: of many who read at once, one gets it. Raises AuthNotFound, AuthExpired."""
    found = HandOver.objects.filter(credential_id=credential_id, uid_digest=_digest(uid)).first()
    # Whoever deletes the row has it; the others come too late.
    if found is None or not HandOver.objects.filter(pk=found.pk, sealed_answer=found.sealed_answer).delete()[0]:
        raise AuthNotFound("Auth not found")
    if found.expires_at <= at:
        raise AuthExpired("Auth expired")
    answer: dict[str, Any] = ExactDecoder().decode(crypto.decrypt(found.sealed_answer))
    return answer


def revoke(uid: str, *, credential_id: int, actor: Actor, at: datetime) -> None:  # noqa: ARG001
    """Forget an answer unread. Raises AuthNotFound."""
    deleted, _ = HandOver.objects.filter(
        credential_id=credential_id, uid_digest=_digest(uid), expires_at__gt=at
    ).delete()
    if not deleted:
        raise AuthNotFound("Auth not found")


def _digest(uid: str) -> str:
    return hashlib.sha256(uid.encode()).hexdigest()
