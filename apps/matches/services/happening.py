"""Events that a game tells besides the result (matches.md 7, extension 3). None of them moves money by itself."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from apps.core.actors import Actor
from apps.matches import facts
from apps.matches.lifecycle import BEFORE_ESCROW, MatchStatus
from apps.matches.models import GameEvent, GameEventType, Match
from apps.matches.services.states import MatchNotFound, report, save

MAX_EVENTS = 10_000


@transaction.atomic
def take(
    client_id: int,
    *,
    match_id: str,
    event_type: str,
    event_id: str | None,
    occurred_at: datetime | None,
    payload: Mapping[str, Any],
    actor: Actor,
    at: datetime,
) -> tuple[Match, bool]:
    """Keep an event, once per `event_id`; return its match and whether it is new.

    GONE starts the timer after which a live match is aborted; any later event but STATS shows that the server is back.
    Raises MatchNotFound.
    """
    match = Match.objects.locked().filter(client_id=client_id, public_id=match_id).first()
    if match is None or match.status in BEFORE_ESCROW:
        raise MatchNotFound("No such match for this game.")
    if event_id is not None and GameEvent.objects.filter(match=match, event_id=event_id).exists():
        return match, False
    GameEvent.objects.create(
        match=match,
        event_type=event_type,
        event_id=event_id,
        payload=dict(payload),
        occurred_at=occurred_at or at,
        received_at=at,
    )
    report(match, [facts.game_event(match, event_type)], actor=actor, at=at)
    if match.status == MatchStatus.LIVE and event_type != GameEventType.STATS:
        _watch(match, gone=event_type == GameEventType.GONE, at=at)
    return match, True


def _watch(match: Match, *, gone: bool, at: datetime) -> None:
    """Start the abort timer, or stop it; one that runs already is not set back."""
    if gone == (match.gone_by is not None):
        return
    match.gone_by = at + timedelta(minutes=match.client.gone_minutes) if gone else None
    match.due_at = min((moment for moment in (match.gone_by, match.result_by) if moment), default=None)
    save(match, "gone_by", at=at)
