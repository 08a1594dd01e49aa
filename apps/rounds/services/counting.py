"""Count what comes in, by integration and minute, at next to no cost for who brings it.

A call adds to numbers in memory; a thread of this process writes them down every COUNT_SECONDS, as one statement, and
ends when nothing comes any more. A process that is killed loses the counts of its last seconds, never a round.
"""

import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec
import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from apps.rounds.models import IntakeMinute

log = structlog.get_logger(__name__)

# How long counts are kept.
KEPT = timedelta(days=8)
# calls, rounds, fresh, queued, refused, shed
COUNTS = 6

ADD = """
    INSERT INTO rounds_intakeminute (operator_id, integration, minute, calls, rounds, fresh, queued, refused, shed)
    SELECT o, i, m, c[1], c[2], c[3], c[4], c[5], c[6]
      FROM jsonb_to_recordset(%s::jsonb) AS s(o bigint, i text, m timestamptz, c bigint[])
     ORDER BY m, o, i
    ON CONFLICT (minute, operator_id, integration) DO UPDATE
       SET calls = rounds_intakeminute.calls + EXCLUDED.calls, rounds = rounds_intakeminute.rounds + EXCLUDED.rounds,
           fresh = rounds_intakeminute.fresh + EXCLUDED.fresh, queued = rounds_intakeminute.queued + EXCLUDED.queued,
           refused = rounds_intakeminute.refused + EXCLUDED.refused, shed = rounds_intakeminute.shed + EXCLUDED.shed
"""

Key = tuple[int, str, int]


class _Counts:
    """What this process has counted and not written down."""

    lock = threading.Lock()
    kept: dict[Key, list[int]] = {}
    writer: threading.Thread | None = None


def count(
    operator_id: int,
    integration: str,
    *,
    calls: int = 1,
    rounds: int = 0,
    fresh: int = 0,
    queued: int = 0,
    refused: int = 0,
    shed: int = 0,
    at: datetime,
) -> None:
    """Count calls of an integration and what became of them. Never raises, never asks the database."""
    key = (operator_id, integration, int(at.timestamp()) // 60)
    with _Counts.lock:
        kept = _Counts.kept.get(key)
        if kept is None:
            kept = _Counts.kept[key] = [0] * COUNTS
        kept[0] += calls
        kept[1] += rounds
        kept[2] += fresh
        kept[3] += queued
        kept[4] += refused
        kept[5] += shed
        if _Counts.writer is None and settings.ROUNDS_COUNT_SECONDS:
            _Counts.writer = threading.Thread(target=_write_on, name="intake-counts", daemon=True)
            _Counts.writer.start()


def write_down() -> int:
    """Write down what was counted; return of how many minutes. Raises DatabaseError, and then nothing is forgotten."""
    with _Counts.lock:
        taken, _Counts.kept = _Counts.kept, {}
    if not taken:
        return 0
    try:
        _add(taken)
    except BaseException:
        with _Counts.lock:
            for key, counts in taken.items():
                kept = _Counts.kept.setdefault(key, [0] * COUNTS)
                _Counts.kept[key] = [one + other for one, other in zip(kept, counts, strict=True)]
        raise
    return len(taken)


def forget_old(*, at: datetime) -> int:
    """Remove counts older than a week and a day; return how many."""
    gone, _ = IntakeMinute.objects.filter(minute__lt=at - KEPT).delete()
    return gone


def _add(taken: Mapping[Key, list[int]]) -> None:
    rows = [
        {"o": operator_id, "i": integration, "m": datetime.fromtimestamp(minute * 60, UTC), "c": counts}
        for (operator_id, integration, minute), counts in taken.items()
    ]
    with connection.cursor() as cursor:
        cursor.execute(ADD, [msgspec.json.encode(rows).decode()])


def _write_on() -> None:
    """Write down until a whole pause brought nothing, then end; the next count starts another."""
    try:
        while True:
            time.sleep(settings.ROUNDS_COUNT_SECONDS)
            try:
                write_down()
            except (DatabaseError, InterfaceError) as problem:
                connection.close()
                log.warning("intake_counts_not_written", problem=str(problem))
            with _Counts.lock:
                if not _Counts.kept:
                    _Counts.writer = None
                    return
    except BaseException:
        _Counts.writer = None
        raise
    finally:
        connection.close()
