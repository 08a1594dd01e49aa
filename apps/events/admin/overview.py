"""The first page's word on deliveries: who is told what happens, and where that does not work."""

from collections.abc import Iterator
from datetime import timedelta

from django.db import connection
from django.http import HttpRequest

from apps.core import clock
from apps.core.admin import Panel, formats, operators_of, panel
from apps.core.admin.formats import Tone
from apps.events.admin import looks
from apps.events.models import Endpoint, Queue

# Of each kind; with more of them their lists are the better place.
LOOKED_AT = 40
SHOWN = 6
WORST_FIRST: dict[Tone, int] = {"red": 0, "amber": 1, "green": 2, "grey": 3}

# Both kinds with one query: the first page is many panels. Bounded for each endpoint, as `looks.HEALTH` is.
STANDING = """
    SELECT 'endpoint', e.id, COALESCE(NULLIF(e.description, ''), e.public_id), e.enabled, e.failing_since, 0, '',
           e.last_success_at, seen.well, seen.tried, line.waiting
      FROM (SELECT * FROM events_endpoint
             WHERE removed_at IS NULL AND (%(ids)s::bigint[] IS NULL OR operator_id = ANY (%(ids)s))
             ORDER BY failing_since, id DESC LIMIT %(rows)s) e
     CROSS JOIN LATERAL (
           SELECT count(*) FILTER (WHERE well) AS well, count(*) FILTER (WHERE tried) AS tried
             FROM (SELECT status = 'DELIVERED' AS well, status <> 'PENDING' OR last_error <> '' AS tried, created_at
                     FROM events_delivery d WHERE d.endpoint_id = e.id ORDER BY d.id DESC LIMIT %(most)s) newest
            WHERE created_at >= %(day)s) seen
     CROSS JOIN LATERAL (
           SELECT count(*) AS waiting
             FROM (SELECT 1 FROM events_delivery d
                    WHERE d.endpoint_id = e.id AND d.status = 'PENDING' LIMIT %(most)s) first) line
     UNION ALL
    SELECT 'queue', q.id, q.name, q.enabled, NULL, q.failures, q.url, q.last_success_at, 0, 0,
           GREATEST(COALESCE(s.last_sequence, 0) - q.after_sequence, 0) + jsonb_array_length(q.held)
      FROM (SELECT * FROM events_queue WHERE %(ids)s::bigint[] IS NULL OR operator_id = ANY (%(ids)s)
             ORDER BY failures DESC, id DESC LIMIT %(rows)s) q
      LEFT JOIN events_stream s ON s.operator_id = q.operator_id
"""


@panel(order=45)
def deliveries(request: HttpRequest) -> Panel | None:
    """Endpoints and queues, the troubled ones first."""
    if not request.user.has_perm("events.view_endpoint"):
        return None
    lines = sorted(_lines(request), key=lambda line: line[0])
    context = {
        "headers": ("To", "State", "Waiting", "Arrived, last day"),
        "rows": [row for _, row in lines[:SHOWN]],
        "empty": "Nobody is told: no webhook endpoint and no queue is set up.",
    }
    more = ("All endpoints", formats.list_url("events.endpoint"))
    return Panel("Deliveries", "podium/panel_table.html", context, more=more)


def _lines(request: HttpRequest) -> Iterator[tuple[int, tuple[object, ...]]]:
    ids = operators_of(request.user)
    asked = {
        "ids": None if ids is None else sorted(ids),
        "rows": LOOKED_AT,
        "most": looks.LOOKED_AT,
        "day": clock.now() - timedelta(days=1),
    }
    with connection.cursor() as cursor:
        cursor.execute(STANDING, asked)
        rows = cursor.fetchall()
    for kind, pk, name, enabled, failing_since, failures, url, succeeded, well, tried, waiting in rows:
        one: Endpoint | Queue
        if kind == "endpoint":
            one = Endpoint(
                pk=pk, description=name, enabled=enabled, failing_since=failing_since, last_success_at=succeeded
            )
            state, tone = looks.endpoint_state(one, health=looks.Health(hour=(well, tried)))
        else:
            one = Queue(pk=pk, name=name, enabled=enabled, failures=failures, url=url, last_success_at=succeeded)
            state, tone = looks.queue_state(one)
        waits = f"{formats.number(waiting)}{'+' if kind == 'endpoint' and waiting == looks.LOOKED_AT else ''}"
        shown = (formats.row_link(one), formats.badge(state, tone), waits, looks.share((well, tried)))
        yield WORST_FIRST.get(tone, 3), shown
