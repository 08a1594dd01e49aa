"""Webhooks of rumble applications (rumble.md 7): `{"type", "data"}` and the application's token, unsigned.

Facts of the type `rumble.<type>` hold the documented `data`, and more that only we need. The token that a player's
consent gives an application travels in no other way, so the fact holds it encrypted: whoever else reads facts must not
be able to act for players.
"""

from collections.abc import Mapping
from typing import Any

from apps.core import crypto
from apps.core.api.json import dumps
from apps.events.formats import Outgoing, Signing, Writing

PREFIX = "rumble."
# Seconds: six attempts in all.
SCHEDULE = (10, 60, 300, 1800, 7200)
SEALED = "sealedToken"
HIDDEN = "…"

_PAYMENT = ("containerId", "transactionId", "ownerEosId")
_PAYOUT = ("containerId", "transactionId")
_PARTICIPANT = ("appId", "participantId", "tournamentId", "transactionId", "userId", "status")
_TOURNAMENT = ("appId", "tournamentId", "transactionId", "status")
# The eighteen types and the names in their `data`, in the order of the contract.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "AuthenticationSuccess": ("code", "userId", "accessToken"),
    "AuthenticationFailure": ("code", "message"),
    "UserDisconnectedApplication": ("appId", "userId"),
    "TransactionToEscrowCreated": _PAYMENT,
    "TransactionToEscrowSigned": _PAYMENT,
    "TransactionToEscrowFinal": _PAYMENT,
    "TransactionToEscrowFailure": (*_PAYMENT, "message"),
    "TransactionToEscrowExpired": _PAYMENT,
    "TransactionToEscrowRejected": _PAYMENT,
    "TransactionFromEscrowCreated": _PAYOUT,
    "TransactionFromEscrowFinal": _PAYOUT,
    "TransactionFromEscrowFailure": _PAYOUT,
    "ContainerExpired": ("containerId",),
    "RumbleTournamentNewParticipantAdded": _PARTICIPANT,
    "RumbleTournamentParticipantStatusUpdated": _PARTICIPANT,
    "RumbleTournamentStatusUpdated": (*_TOURNAMENT, "error"),
    "RumbleTournamentClosed": _TOURNAMENT,
    "RumbleTournamentCanceled": _TOURNAMENT,
}
# What is left out when there is nothing to say; any other name stands there with null.
OPTIONAL = frozenset({"message", "error"})


def notice(type: str, data: Mapping[str, Any], *, token: str | None = None) -> dict[str, Any]:
    """Return the body of a notice; `token` stands for the player's access token. A test's payload goes as it is."""
    name = type.removeprefix(PREFIX)
    if name not in FIELDS:
        return {"type": name, "data": dict(data)}
    held = {**data, "accessToken": token}
    found = {field: held.get(field) for field in FIELDS[name]}
    return {
        "type": name,
        "data": {field: value for field, value in found.items() if value is not None or field not in OPTIONAL},
    }


def envelope(fact: Outgoing) -> bytes:
    """Return the body, the player's token opened."""
    data = fact.fields()
    sealed = data.get(SEALED)
    return dumps(notice(fact.type, data, token=crypto.decrypt(sealed) if sealed else None))


def shown(fact: Outgoing) -> bytes:
    """Return the body as people may see it."""
    return dumps(notice(fact.type, fact.fields(), token=HIDDEN))


def headers(fact: Outgoing, body: bytes, signing: Signing) -> dict[str, str]:  # noqa: ARG001 - every format's signature
    """Return the application's token, as its receivers look for it."""
    return {"Authorization": f"Bearer {signing.token}"} if signing.token else {}


WRITING = Writing(envelope, headers, SCHEDULE, keeps_order=True, shown=shown)
