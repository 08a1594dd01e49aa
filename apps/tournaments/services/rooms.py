"""Where a tournament is played: the room that the game platform reports (operators.md 11.8)."""

from datetime import datetime

from django.db import transaction

from apps.core.actors import Actor
from apps.tournaments.lifecycle import UPCOMING, TournamentStatus
from apps.tournaments.models import Tournament
from apps.tournaments.services.states import InvalidState


@transaction.atomic
def set_room(
    tournament_id: int,
    *,
    room_id: str,
    room_url: str | None,
    actor: Actor,
    at: datetime,  # noqa: ARG001 - a verb's
) -> Tournament:
    """Note the room of a tournament that is not over; the last one reported counts. Raises InvalidState."""
    tournament: Tournament = Tournament.objects.hold(tournament_id)
    if tournament.status not in (*UPCOMING, TournamentStatus.RUNNING):
        raise InvalidState(status=tournament.status)
    put_room(tournament, room_id=room_id, room_url=room_url)
    return tournament


def put_room(tournament: Tournament, *, room_id: str, room_url: str | None) -> None:
    """Write the room down; the caller holds the tournament. A new room without an address has none."""
    tournament.room_id = room_id
    tournament.room_url = room_url or ""
    tournament.save(update_fields=["room_id", "room_url"])
