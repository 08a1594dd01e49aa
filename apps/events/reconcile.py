"""The stream against its counter, and the deliveries against the stream."""

from collections.abc import Iterator

from apps.core.drift import Check, Drift, rows


def the_stream_has_no_gap(operator_id: int) -> Iterator[Drift]:
    """Numbers run from 1 to the counter, none missing."""
    # One statement sees one moment: the sequencer may be at work.
    query = """
        SELECT COALESCE((SELECT last_sequence FROM events_stream WHERE operator_id = %(operator)s), 0),
               COUNT(*), MIN(sequence), MAX(sequence)
          FROM events_fact
         WHERE operator_id = %(operator)s AND sequence IS NOT NULL
    """
    [(counter, found, first, last)] = rows(query, operator_id)
    if (found, first or 1, last or 0) != (counter, 1, counter):
        yield Drift("facts", "stream", f"the counter says {counter}; {found} facts from {first} to {last}")


def deliveries_are_of_facts_of_the_operator(operator_id: int) -> Iterator[Drift]:
    """Every delivery carries a numbered fact of the endpoint's own operator, under the fact's number and subject."""
    query = """
        SELECT d.id, e.public_id, d.sequence, f.sequence, f.operator_id, d.operator_id
          FROM events_endpoint e
          JOIN events_delivery d ON d.endpoint_id = e.id
          LEFT JOIN events_fact f ON f.id = d.fact_id
         WHERE e.operator_id = %(operator)s
           AND (d.operator_id <> e.operator_id
                OR d.fact_id IS NOT NULL
                   AND (f.id IS NULL OR f.operator_id <> e.operator_id OR f.subject <> d.subject
                        OR f.sequence IS DISTINCT FROM d.sequence))
         ORDER BY d.id LIMIT 100
    """
    for pk, endpoint, said, number, owner, whose in rows(query, operator_id):
        yield Drift(
            "deliveries",
            f"delivery:{pk}",
            f"to {endpoint} as number {said} of operator {whose}; its fact is number {number} of operator {owner}",
        )


def delivered_means_answered(operator_id: int) -> Iterator[Drift]:
    """What counts as delivered was answered with a 2xx, and was tried."""
    query = """
        SELECT d.id, d.attempts, d.last_status
          FROM events_endpoint e JOIN events_delivery d ON d.endpoint_id = e.id
         WHERE e.operator_id = %s AND d.status = 'DELIVERED'
           AND (d.attempts = 0 OR d.last_status IS NULL OR d.last_status NOT BETWEEN 200 AND 299)
         ORDER BY d.id LIMIT 100
    """
    for pk, attempts, status in rows(query, operator_id):
        yield Drift("deliveries", f"delivery:{pk}", f"delivered after {attempts} attempts with status {status}")


CHECKS: tuple[Check, ...] = (
    the_stream_has_no_gap,
    deliveries_are_of_facts_of_the_operator,
    delivered_means_answered,
)
