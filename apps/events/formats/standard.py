"""Standard Webhooks (standardwebhooks.com): any of their libraries verifies what we send (podium.md 6)."""

import functools
from datetime import UTC
from typing import Any

import msgspec
from standardwebhooks import Webhook

from apps.core.api.json import dumps
from apps.core.clock import iso
from apps.events.facts import TOURNAMENT
from apps.events.formats import PATIENT, Outgoing, Signing, Writing

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


@functools.lru_cache(maxsize=4096)
def _signer(secret: str) -> Webhook:
    return Webhook(secret)


def envelope(fact: Outgoing) -> bytes:
    """Return `{"type", "timestamp", "sequence", "data"}`; a test has the sequence 0.

    `data` also says which tournament a fact is about, as on sockets; other envelopes have a place of its own for it.
    """
    told: dict[str, Any] = {
        "type": fact.type,
        "timestamp": iso(fact.occurred_at),
        "sequence": fact.sequence,
        "data": _data(fact),
    }
    return dumps(told)


def _data(fact: Outgoing) -> msgspec.Raw | dict[str, Any]:
    if not fact.subject.startswith(TOURNAMENT):
        return fact.data
    # One level deep: what is in there stays digit for digit as it was recorded.
    return {"tournamentId": fact.subject.removeprefix(TOURNAMENT)} | _fields.decode(fact.data)


def headers(fact: Outgoing, body: bytes, signing: Signing) -> dict[str, str]:
    """Return the id, which every try and every transport shares, the moment of this try, and a signature per secret."""
    at = signing.at.astimezone(UTC)  # the library takes whatever it gets for UTC
    signatures = [_signer(secret).sign(fact.public_id, at, body.decode()) for secret in signing.secrets]
    said = {
        "webhook-id": fact.public_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
    return said | ({"Authorization": f"Bearer {signing.token}"} if signing.token else {})


WRITING = Writing(envelope, headers, PATIENT)
