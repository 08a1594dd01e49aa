"""Game events that come one by one from a queue (operators.md 6, queue B): the same verb as the HTTP call's."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from apps.core.actors import Actor
from apps.core.errors import Invalid
from apps.tournaments.services.intake import Outcome, take_events

# What a bigint holds, with room.
LONGEST_ID = 18


def take_message(body: Any, *, within: int | None, actor: Actor, at: datetime) -> Outcome:
    """Take one event, which names its tournament itself, and return what became of it.

    The same event again, from the queue or over HTTP, is a duplicate. Raises Invalid and TournamentNotFound, and then
    it will not be well formed tomorrow either.
    """
    if not isinstance(body, Mapping):
        raise Invalid("Expected an object.", fields={"event": ["Expected an object."]})
    [outcome] = take_events(_tournament_of(body), [body], within=within, actor=actor, at=at)
    return outcome


def _tournament_of(body: Mapping[str, Any]) -> int:
    named = {str(body[name]) for name in ("tournamentId", "tournament_id") if body.get(name) is not None}
    if len(named) != 1:
        raise Invalid("Name one tournament.", fields={"event.tournamentId": ["Expected the id of a tournament."]})
    [text] = named
    if not (text.isascii() and text.isdigit()) or len(text) > LONGEST_ID:
        raise Invalid("No such tournament.", fields={"event.tournamentId": ["Expected the id of a tournament."]})
    return int(text)
