"""Notice rooms whose time is over. Nothing moves by itself: staff find them, and what they hold, and decide."""

from datetime import datetime

from django.db import transaction

from apps.core.actors import SYSTEM
from apps.events.services import recording as events
from apps.rooms import facts
from apps.rooms.lifecycle import RoomStatus
from apps.rooms.models import Room
from apps.rooms.services import leftovers

BATCH = 500


@transaction.atomic
def notice(*, at: datetime) -> int:
    """Mark rooms that have expired with nobody having ended them, and record `room.expired`; return how many.

    At most 500 at a time; a room that somebody is at is noticed next time.
    """
    over = Room.objects.filter(status=RoomStatus.OPEN, expired_at=None, expires_at__lte=at).order_by("expires_at")
    rooms = list(over.select_for_update(skip_locked=True, no_key=True)[:BATCH])
    for room in rooms:
        told = facts.expired(room, leftovers.balances(room))
        events.record_many([told], operator_id=room.operator_id, actor=SYSTEM, at=at)
    Room.objects.filter(pk__in=[room.pk for room in rooms]).update(expired_at=at)
    return len(rooms)
