"""Calls to the operator's own server about money (rounds.md 3.5, 3.6): the key, the call, what was heard, the record.

Whoever wants a call books it in a transaction (`book`), makes it with none open (`send`), and notes what came of it in
another (`note`). Booked before it is sent: a try that a crash cut off is on record, without an end.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import structlog
from django.conf import settings
from django.db import transaction

from apps.core import crypto, egress, ids
from apps.core.actors import Actor
from apps.core.errors import Invalid
from apps.core.exact import decoded
from apps.events.services import recording as events
from apps.ledger.models import CallbackAttempt, CallbackKind, OutboundKey

log = structlog.get_logger(__name__)

# As much of an answer as is kept.
KEPT = 4000
MAX_KEY = 200
# What a caller may not be told twice: the time of a call, and some for the database before and after it.
ROOM_SECONDS = 20
TIMED_OUT, TOO_MANY, BAD_REQUEST, SERVER_ERROR = 408, 429, 400, 500
# Names under which clients return their own id of what they did, the documented one first (rounds.md 3.6).
ID_NAMES = ("transactionid", "transactionref", "txid", "payouttransactionid", "id", "reference")


@dataclass(frozen=True, slots=True)
class Call:
    """One booked try: everything that sending needs, so that nothing is read while the network is waited for."""

    operator_id: int
    kind: CallbackKind
    ref: UUID
    number: int
    url: str
    body: str
    key: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Heard:
    """What came back: a status and the beginning of the body, or none and what went wrong.

    `sent` is False when nothing can have arrived, because the call was never made.
    """

    status: int | None
    answer: str = ""
    error: str = ""
    milliseconds: int = 0
    sent: bool = True

    @property
    def ok(self) -> bool:
        """Whether it was any 2xx."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004 - what 2xx means

    @property
    def temporary(self) -> bool:
        """Whether another try may succeed: 408, 429, 5xx, and whatever gave no answer (rounds.md 3.5)."""
        if self.status is None:
            return self.sent
        return self.status in {TIMED_OUT, TOO_MANY} or self.status >= SERVER_ERROR

    @property
    def refused(self) -> bool:
        """Whether the server has said no for good, or the call could not even be made."""
        return not self.ok and not self.temporary

    @property
    def told(self) -> str:
        """What went wrong, in one line."""
        if self.status is None:
            return self.error
        words = " ".join(self.answer.split())[:160]
        return f"Answered {self.status}: {words}" if words else f"Answered {self.status}."

    @property
    def transaction_id(self) -> str:
        """The client's own id in a JSON answer, or nothing."""
        try:
            said = decoded(self.answer)
        except (msgspec.DecodeError, UnicodeError):
            return ""
        if not isinstance(said, dict):
            return ""
        named = {name.replace("_", "").lower(): value for name, value in said.items() if _is_id(value)}
        others = [value for name, value in named.items() if name.endswith("id")]
        found = next((named[name] for name in ID_NAMES if name in named), others[0] if others else "")
        return str(found).replace("\x00", "")[:200]


def _is_id(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and value != ""


def lease() -> timedelta:
    """Return how long a booked try is nobody else's: the longest call, and room."""
    return timedelta(seconds=settings.CALLBACK_SECONDS + ROOM_SECONDS)


def key_of(operator_id: int, kind: CallbackKind, *, at: datetime) -> str:
    """Return the key that goes with this operator's calls, made when it is first needed."""
    made = {"sealed_key": crypto.encrypt(_new_key()), "changed_at": at, "changed_by": "system"}
    row, _ = OutboundKey.objects.get_or_create(operator_id=operator_id, kind=kind, defaults=made)
    return crypto.decrypt(row.sealed_key)


@transaction.atomic
def put_key(operator_id: int, *, kind: CallbackKind, key: str = "", actor: Actor, at: datetime) -> str:
    """Set the key of one kind of call, a fresh one unless `key` names it, and return it. The old one ends at once.

    Raises Invalid for a key that no header can carry.
    """
    key = key or _new_key()
    if not (len(key) <= MAX_KEY and key.isascii() and key.isprintable() and key == key.strip()):
        raise Invalid("A key is plain printable text.", fields={"key": [f"1 to {MAX_KEY} printable characters."]})
    OutboundKey.objects.update_or_create(
        operator_id=operator_id,
        kind=kind,
        defaults={"sealed_key": crypto.encrypt(key), "changed_at": at, "changed_by": str(actor)[:80]},
    )
    events.record(
        operator_id=operator_id,
        type="outbound_key.changed",
        subject=f"operator:{operator_id}",
        data={"kind": kind.value.lower()},
        actor=actor,
        at=at,
    )
    return key


def _new_key() -> str:
    return f"pk_{ids.token(40)}"


def book(calls: list[Call]) -> None:
    """Put tries on record before they are made; in the transaction that leases them."""
    CallbackAttempt.objects.bulk_create(
        [
            CallbackAttempt(
                operator_id=call.operator_id,
                kind=call.kind,
                ref=call.ref,
                number=call.number,
                url=call.url,
                body=call.body,
                started_at=call.started_at,
            )
            for call in calls
        ]
    )


def send(call: Call) -> Heard:
    """Make the call. Any answer is one; redirects are not followed. Never with a transaction open."""
    headers: Mapping[str, str] = {"Content-Type": "application/json", "X-API-Key": call.key}
    begun = time.monotonic()
    try:
        answer = egress.send(
            "POST", call.url, headers=headers, body=call.body.encode(), timeout=settings.CALLBACK_SECONDS
        )
    except egress.Refused as problem:
        return Heard(None, error=str(problem)[:300], sent=False)
    except egress.Failed as problem:
        return Heard(None, error=str(problem)[:300] or type(problem).__name__, milliseconds=_since(begun))
    text = answer.body.decode(errors="replace").replace("\x00", "")
    return Heard(answer.status, text[:KEPT], milliseconds=_since(begun))


def _since(begun: float) -> int:
    return int((time.monotonic() - begun) * 1000)


def note(call: Call, heard: Heard, *, at: datetime) -> None:
    """Put on record what came of a try."""
    CallbackAttempt.objects.filter(ref=call.ref, number=call.number, ended_at=None).update(
        ended_at=at,
        milliseconds=heard.milliseconds,
        status=heard.status,
        answer=heard.answer,
        error="" if heard.ok else heard.told[:300],
    )
