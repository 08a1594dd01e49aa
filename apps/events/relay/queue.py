"""The queue of deliveries, as the relay uses it: take what is due, note what came of it, each in a few statements.

The clock is PostgreSQL's throughout: relays on machines whose clocks differ agree on what is due.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, takewhile
from typing import Any

import msgspec
from django.db import connection, transaction

from apps.events.formats import Outgoing, keeps_order, told_by_test
from apps.events.relay.lanes import Chain, Share

# Deliveries about one subject that are taken together, and sent one after the other.
CHAIN = 20
# How long a chain may go on beginning to send; what is left of it is given back.
CHAIN_SECONDS = 5.0
# How long what was taken is nobody else's: a chain, one whole call, and room. After a crash it is due again then.
LEASE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Place:
    """An endpoint as the relay needs it; `secrets` and `token` are sealed."""

    id: int
    operator_id: int
    operator_public_id: str
    public_id: str
    url: str
    format: str
    ordered: bool
    secrets: Sequence[str]
    token: str

    @property
    def in_order(self) -> bool:
        """Whether what follows a failure in a chain has to wait."""
        return self.ordered or keeps_order(self.format)


@dataclass(frozen=True, slots=True)
class Taken:
    """One delivery that is ours to send: `number` counts its attempts, `tries` those since it was queued last."""

    id: int
    place: Place
    number: int
    tries: int
    fact: Outgoing
    is_test: bool


@dataclass(slots=True)
class Outcome:
    """What came of one delivery that was taken: `status` says where it stands now.

    `wait`: seconds until the next try, for one that is still PENDING. `sent` is what the attempt left on record; None
    gives the delivery back untried.
    """

    id: int
    number: int
    status: str
    wait: float = 0.0
    last_status: int | None = None
    error: str = ""
    sent: Mapping[str, Any] | None = None


# Endpoints that have something due, each locked until the end of the transaction: whoever looks for work of an endpoint
# must see what the others have taken, or two would send parts of one subject side by side. Steps through the index from
# one endpoint to the next, so a long queue costs no more than a short one.
PLACES = """
    WITH RECURSIVE waiting (endpoint_id) AS (
        (SELECT endpoint_id FROM events_delivery WHERE status = 'PENDING' ORDER BY endpoint_id LIMIT 1)
        UNION ALL
        SELECT (SELECT endpoint_id FROM events_delivery
                 WHERE status = 'PENDING' AND endpoint_id > waiting.endpoint_id ORDER BY endpoint_id LIMIT 1)
          FROM waiting WHERE waiting.endpoint_id IS NOT NULL
    )
    SELECT e.id, e.operator_id, o.public_id, e.public_id, e.url, e.format, e.ordered,
           array_remove(ARRAY[e.secret, CASE WHEN e.previous_secret_until > statement_timestamp()
                                             THEN e.previous_secret ELSE '' END], '') AS secrets, e.token
      FROM waiting w JOIN events_endpoint e ON e.id = w.endpoint_id JOIN operators_operator o ON o.id = e.operator_id
     WHERE e.enabled AND e.id <> ALL (%(busy)s) AND e.format = ANY (%(formats)s)
       AND EXISTS (SELECT 1 FROM events_delivery d
                    WHERE d.endpoint_id = e.id AND d.status = 'PENDING' AND d.next_attempt_at <= statement_timestamp()
                      AND (d.leased_until IS NULL OR d.leased_until <= statement_timestamp()))
       FOR NO KEY UPDATE OF e SKIP LOCKED
