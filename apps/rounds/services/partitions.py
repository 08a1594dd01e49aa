"""Make room for rounds ahead of time, and let go of old ones.

A partition holds the rounds received in one day, week or month (ROUNDS_PARTITION), UTC. Its name says its range, which
is never wider than asked, so that the width may change while rounds come in. None may be missing when it is needed, and
yet nothing breaks if one is: the default partition takes the rounds, and making the missing one moves them.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.backends.utils import CursorWrapper

log = structlog.get_logger(__name__)

TABLE = "rounds_round"
DEFAULT = "rounds_round_default"
NAMED = re.compile(r"^rounds_round_(\d{8})_(\d{8})$")
# Enough for a beat that is down over a long holiday.
AHEAD = timedelta(days=30)
# One maker at a time; the number is nobody else's.
LOCK = 7_726_001
# Behind a lock that is waited for, everybody waits.
PATIENCE = "2s"

PARTITIONS = """
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = 'rounds_round'::regclass
"""
STRAYS = f"SELECT DISTINCT date_trunc('day', received_at AT TIME ZONE 'UTC') FROM {DEFAULT}"  # noqa: S608 - constant


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A range of time, its end excluded; both are midnights in UTC."""

    start: datetime
    end: datetime

    @property
    def name(self) -> str:
        """The partition's name."""
        return f"{TABLE}_{self.start:%Y%m%d}_{self.end:%Y%m%d}"


class _Ready:
    """Until when this process knows partitions to exist, and when it may look again after a failure."""

    until = datetime.min.replace(tzinfo=UTC)


def be_ready(*, at: datetime) -> None:
    """See to it that there is a partition for `at`; costs nothing when this process knows one. Never raises.

    The beat makes partitions long before; this is for the first rounds ever, and for a beat that is down.
    """
    if at < _Ready.until:
        return
    try:
        prepare(at=at)
    except DatabaseError as problem:
        log.warning("rounds_partition_not_made", problem=str(problem))
    # Whatever happened, the next call needn't wait for it: the default partition takes what has no other.
    _Ready.until = max(at + timedelta(minutes=1), _end_of(at, "day"))


def prepare(*, at: datetime) -> list[str]:
    """Make every partition that is missing between `at` and 30 days later, and for stray rounds; return their names."""
    made = []
    with _alone():
        spans = spans_of_partitions()
        for day in [*_strays(), *_days(at, at + AHEAD)]:
            if not any(span.start <= day < span.end for span in spans):
                span = _missing(day, spans)
                _make(span)
                spans.append(span)
                made.append(span.name)
    return made


def expire(*, at: datetime) -> list[str]:
    """Let go of partitions that ended more than ROUNDS_KEPT_DAYS ago; return their names. Keys stay for ever.

    ROUNDS_EXPIRED says how: `drop` deletes them, `detach` leaves them as tables of their own, to be archived. One with
    rounds that wait to be counted stays, and one whose rounds an open tournament may have to count anew.
    """
    if not settings.ROUNDS_KEPT_DAYS:
        return []
    before = at - timedelta(days=settings.ROUNDS_KEPT_DAYS)
    gone = []
    for span in sorted(spans_of_partitions()):
        if span.end > before:
            break
        with _alone() as cursor:
            cursor.execute(
                "SELECT EXISTS (SELECT FROM rounds_pendinground WHERE received_at >= %s AND received_at < %s)"
                " OR EXISTS (SELECT FROM rounds_setasideround WHERE released_at IS NULL"
                "             AND received_at >= %s AND received_at < %s)"
                " OR EXISTS (SELECT FROM rounds_rule u JOIN rounds_watch w ON w.tournament_id = u.tournament_id"
                "             WHERE u.since < %s)",
                [span.start, span.end, span.start, span.end, span.end],
            )
            if cursor.fetchone()[0]:
                log.warning("rounds_partition_kept", partition=span.name)
                continue
            cursor.execute(f"ALTER TABLE {TABLE} DETACH PARTITION {span.name}")
            if settings.ROUNDS_EXPIRED == "drop":
                cursor.execute(f"DROP TABLE {span.name}")
            gone.append(span.name)
    return gone


def spans_of_partitions() -> list[Span]:
    """Return the ranges of the partitions there are, the default one aside."""
    with connection.cursor() as cursor:
        cursor.execute(PARTITIONS)
        matches = [NAMED.match(name) for (name,) in cursor.fetchall()]
    return [Span(_midnight(match[1]), _midnight(match[2])) for match in matches if match]


def _midnight(digits: str) -> datetime:
    return datetime.strptime(digits, "%Y%m%d").replace(tzinfo=UTC)


@contextmanager
def _alone() -> Iterator[CursorWrapper]:
    """A transaction in which nobody else changes partitions. Raises OperationalError if a lock is long in coming."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [PATIENCE])
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        yield cursor


def _days(start: datetime, end: datetime) -> Iterator[datetime]:
    day = _start_of(start, "day")
    while day <= end:
        yield day
        day += timedelta(days=1)


def _strays() -> list[datetime]:
    with connection.cursor() as cursor:
        cursor.execute(STRAYS)
        return sorted(day.replace(tzinfo=UTC) for (day,) in cursor.fetchall())


def _start_of(moment: datetime, width: str) -> datetime:
    day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if width == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if width == "month" else day


def _end_of(moment: datetime, width: str) -> datetime:
    return _start_of(_start_of(moment, width) + timedelta(days={"day": 1, "week": 7, "month": 31}[width]), width)


def _missing(day: datetime, spans: list[Span]) -> Span:
    """Return the widest span around a day that the width allows and that touches no other."""
    width = settings.ROUNDS_PARTITION
    start = max([_start_of(day, width), *(span.end for span in spans if span.end <= day)])
    end = min([_end_of(day, width), *(span.start for span in spans if span.start > day)])
    return Span(start, end)


def _make(span: Span) -> None:
    """Make a table, move into it what strayed into the default partition, and attach it.

    Attaching lets others go on writing; creating a partition in place would make them wait. Only who writes into the
    default partition waits, and is then told to look again (`intake`): else a row could slip in after the move.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {DEFAULT} IN ACCESS EXCLUSIVE MODE")
        cursor.execute(f"CREATE TABLE {span.name} (LIKE {TABLE} INCLUDING ALL)")
        cursor.execute(
            f"WITH moved AS (DELETE FROM {DEFAULT} WHERE received_at >= %s AND received_at < %s RETURNING *)"  # noqa: S608 - our own names
            f" INSERT INTO {span.name} SELECT * FROM moved",
            [span.start, span.end],
        )
        # Parameters don't go into definitions when the server binds them.
        bounds = f"FROM ('{span.start.isoformat()}') TO ('{span.end.isoformat()}')"
        cursor.execute(f"ALTER TABLE {TABLE} ATTACH PARTITION {span.name} FOR VALUES {bounds}")
