"""What a person does with deliveries: try one again, send older facts once more, test an endpoint; and the purge."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, transaction

from apps.core.actors import Actor
from apps.core.errors import DomainError, Invalid, NotFound
from apps.events.formats import TEST, TOO_FREQUENT
from apps.events.lifecycle import ENDED, DeliveryStatus
from apps.events.models import Delivery, Endpoint, Fact, Stream
from apps.events.services.endpoints import LONGEST_PATTERN, MAX_PATTERNS, PATTERN
from apps.events.services.handing import WANTED
from apps.events.wake import wake

log = structlog.get_logger(__name__)

# Facts looked at by one replay, so that its cost has an end; the answer says where to go on.
REPLAYED_AT_ONCE = 10_000
# Facts are recorded within moments of their order; a search by time begins this far before what it finds.
MARGIN = 1000
PURGED_AT_ONCE = 2000
# What was sent to applications can be asked for this long (rumble.md 3.28).
HISTORY = timedelta(days=92)
PURGES = 50


class EndpointDisabled(DomainError):
    """The endpoint is disabled; nothing is sent to it."""

    code = "ENDPOINT_DISABLED"
    hint = 'Enable it first: PATCH it with {"enabled": true}.'


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many deliveries were queued, up to which sequence facts were looked at, and whether there are more."""

    queued: int
    last_sequence: int
    more: bool


@transaction.atomic
def retry(delivery_id: int, *, operator_id: int, actor: Actor, at: datetime) -> Delivery:
    """Try a delivery now, from the beginning of its schedule, whatever became of it before; its log goes on.

    One that is being sent at this moment is left alone. Raises NotFound and EndpointDisabled.
    """
    found = (
        Delivery.objects.for_operator(operator_id).select_for_update(of=("self",)).select_related("endpoint", "fact")
    )
    delivery: Delivery | None = found.filter(pk=delivery_id, endpoint__removed_at=None).first()
    if delivery is None:
        raise NotFound("There is no such delivery.")
    if not delivery.endpoint.enabled:
        raise EndpointDisabled
    log.info("delivery_retried", delivery=delivery_id, by=str(actor))
    if delivery.status in ENDED:
        delivery.queue_again(at=at)
        delivery.save(update_fields=["status", "tries", "next_attempt_at", "finished_at"])
    elif delivery.leased_until is None or delivery.leased_until <= at:
        delivery.tries, delivery.next_attempt_at = 0, at
        delivery.save(update_fields=["tries", "next_attempt_at"])
    wake(operator_id)
    return delivery


@transaction.atomic
def send_test(endpoint_id: int, *, operator_id: int, actor: Actor, at: datetime) -> Delivery:
    """Send `webhook.test` to one endpoint, once. Its outcome stands in the delivery, which is the only record of it.

    Raises NotFound and EndpointDisabled.
    """
    endpoint = _enabled(endpoint_id, operator_id)
    delivery = Delivery(
        operator_id=operator_id,
        endpoint=endpoint,
        fact=None,
        subject=TEST,
        sequence=0,
        next_attempt_at=at,
        created_at=at,
    )
    delivery.save(force_insert=True)
    log.info("endpoint_tested", endpoint=endpoint.public_id, by=str(actor))
    wake(operator_id)
    return delivery


REPLAY = f"""
    INSERT INTO events_delivery AS known
           (operator_id, endpoint_id, fact_id, subject, sequence, status, attempts, tries, next_attempt_at, last_error,
            created_at)
    SELECT f.operator_id, e.id, f.id, f.subject, f.sequence, 'PENDING', 0, 0, statement_timestamp(), '', %(at)s
      FROM events_endpoint e JOIN events_fact f ON f.operator_id = e.operator_id
     WHERE e.id = %(endpoint)s AND f.sequence >= %(first)s AND f.sequence <= %(last)s AND {WANTED}
       AND (%(events)s::text[] IS NULL OR f.type = ANY (%(events)s::text[])
            OR EXISTS (SELECT 1 FROM unnest(%(events)s::text[]) AS p (prefix)
                        WHERE right(p.prefix, 2) = '.*' AND starts_with(f.type, left(p.prefix, -1))))
       AND f.occurred_at >= %(since)s AND f.occurred_at < %(until)s
     ORDER BY f.sequence
        ON CONFLICT (fact_id, endpoint_id) DO UPDATE
       SET status = 'PENDING', tries = 0, next_attempt_at = excluded.next_attempt_at, finished_at = NULL
     WHERE known.status <> 'PENDING'
"""  # noqa: S608 - our own condition


