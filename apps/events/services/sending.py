"""A queue's turns: one sender at a time by a lease in its row, and how far each turn got."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from apps.core import ids
from apps.events.models import Fact, Queue, Refusal

# A sender that gives no sign for this long is taken for dead. Longer than any call to a queue.
LEASE = timedelta(seconds=60)
# Seconds after the first failure in a row, the second, …; the last one from then on.
BACKOFF = (1, 2, 4, 8, 16, 30, 60)


def backoff(failures: int) -> timedelta:
    """Return how long to wait after so many failures in a row."""
    return timedelta(seconds=BACKOFF[min(max(failures, 1), len(BACKOFF)) - 1])


@transaction.atomic
def claim(*, besides: Collection[int] = (), at: datetime) -> Queue | None:
    """Lease the queue that has waited longest of those with something to send; None if there is none.

    Of several relays exactly one gets a queue, for as long as it renews the lease. `besides` are left out.
    """
    behind = Q(operator__stream__last_sequence__gt=F("after_sequence"))
    held = Q(held_try_at__lte=at)
    queue: Queue | None = (
        Queue.objects.select_for_update(of=("self",), skip_locked=True, no_key=True)
        .select_related("operator")
        .filter(behind | held, enabled=True, next_try_at__lte=at)
        .filter(Q(leased_until=None) | Q(leased_until__lte=at))
        .exclude(url="")
        .exclude(pk__in=besides)
        .order_by("next_try_at", "pk")
        .first()
    )
    if queue is not None:
        queue.lease, queue.leased_until = ids.token(20), at + LEASE
        queue.save(update_fields=["lease", "leased_until"])
    return queue


def advance(
    queue: Queue, *, after: int, held: Sequence[int], sent: int, refused: Mapping[int, str], at: datetime
) -> bool:
    """Note that a batch got through: the cursor, what is held back, what is refused for good (fact id → why).

    Renews the lease; False if it was lost, and then nothing is noted: another sender goes on from what was.
    """
    changes: dict[str, Any] = {"after_sequence": after, "held": list(held), "leased_until": at + LEASE}
    if sent:
        changes |= {"sent": F("sent") + sent, "last_success_at": at}
        if not held:
            changes |= {"failures": 0}
    if not held:
        changes |= {"held_try_at": None, "held_tries": 0}
    with transaction.atomic():
        # Staff may have moved the cursor meanwhile: theirs counts, and the next turn goes on from there.
        if not _mine(queue, changes, after_sequence=queue.after_sequence):
            return False
        Refusal.objects.bulk_create(
            [Refusal(queue=queue, fact_id=pk, error=why[:300], refused_at=at) for pk, why in refused.items()],
            ignore_conflicts=True,
        )
    queue.after_sequence, queue.held = after, list(held)
    if sent and not held:
        queue.failures = queue.held_tries = 0
    return True


def hold_back(queue: Queue, *, error: str, at: datetime) -> None:
    """Note that some messages did not get through: their groups wait, longer each time, and nobody else does."""
    tries = queue.held_tries + 1
    noted = {
        "held_tries": tries,
        "held_try_at": at + backoff(tries),
        "failures": F("failures") + 1,
        "last_error": error[:300],
        "last_error_at": at,
    }
    _mine(queue, noted)
    queue.held_tries, queue.held_try_at = tries, at + backoff(tries)


def end(queue: Queue, *, stuck: bool, at: datetime) -> None:
    """Give the lease back after a turn; the next one may begin at once, after those of others.

    With `stuck` it begins when what is held back is tried again: until then nothing can be sent.
    """
    _mine(queue, {"lease": "", "leased_until": None, "next_try_at": (stuck and queue.held_try_at) or at})


def fail(queue: Queue, *, error: str, at: datetime) -> None:
    """Give the lease back after the queue could not be reached, and try again later and later."""
    failures = queue.failures + 1
    ended = {
        "lease": "",
        "leased_until": None,
        "failures": failures,
        "next_try_at": at + backoff(failures),
        "last_error": error[:300],
        "last_error_at": at,
    }
    _mine(queue, ended)


def _mine(queue: Queue, changes: Mapping[str, Any], **still: Any) -> bool:
    """Write to the row if we still hold its lease. Not `save`: staff may be changing the same row."""
    return bool(Queue.objects.filter(pk=queue.pk, lease=queue.lease, **still).update(**changes))


def facts_held(queue: Queue) -> list[Fact]:
    """Return the facts that wait for an earlier message of their group, in order."""
    return list(Fact.objects.filter(operator_id=queue.operator_id, sequence__in=queue.held).order_by("sequence"))
