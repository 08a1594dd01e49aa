"""Deliveries that nobody tries any more: all of an endpoint's, put back at once."""

from datetime import datetime

from django.db import connection, transaction

from apps.core.actors import Actor
from apps.core.errors import NotFound
from apps.events.lifecycle import DeliveryStatus
from apps.events.models import Delivery, Endpoint
from apps.events.services.deliveries import EndpointDisabled
from apps.events.wake import wake

# Put back by one call; the answer says whether there are more.
MOST = 10_000

QUEUE_AGAIN = """
    UPDATE events_delivery
       SET status = 'PENDING', tries = 0, next_attempt_at = statement_timestamp(), finished_at = NULL
     WHERE id IN (SELECT id FROM events_delivery
                   WHERE endpoint_id = %(endpoint)s AND status = 'EXHAUSTED' AND fact_id IS NOT NULL
                   ORDER BY id LIMIT %(most)s FOR UPDATE SKIP LOCKED)
"""


@transaction.atomic
def retry_all(endpoint_id: int, *, operator_id: int, actor: Actor, at: datetime) -> int:  # noqa: ARG001 - logged by who asks
    """Queue up to 10,000 dead letters of an endpoint again, oldest first, and return how many; tests stay dead.

    Raises NotFound and EndpointDisabled.
    """
    endpoint: Endpoint | None = (
        Endpoint.objects.for_operator(operator_id)
        .select_for_update(no_key=True)
        .filter(pk=endpoint_id, removed_at=None)
        .first()
    )
    if endpoint is None:
        raise NotFound("There is no such endpoint.")
    if not endpoint.enabled:
        raise EndpointDisabled
    with connection.cursor() as cursor:
        cursor.execute(QUEUE_AGAIN, {"endpoint": endpoint_id, "most": MOST})
        queued = int(cursor.rowcount)
    if queued:
        wake(operator_id)
    return queued


def count(endpoint_id: int) -> int:
    """Return how many dead letters an endpoint has, counting no further than one call puts back."""
    dead = Delivery.objects.filter(endpoint_id=endpoint_id, status=DeliveryStatus.EXHAUSTED, fact__isnull=False)
    return dead.order_by("-pk")[: MOST + 1].count()
