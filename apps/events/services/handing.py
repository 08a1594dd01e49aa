"""Hand numbered facts out to the endpoints that want them."""

from django.conf import settings
from django.db import connection

from apps.events.formats import TOO_FREQUENT
from apps.events.models import Endpoint
from apps.events.services import platforms

# Whether an endpoint `e` wants a fact `f`: by name, by prefix, or everything; and by what its payload contains.
WANTED = """
    f.type <> ALL (%(never)s) AND (e.holds IS NULL OR f.data @> e.holds)
    AND (e.events && ARRAY['*', f.type]
         OR EXISTS (SELECT 1 FROM unnest(e.events) AS p (prefix)
                     WHERE right(p.prefix, 2) = '.*' AND starts_with(f.type, left(p.prefix, -1))))
"""

# PostgreSQL's clock, here and in the relay: one clock, so that what is written later is due later.
HAND_OUT = f"""
    INSERT INTO events_delivery
           (operator_id, endpoint_id, fact_id, subject, sequence, status, attempts, tries, next_attempt_at, last_error,
            created_at)
    SELECT f.operator_id, e.id, f.id, f.subject, f.sequence, 'PENDING', 0, 0, statement_timestamp(), '',
           statement_timestamp()
      FROM events_fact f JOIN events_endpoint e ON e.operator_id = f.operator_id AND e.enabled
     WHERE f.operator_id = %(operator)s AND f.sequence > %(after)s AND f.sequence <= %(until)s AND {WANTED}
     ORDER BY f.sequence, e.id
"""  # noqa: S608 - our own condition


def hand_out(operator_id: int, *, after: int, until: int) -> int:
    """Queue the facts with numbers above `after` and up to `until` for every enabled endpoint; return how many.

    Runs in the transaction that gives them their numbers: a fact is either unnumbered or handed out, so nothing is lost
    and nothing comes twice, and no endpoint has a cursor. An endpoint that is made or enabled later gets what is
    numbered from then on; a replay gives it the rest.
    """
    if settings.GAME_PLATFORM_URL:
        platforms.ensure(operator_id)
    if not Endpoint.objects.for_operator(operator_id).filter(enabled=True).exists():
        return 0
    with connection.cursor() as cursor:
        cursor.execute(HAND_OUT, {"operator": operator_id, "after": after, "until": until, "never": list(TOO_FREQUENT)})
        return int(cursor.rowcount)