"""

# What is due at endpoints that need no strict order, oldest first, without subjects of which something is being sent;
# where subjects keep their order, nothing that comes after what is tried again later.
DUE = """
    SELECT d.id, d.endpoint_id, d.subject, d.sequence
      FROM unnest(%(ids)s::bigint[], %(limits)s::int[], %(kept)s::bool[]) AS w (endpoint_id, most, kept)
     CROSS JOIN LATERAL (
           SELECT COALESCE(array_agg(DISTINCT o.subject), '{}') AS subjects FROM events_delivery o
            WHERE o.endpoint_id = w.endpoint_id AND o.leased_until > statement_timestamp()) busy
     CROSS JOIN LATERAL (
           SELECT d.id, d.endpoint_id, d.subject, d.sequence FROM events_delivery d
            WHERE d.endpoint_id = w.endpoint_id AND d.status = 'PENDING'
              AND d.next_attempt_at <= statement_timestamp() AND d.subject <> ALL (busy.subjects)
              AND NOT (w.kept AND EXISTS (
                  SELECT 1 FROM events_delivery b
                   WHERE b.endpoint_id = d.endpoint_id AND b.status = 'PENDING' AND b.sequence < d.sequence
                     AND b.subject = d.subject
                     AND (b.next_attempt_at > statement_timestamp() OR b.next_attempt_at > d.next_attempt_at)))
            ORDER BY d.next_attempt_at, d.sequence LIMIT w.most) d
"""

# The head of the line of endpoints that are strictly ordered; nothing when the head has to wait or is being sent.
LINE = """
    SELECT d.id, d.endpoint_id, d.sequence,
           d.next_attempt_at <= statement_timestamp()
           AND (d.leased_until IS NULL OR d.leased_until <= statement_timestamp()) AS due
      FROM unnest(%(ids)s::bigint[]) AS w (endpoint_id)
     CROSS JOIN LATERAL (
           SELECT d.id, d.endpoint_id, d.sequence, d.next_attempt_at, d.leased_until FROM events_delivery d
            WHERE d.endpoint_id = w.endpoint_id AND d.status = 'PENDING' ORDER BY d.sequence LIMIT %(chain)s) d
     ORDER BY d.endpoint_id, d.sequence
"""

# The attempt is counted and the next one booked before anything is sent: what a relay leaves behind is due when its
# lease has run out. It keeps its place in the queue meanwhile, and so stays before what follows it in its subject.
TAKE = """
    UPDATE events_delivery d
       SET attempts = d.attempts + 1, tries = d.tries + 1,
           leased_until = statement_timestamp() + %(lease)s * interval '1 second'
      FROM events_delivery old LEFT JOIN events_fact f ON f.id = old.fact_id
     WHERE d.id = ANY (%(ids)s) AND old.id = d.id
       AND d.status = 'PENDING' AND (d.leased_until IS NULL OR d.leased_until <= statement_timestamp())
    RETURNING d.id, d.endpoint_id, d.attempts, d.tries, d.subject, d.sequence, d.created_at,
              f.public_id, f.type, f.data::text, f.occurred_at
"""

# What a late answer says about a delivery that another relay has taken meanwhile: only that it arrived.
NOTE = """
    WITH told AS (
        SELECT * FROM jsonb_to_recordset(%(told)s::jsonb) AS t
               (id bigint, number int, status text, wait float8, last_status int, error text, sent jsonb)
    ), moved AS (
        UPDATE events_delivery d
           SET status = t.status, leased_until = NULL,
               next_attempt_at = CASE WHEN t.status <> 'PENDING' THEN NULL
                                      WHEN t.sent IS NULL THEN d.next_attempt_at
                                      ELSE statement_timestamp() + t.wait * interval '1 second' END,
               finished_at = CASE WHEN t.status <> 'PENDING' THEN statement_timestamp() END,
               attempts = d.attempts - (t.sent IS NULL)::int, tries = d.tries - (t.sent IS NULL)::int,
               last_status = CASE WHEN t.sent IS NULL THEN d.last_status ELSE t.last_status END,
               last_error = CASE WHEN t.sent IS NULL THEN d.last_error ELSE t.error END
          FROM told t
         WHERE d.id = t.id AND d.status = 'PENDING' AND (t.status = 'DELIVERED' OR d.attempts = t.number)
    )
    INSERT INTO events_attempt (delivery_id, number, uuid, started_at, milliseconds, request_headers, body_digest,
                                body_bytes, status, answer, error)
    SELECT t.id, t.number, s.uuid, s.started_at, s.milliseconds, s.headers, s.digest, s.bytes, t.last_status, s.answer,
           t.error
      FROM told t CROSS JOIN LATERAL jsonb_to_record(t.sent) AS s
           (uuid uuid, started_at timestamptz, milliseconds int, headers jsonb, digest text, bytes int, answer text)
     WHERE t.sent IS NOT NULL
        ON CONFLICT DO NOTHING
