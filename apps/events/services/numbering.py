"""Number facts after they have committed."""

from django.db import connection, transaction

from apps.core import doorbell
from apps.events.models import Stream
from apps.events.services.handing import hand_out
from apps.events.wake import wake

SEQUENCER = "events.number_facts"

# Facts numbered in one transaction: large enough to be cheap, small enough that a reader soon sees the first of them.
BATCH = 5000
# Rounds over the operators in one call, so that a worker who is told to stop soon can.
ROUNDS = 10


def number_new_facts() -> int:
    """Number the committed facts of every operator until none is left; return how many.

    Each operator gets a batch a round, so a large settlement of one does not keep the others waiting. After `ROUNDS`
    of them it rings for itself and returns.
    """
    numbered = 0
    for _ in range(ROUNDS):
        operators = operators_with_new_facts()
        if not operators:
            return numbered
        for operator_id in operators:
            numbered += number_facts(operator_id, limit=BATCH)
    doorbell.ring(SEQUENCER)
    return numbered


@transaction.atomic
def number_facts(operator_id: int, *, limit: int = BATCH) -> int:
    """Number up to `limit` of the operator's committed facts in the order of their ids, hand them out; return how many.

    Gap-free per operator, because the counter moves in the transaction that hands out its numbers. A writer that
    commits late keeps nobody waiting: its facts get later numbers than those that were visible before.

    In order per subject, because writers of one subject that must be ordered hold its lock until they commit: the
    second one draws its ids after the first one's facts are visible, so no batch has the second's without the first's.

    Two sequencers queue on the counter's row; no writer ever does.
    """
    stream = _locked_stream(operator_id)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE events_fact f SET sequence = %(last)s + fresh.place
              FROM (SELECT id, row_number() OVER (ORDER BY id) AS place
                      FROM (SELECT id FROM events_fact WHERE operator_id = %(operator)s AND sequence IS NULL
                             ORDER BY id LIMIT %(limit)s) unnumbered) fresh
             WHERE f.id = fresh.id
            """,
            {"operator": operator_id, "last": stream.last_sequence, "limit": limit},
        )
        numbered: int = cursor.rowcount
    before = stream.last_sequence
    stream.last_sequence += numbered
    stream.save(update_fields=["last_sequence"])
    if numbered:
        hand_out(operator_id, after=before, until=stream.last_sequence)
        wake(operator_id)
    return numbered


def _locked_stream(operator_id: int) -> Stream:
    """The lock is a statement of its own: the next one must see what a sequencer before us numbered meanwhile."""
    locked = Stream.objects.select_for_update().filter(operator_id=operator_id)
    stream = locked.first()
    if stream is None:
        Stream.objects.get_or_create(operator_id=operator_id)
        stream = locked.get()
    return stream


def operators_with_new_facts() -> list[int]:
    """Return the operators that have committed facts without a number.

    Steps through the index from one operator to the next, so a long backlog costs no more than a short one.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH RECURSIVE found (operator_id) AS (
                (SELECT operator_id FROM events_fact WHERE sequence IS NULL ORDER BY operator_id LIMIT 1)
                UNION ALL
                SELECT (SELECT operator_id FROM events_fact
                         WHERE sequence IS NULL AND operator_id > found.operator_id ORDER BY operator_id LIMIT 1)
                  FROM found WHERE found.operator_id IS NOT NULL
            )
            SELECT operator_id FROM found WHERE operator_id IS NOT NULL
            """
        )
        return [operator_id for (operator_id,) in cursor.fetchall()]
