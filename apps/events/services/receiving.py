"""How incoming queues fare: noted by whoever reads them, shown to staff."""

from datetime import datetime

from django.db.models import F, Q, QuerySet

from apps.events.models import InboundQueue


def enabled_ids() -> list[int]:
    """Return the queues to read now; those of suspended operators are not."""
    return list(_readable().values_list("pk", flat=True))


def current(queue_id: int) -> InboundQueue | None:
    """Return a queue as it is set up now, if it is to be read."""
    return _readable().filter(pk=queue_id).first()


def _readable() -> QuerySet[InboundQueue]:
    return InboundQueue.objects.filter(Q(operator=None) | Q(operator__suspended_at=None), enabled=True).exclude(url="")


def note_taken(queue: InboundQueue, *, taken: int, at: datetime) -> None:
    """Count messages that were taken, and forget earlier failures."""
    InboundQueue.objects.filter(pk=queue.pk).update(taken=F("taken") + taken, failures=0, last_success_at=at)


def note_malformed(queue: InboundQueue, *, error: str, first: bool, at: datetime) -> None:
    """Note a message that is left to the dead letters; counted when it comes for the first time."""
    InboundQueue.objects.filter(pk=queue.pk).update(
        malformed=F("malformed") + int(first), last_error=error[:300], last_error_at=at
    )


def note_trouble(queue: InboundQueue, *, error: str, at: datetime) -> None:
    """Note that the queue could not be read, or that a message of it could not be taken for now."""
    InboundQueue.objects.filter(pk=queue.pk).update(
        failures=F("failures") + 1, last_error=error[:300], last_error_at=at
    )
