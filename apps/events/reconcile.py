"""The stream against its counter."""

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


CHECKS: tuple[Check, ...] = (the_stream_has_no_gap,)
