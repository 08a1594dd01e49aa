"""How a fact is written down for a receiver, and how the receiver can tell that it is ours. One module for each format.

A new one is a module with a `Writing` and a line in `_known`.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Any, cast

import msgspec

from apps.core import exact
from apps.events.models import Delivery, Format

# Never sent to a URL: too frequent (operators.md 6). Queues carry these facts, and so does GET /api/events; sockets
# tell scores from the board instead.
TOO_FREQUENT = ("player.score.updated",)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A fact on its way out. `data` is its payload as JSON, digit for digit as it was recorded."""

    public_id: str
    type: str
    subject: str
    sequence: int
    data: msgspec.Raw
    occurred_at: datetime
    operator_public_id: str

    def fields(self) -> dict[str, Any]:
        """Return the payload decoded, amounts exact."""
        return cast("dict[str, Any]", exact.decoded(bytes(self.data)))


@dataclass(frozen=True, slots=True)
class Signing:
    """What one try is signed with: the secrets in force, newest first, and the operator's bearer token or ""."""

    secrets: Sequence[str]
    token: str
    attempt: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Writing:
    """One format. `schedule`: seconds to wait after each failed try; when they are used up, the delivery is exhausted.

    `envelope` returns the body, the same bytes at every try; `headers` those of one try, beside Content-Type. With
    `keeps_order` the later facts of a subject wait for the retry of an earlier one, and for nothing else. `shown` is
    the body as people may see it, where it carries a secret.
    """

    envelope: Callable[[Outgoing], bytes]
    headers: Callable[[Outgoing, bytes, Signing], Mapping[str, str]]
    schedule: Sequence[float]
    keeps_order: bool = False
    shown: Callable[[Outgoing], bytes] | None = None


# operators.md 5: the source text's rule for clients, min(1000 · 2ⁿ, 30000) ms, then longer and longer.
PATIENT = (1, 2, 4, 8, 16, 30, 30, 30, 300, 1800, 7200, 21600)

_known = {Format.STANDARD: "standard", Format.CASINO: "casino", Format.PLATFORM: "platform", Format.RUMBLE: "rumble"}


TEST = "webhook.test"


def told_by_test(delivery_id: int, created_at: datetime, endpoint_id: str, operator_public_id: str) -> Outgoing:
    """Return what a test tells. It is no fact: it has no number, and nobody else hears of it."""
    data = exact.dumps({"endpointId": endpoint_id, "message": "This is a test. Nothing has happened."})
    return Outgoing(
        public_id=f"evt_{int(created_at.timestamp())}_test{delivery_id}",
        type=TEST,
        subject=TEST,
        sequence=0,
        data=msgspec.Raw(data.encode()),
        occurred_at=created_at,
        operator_public_id=operator_public_id,
    )


def outgoing(delivery: Delivery) -> Outgoing:
    """Return what a delivery tells, for showing it; it needs its endpoint, operator and fact."""
    operator, fact = delivery.endpoint.operator.public_id, delivery.fact
    if fact is None:
        return told_by_test(delivery.pk, delivery.created_at, delivery.endpoint.public_id, operator)
    return Outgoing(
        public_id=fact.public_id,
        type=fact.type,
        subject=fact.subject,
        sequence=delivery.sequence,
        data=msgspec.Raw(exact.dumps(fact.data).encode()),
        occurred_at=fact.occurred_at,
        operator_public_id=operator,
    )


@functools.cache
def of(name: str) -> Writing:
    """Return a format by its name. Raises KeyError for one that has no module."""
    return cast("Writing", import_module(f"apps.events.formats.{_known[Format(name)]}").WRITING)


def known() -> list[str]:
    """Return the formats that can be sent."""
    return [str(name) for name in _known]


@functools.cache
def keeps_order(name: str) -> bool:
    """Tell whether a format keeps each subject's facts in order, whatever fails."""
    return of(name).keeps_order


def shown(name: str, fact: Outgoing) -> bytes:
    """Return a body as people may see it."""
    writing = of(name)
    return (writing.shown or writing.envelope)(fact)