"""


@transaction.atomic
def take(share: Share, *, formats: Sequence[str]) -> list[list[Taken]]:
    """Take what is due, for this relay alone, as chains: deliveries to be sent one after the other.

    A chain is one subject's at one endpoint, or a strictly ordered endpoint's.
    """
    places = _places(share.full, formats)
    if not places:
        return []
    offered = [
        *_ordered([place for place in places.values() if place.ordered]),
        *_by_subject([place for place in places.values() if not place.ordered], share),
    ]
    chains = share.choose(offered)
    taken = _taken([delivery for _, chain in chains for delivery in chain], places)
    return [found for _, chain in chains if (found := [taken[pk] for pk in chain if pk in taken])]


def _places(busy: Collection[int], formats: Sequence[str]) -> dict[int, Place]:
    with connection.cursor() as cursor:
        cursor.execute(PLACES, {"busy": list(busy), "formats": list(formats)})
        return {row[0]: Place(*row) for row in cursor.fetchall()}


def _ordered(places: Sequence[Place]) -> list[Chain]:
    if not places:
        return []
    with connection.cursor() as cursor:
        cursor.execute(LINE, {"ids": [place.id for place in places], "chain": CHAIN})
        rows = cursor.fetchall()
    lines = [
        (endpoint_id, [row[0] for row in takewhile(lambda row: row[3], line)])
        for endpoint_id, line in groupby(rows, key=lambda row: row[1])
    ]
    return [(endpoint_id, chain) for endpoint_id, chain in lines if chain]


def _by_subject(places: Sequence[Place], share: Share) -> list[Chain]:
    if not places:
        return []
    room = {place.id: share.room_of(place.id) for place in places}
    asked: dict[str, Any] = {
        "ids": list(room),
        "limits": [chains * CHAIN for chains in room.values()],
        "kept": [keeps_order(place.format) for place in places],
    }
    with connection.cursor() as cursor:
        cursor.execute(DUE, asked)
        rows = cursor.fetchall()
    chains: dict[tuple[int, str], list[tuple[int, int]]] = {}
    count: dict[int, int] = {}
    for pk, endpoint_id, subject, sequence in rows:
        chain = chains.get((endpoint_id, subject))
        if chain is None:
            if count.get(endpoint_id, 0) >= room[endpoint_id]:
                continue
            count[endpoint_id] = count.get(endpoint_id, 0) + 1
            chain = chains[endpoint_id, subject] = []
        if len(chain) < CHAIN:
            chain.append((sequence, pk))
    return [(endpoint_id, [pk for _, pk in sorted(chain)]) for (endpoint_id, _), chain in chains.items()]


def _taken(ids: Sequence[int], places: Mapping[int, Place]) -> dict[int, Taken]:
    if not ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(TAKE, {"ids": list(ids), "lease": LEASE_SECONDS})
        rows = cursor.fetchall()
    found = {}
    for pk, endpoint_id, attempts, tries, subject, sequence, created_at, public_id, type_, data, occurred_at in rows:
        place = places[endpoint_id]
        if public_id is None:
            fact = told_by_test(pk, created_at, place.public_id, place.operator_public_id)
        else:
            fact = Outgoing(
                public_id, type_, subject, sequence, msgspec.Raw(data.encode()), occurred_at, place.operator_public_id
            )
        found[pk] = Taken(pk, place, attempts, tries, fact, is_test=public_id is None)
    return found


_encoder = msgspec.json.Encoder()


def note(outcomes: Iterable[Outcome]) -> None:
    """Write down what came of deliveries, and of the attempts that were made."""
    told = [
        {
            "id": outcome.id,
            "number": outcome.number,
            "status": outcome.status,
            "wait": outcome.wait,
            "last_status": outcome.last_status,
            "error": outcome.error[:300],
            "sent": outcome.sent,
        }
        for outcome in outcomes
    ]
    with connection.cursor() as cursor:
        cursor.execute(NOTE, {"told": _encoder.encode(told).decode()})