@transaction.atomic
def replay(
    endpoint_id: int,
    *,
    operator_id: int,
    since: datetime | int,
    until: datetime | int | None = None,
    events: Sequence[str] | None = None,
    actor: Actor,
    at: datetime,
) -> Replayed:
    """Queue facts for an endpoint (again), under the ids they always had, in the order of their sequence.

    `since` and `until` are sequence numbers, both included, or moments, the second not included. Of the facts between
    them, those that the endpoint wants, and that match `events` if given: whatever was delivered, exhausted or never
    queued is queued now; what is pending stays as it is. One call looks at 10,000 facts; with `more`, ask again from
    `last_sequence` + 1. Raises NotFound, EndpointDisabled and Invalid.
    """
    endpoint = _enabled(endpoint_id, operator_id)
    if events is not None and not (
        0 < len(events) <= MAX_PATTERNS
        and all(len(given) <= LONGEST_PATTERN and PATTERN.match(given) for given in events)
    ):
        raise Invalid("Invalid events.", fields={"events": ["Names, prefixes such as tournament.*, or *."]})
    head = Stream.objects.filter(operator_id=operator_id).values_list("last_sequence", flat=True).first() or 0
    first = max(1, since if isinstance(since, int) else _sequence_at(operator_id, since, head) - MARGIN)
    end = head if until is None else min(head, until) if isinstance(until, int) else head
    if isinstance(until, datetime):
        end = min(head, _sequence_at(operator_id, until, head) + MARGIN)
    last = min(end, first + REPLAYED_AT_ONCE - 1)
    if last < first:
        return Replayed(0, max(end, 0), more=False)
    with connection.cursor() as cursor:
        cursor.execute(
            REPLAY,
            {
                "endpoint": endpoint.pk,
                "first": first,
                "last": last,
                "events": None if events is None or "*" in events else list(events),
                "since": since if isinstance(since, datetime) else "-infinity",
                "until": until if isinstance(until, datetime) else "infinity",
                "never": list(TOO_FREQUENT),
                "at": at,
            },
        )
        queued = int(cursor.rowcount)
    log.info("facts_replayed", endpoint=endpoint.public_id, first=first, last=last, queued=queued, by=str(actor))
    if queued:
        wake(operator_id)
    return Replayed(queued, last, more=last < end)


def _sequence_at(operator_id: int, moment: datetime, head: int) -> int:
    """Return the number of about the first fact at or after a moment, by halving: there is no index to ask."""
    low, high = 1, head + 1
    while low < high:
        middle = (low + high) // 2
        when = Fact.objects.for_operator(operator_id).filter(sequence=middle).values_list("occurred_at", flat=True)
        if when.get() < moment:
            low = middle + 1
        else:
            high = middle
    return low


def _enabled(endpoint_id: int, operator_id: int) -> Endpoint:
    # Shared with whoever hands facts out; not with whoever is about to disable it.
    rows = Endpoint.objects.for_operator(operator_id).select_for_update(no_key=True)
    endpoint: Endpoint | None = rows.filter(pk=endpoint_id, removed_at=None).first()
    if endpoint is None:
        raise NotFound("There is no such endpoint.")
    if not endpoint.enabled:
        raise EndpointDisabled
    return endpoint


def purge(*, at: datetime) -> int:
    """Forget deliveries that have been over for long, with their attempts; return how many. Facts stay for ever.

    Dead letters are kept longer (`WEBHOOK_KEPT_SECONDS`, `DEAD_LETTERS_KEPT_SECONDS`), and so is what applications may
    still ask for (`HISTORY`). What still waits for an endpoint
    that was removed, or disabled for longer than dead letters are kept, becomes a dead letter first. In small batches;
    what is left over is the next call's.
    """
    kept = at - timedelta(seconds=settings.WEBHOOK_KEPT_SECONDS)
    letters_kept = at - timedelta(seconds=settings.DEAD_LETTERS_KEPT_SECONDS)
    _give_up(letters_kept, at)
    purged = 0
    for status, before in ((DeliveryStatus.DELIVERED, kept), (DeliveryStatus.EXHAUSTED, letters_kept)):
        for _ in range(PURGES):
            found = _purge_batch(status, before, at - HISTORY)
            purged += found
            if found < PURGED_AT_ONCE:
                break
    return purged


GIVE_UP = """
    UPDATE events_delivery SET status = 'EXHAUSTED', finished_at = %(at)s, next_attempt_at = NULL, leased_until = NULL,
           last_error = 'the endpoint takes nothing any more'
     WHERE id IN (SELECT d.id FROM events_endpoint e JOIN events_delivery d ON d.endpoint_id = e.id
                   WHERE NOT e.enabled AND (e.removed_at IS NOT NULL OR e.disabled_at < %(before)s)
                     AND d.status = 'PENDING'
                   LIMIT %(limit)s FOR UPDATE OF d SKIP LOCKED)
"""


def _give_up(before: datetime, at: datetime) -> None:
    for _ in range(PURGES):
        with connection.cursor() as cursor:
            cursor.execute(GIVE_UP, {"at": at, "before": before, "limit": PURGED_AT_ONCE})
            if cursor.rowcount < PURGED_AT_ONCE:
                return


PURGE = """
    WITH old AS (
        SELECT id FROM events_delivery WHERE finished_at < %(before)s AND status = %(status)s
            AND (finished_at < %(history)s
                 OR endpoint_id NOT IN (SELECT id FROM events_endpoint WHERE format = 'RUMBLE'))
         ORDER BY finished_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    ), tried AS (
        DELETE FROM events_attempt WHERE delivery_id IN (SELECT id FROM old)
    )
    SELECT id FROM old
"""


@transaction.atomic
def _purge_batch(status: str, before: datetime, history: datetime) -> int:
    asked: dict[str, Any] = {"before": before, "history": history, "status": status, "limit": PURGED_AT_ONCE}
    with connection.cursor() as cursor:
        cursor.execute(PURGE, asked)
        ids = [row[0] for row in cursor.fetchall()]
        cursor.execute("DELETE FROM events_delivery WHERE id = ANY (%s)", [ids])
    return len(ids)
