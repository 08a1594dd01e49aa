"""How endpoints, deliveries and queues fare, in a word and a colour; read for a whole page at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from apps.core.admin import formats
from apps.core.admin.formats import Tone
from apps.events.lifecycle import DeliveryStatus
from apps.events.models import Delivery, Endpoint, InboundQueue, Queue

DELIVERY_TONES: dict[str, Tone] = {
    DeliveryStatus.PENDING: "blue",
    DeliveryStatus.DELIVERED: "green",
    DeliveryStatus.EXHAUSTED: "red",
}
WORDS = {
    DeliveryStatus.PENDING: "Waiting",
    DeliveryStatus.DELIVERED: "Delivered",
    DeliveryStatus.EXHAUSTED: "Dead letter",
}

# Health is read off the newest deliveries of an endpoint, so that its cost does not grow with what was sent.
LOOKED_AT = 500
# So late is late.
LATE = timedelta(minutes=5)


@dataclass(slots=True)
class Health:
    """How an endpoint fares. Of the newest deliveries that were tried: how many arrived, of how many, by period."""

    hour: tuple[int, int] = (0, 0)
    day: tuple[int, int] = (0, 0)
    waiting: int = 0
    more_wait: bool = False
    oldest: datetime | None = None
    dead: int = 0


HEALTH = """
    SELECT w.id, seen.hour_well, seen.hour_all, seen.day_well, seen.day_all, seen.dead, line.waiting, line.oldest
      FROM unnest(%(ids)s::bigint[]) AS w (id)
     CROSS JOIN LATERAL (
           SELECT count(*) FILTER (WHERE well AND created_at >= %(hour)s) AS hour_well,
                  count(*) FILTER (WHERE tried AND created_at >= %(hour)s) AS hour_all,
                  count(*) FILTER (WHERE well AND created_at >= %(day)s) AS day_well,
                  count(*) FILTER (WHERE tried AND created_at >= %(day)s) AS day_all,
                  count(*) FILTER (WHERE status = 'EXHAUSTED') AS dead
             FROM (SELECT created_at, status, status = 'DELIVERED' AS well,
                          status <> 'PENDING' OR last_error <> '' AS tried
                     FROM events_delivery d WHERE d.endpoint_id = w.id ORDER BY d.id DESC LIMIT %(most)s) newest) seen
     CROSS JOIN LATERAL (
           SELECT count(*) AS waiting, min(created_at) AS oldest
             FROM (SELECT created_at FROM events_delivery d
                    WHERE d.endpoint_id = w.id AND d.status = 'PENDING' ORDER BY d.sequence LIMIT %(most)s) first) line
"""


def read_health(endpoints: Iterable[Endpoint], *, now: datetime) -> dict[int, Health]:
    """Return the health of endpoints with one query, whose cost is bounded for each of them."""
    ids = [endpoint.pk for endpoint in endpoints]
    if not ids:
        return {}
    since = {"hour": now - timedelta(hours=1), "day": now - timedelta(days=1)}
    with connection.cursor() as cursor:
        cursor.execute(HEALTH, {"ids": ids, "most": LOOKED_AT, **since})
        return {
            pk: Health((hour_well, hour_all), (day_well, day_all), waiting, waiting == LOOKED_AT, oldest, dead)
            for pk, hour_well, hour_all, day_well, day_all, dead, waiting, oldest in cursor.fetchall()
        }


def share(part: tuple[int, int]) -> str:
    """Write how many of how many arrived; a dash where nothing was tried."""
    well, tried = part
    if not tried:
        return formats.NOTHING
    # Never rounded up to a hundred: one failure of thousands is a failure.
    percent = 100 * well // tried
    tone: Tone = "green" if well == tried else "amber" if percent >= 90 else "red"  # noqa: PLR2004 - two shades of bad
    return formats.badge(f"{percent} %", tone)


def waiting(health: Health) -> str:
    """Write how many deliveries wait."""
    return f"{formats.number(health.waiting)}{'+' if health.more_wait else ''}"


def lag(health: Health, *, now: datetime) -> str:
    """Write how long the oldest of what waits has waited."""
    if health.oldest is None:
        return formats.NOTHING
    age = formats.distance(health.oldest, now=now).removesuffix(" ago") or "over two months"
    return formats.badge(age, "amber" if now - health.oldest > LATE else "grey")


def endpoint_state(endpoint: Endpoint, *, health: Health | None = None) -> tuple[str, Tone]:
    """Return an endpoint's state in words, and their colour."""
    if endpoint.removed_at is not None:
        return "Removed", "grey"
    if not endpoint.enabled:
        return "Disabled", "grey"
    if endpoint.failing_since is not None:
        return "Failing", "red"
    if health is not None and health.hour[0] < health.hour[1]:
        return "Some fail", "amber"
    return ("Healthy", "green") if endpoint.last_success_at else ("Nothing sent yet", "grey")


def delivery_badge(delivery: Delivery) -> str:
    """Write where a delivery stands."""
    if delivery.status == DeliveryStatus.PENDING and delivery.attempts:
        return formats.badge("Retrying", "amber")
    return formats.badge(WORDS[DeliveryStatus(delivery.status)], formats.tone_of(DELIVERY_TONES, delivery.status))


def queue_state(queue: Queue | InboundQueue) -> tuple[str, Tone]:
    """Return a queue's state in words, and their colour."""
    if not queue.enabled:
        return "Disabled", "grey"
    if not queue.url:
        return "Not created yet", "amber"
    if queue.failures:
        return "Failing", "red"
    return ("Healthy", "green") if queue.last_success_at else ("Nothing yet", "grey")


def behind(queue: Queue, head: int) -> int:
    """Return how many numbers of the stream a queue has not come to, and what it holds back."""
    return max(head - queue.after_sequence, 0) + len(queue.held)


def patterns(events: Sequence[str]) -> str:
    """Write what is wanted, as it was typed."""
    shown = ", ".join(events[:4])
    return f"{shown} and {len(events) - 4} more" if len(events) > 4 else shown  # noqa: PLR2004 - what fits a column
