"""What a fact looks like to those outside (operators.md 5)."""

from typing import Any

from apps.core.clock import iso
from apps.events.models import Fact

TOURNAMENT = "tournament:"


def envelope(fact: Fact, operator_public_id: str) -> dict[str, Any]:
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
