"""What a fact looks like to those outside (operators.md 5)."""

from datetime import datetime
from typing import Any, Protocol

from apps.core.clock import iso
from apps.events.models import Endpoint, Format
from apps.events.services.recording import NewFact

TOURNAMENT = "tournament:"


class Told(Protocol):
    """What is told of a fact: a stored one, or one on its way out."""

    @property
    def public_id(self) -> str:
        """The id that every transport carries."""

    @property
    def type(self) -> str:
        """What happened."""

    @property
    def subject(self) -> str:
        """What it is about."""

    @property
    def data(self) -> Any:
        """The payload."""

    @property
    def occurred_at(self) -> datetime:
        """When."""


def envelope(fact: Told, operator_public_id: str) -> dict[str, Any]:
    """Return the envelope that every transport carries; `tournamentId` is null for facts about anything else.

    The caller names the operator, which is the same for every fact of a page.
    """
    return {
        "eventType": fact.type,
        "eventId": fact.public_id,
        "timestamp": iso(fact.occurred_at),
        "tournamentId": fact.subject.removeprefix(TOURNAMENT) if fact.subject.startswith(TOURNAMENT) else None,
        "operatorId": operator_public_id,
        "data": fact.data,
    }


def webhook_disabled(endpoint: Endpoint, reason: str) -> NewFact:
    """`system.alert`: an endpoint gets nothing any more, and a person should look."""
    # The game platform's address is none of the operator's business.
    what = "Notices to the game platform" if endpoint.format == Format.PLATFORM else f"Webhooks to {endpoint.url}"
    data = {
        "status": "webhook_disabled",
        "message": f"{what} have stopped: {reason}",
        "severity": "warning",
        "endpointId": endpoint.public_id,
    }
    return NewFact("system.alert", endpoint.subject, data)
