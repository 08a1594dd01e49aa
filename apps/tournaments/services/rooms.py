"""Where a tournament is played: the room that the game platform reports (operators.md 11.8)."""

from datetime import datetime

from django.db import transaction

from apps.core.actors import Actor
from apps.events.services import recording as events
from apps.events.services.recording import NewFact
from apps.tournaments import facts
from apps.tournaments.lifecycle import UPCOMING, TournamentStatus
from apps.tournaments.models import Tournament
from apps.tournaments.services.states import InvalidState


@transaction.atomic
def set_room(
    tournament_id: int, *, room_id: str, room_url: str | None = None, actor: Actor, at: datetime
) -> Tournament:
    """Note the room of a tournament that is not over; the last one reported counts. Raises InvalidState."""
    tournament: Tournament = Tournament.objects.hold(tournament_id)
    if tournament.status not in (*UPCOMING, TournamentStatus.RUNNING):
        raise InvalidState(status=tournament.status)
    told = put_room(tournament, room_id=room_id, room_url=room_url)
    events.record_many(told, operator_id=tournament.operator_id, actor=actor, at=at)
    return tournament


def put_room(tournament: Tournament, *, room_id: str, room_url: str | None) -> list[NewFact]:
    """Write the room down; the caller holds the tournament alone. Return what there is to report.

    A new room without an address has none; the same room without one keeps its own.
    """
    if room_url is None:
        room_url = tournament.room_url if room_id == tournament.room_id else ""
    if (room_id, room_url) == (tournament.room_id, tournament.room_url):
        return []
    tournament.room_id, tournament.room_url = room_id, room_url
    tournament.save(update_fields=["room_id", "room_url"])
    return [facts.updated(tournament, {"roomId": room_id, "roomUrl": room_url or None})]
