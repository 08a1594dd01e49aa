"""Take a round back (podium.md 3): our own call, in the words of the others of an integration."""

from typing import Annotated

import msgspec
from django.http import HttpRequest, HttpResponse
from msgspec import Meta

from apps.core import clock
from apps.core.clock import iso
from apps.rounds.api.base import IntegrationView, answer
from apps.rounds.reading import Fault, Faulty, Malformed, RoundId
from apps.rounds.services.scoring import correcting


class ToldVoid(msgspec.Struct, rename="camel"):
    """Which round, and why."""

    round_id: RoundId
    reason: Annotated[str, Meta(min_length=1, max_length=500)]


_decoder = msgspec.json.Decoder(ToldVoid)


class VoidView(IntegrationView):
    """`POST /gamerounds/{INTEGRATION_ID}/void`: a round that did not happen, or not like this."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """Answer 200 with how the player moved on each open board; 409 if it counted only where results are fixed."""
        told = _read(self.body(request))
        done = correcting.void(
            self.credential.operator_id,
            integration=self.credential.ref,
            round_id=told.round_id,
            reason=told.reason,
            actor=self.actor,
            at=clock.now(),
        )
        body = {
            "roundId": done.round_id,
            "voidedAt": iso(done.voided_at),
            "tournaments": list(done.moves),
            "settledTournamentIds": list(done.settled),
        }
        if done.too_late:
            refused = {
                "error": "ALREADY_SETTLED",
                "message": "Recorded, but the results that it counts in are fixed.",
                "details": [],
            }
            return answer(409, refused | body)
        return answer(200, body)


def _read(raw: bytes) -> ToldVoid:
    try:
        told = _decoder.decode(raw)
    except msgspec.ValidationError as problem:
        what, _, where = str(problem).partition(" - at `$.")
        raise Faulty([Fault(0, where.rstrip("`"), what)]) from problem
    except (ValueError, RecursionError) as problem:
        raise Malformed from problem
    faults = [Fault(0, name, "holds a NUL character") for name in ("roundId", "reason") if "\x00" in _value(told, name)]
    if faults:
        raise Faulty(faults)
    return told


def _value(told: ToldVoid, name: str) -> str:
    return told.round_id if name == "roundId" else told.reason
