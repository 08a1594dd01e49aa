"""Take rounds in: judged, remembered for ever, stored and queued by one statement, before anyone is told so.

Twice is once: the key of a round id is unique for its integration for all time, also over partitions and among calls
at the same moment. What came first stays; the same id with other content is only logged (rounds.md 3.1).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
import structlog
from django.conf import settings
from django.db import IntegrityError, InterfaceError, OperationalError, connection
from psycopg.errors import CheckViolation

from apps.core import doorbell
from apps.core.postgresql.binding import binding_cursor
from apps.core.together import Together
from apps.rounds.reading import ToldRound
from apps.rounds.services import counting, partitions

log = structlog.get_logger(__name__)

# The scorer's bell. Thousands of calls a second ring it, and one ring is as good as many.
SCORE = "rounds.score"
bell = doorbell.Often(SCORE, seconds=0.02)

TAKE = "SELECT fresh, wanted, queued FROM rounds_take(%s::json, %s, %s, %s, %s)"

# Rounds whose ids are taken, as they were told first; without their content if their partition is gone.
FIRST_TOLD = """
    SELECT k.digest, r.number IS NOT NULL, r.watched, b.external_id, g.slug, r.player_ref, r.round_type, r.currency,
           r.bet, r.win, r.occurred_at
      FROM unnest(%s::uuid[], %s::text[]) AS asked(digest, round_id)
      JOIN rounds_roundkey k USING (digest)
      LEFT JOIN rounds_round r ON r.received_at = k.received_at AND r.round_id = asked.round_id
                              AND r.operator_id = %s AND r.integration = %s
      LEFT JOIN operators_brand b ON b.id = r.brand_id
      LEFT JOIN operators_game g ON g.id = r.game_id
"""


class _Row(msgspec.Struct):
    """A round as the database function reads it."""

    n: int
    k: str
    o: datetime
    r: str
    b: str
    p: str
    g: str
    t: str
    c: str
    a: Decimal
    w: Decimal

    def content(self) -> tuple[object, ...]:
        """Return what a repetition should say again."""
        return self.b, self.g, self.p, self.t, self.c, self.a, self.w, self.o


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of the rounds of one call: how many were new, and whether any of them counts for a tournament.

    `relevant` is also true for repetitions of rounds that counted when they came first.
    """

    fresh: int
    queued: int
    relevant: bool


class _Single(NamedTuple):
    """A round that came alone, whose it is, and when it came."""

    told: ToldRound
    operator_id: int
    integration: str
    at: datetime


def digest_of(operator_id: int, integration: str, round_id: str) -> str:
    """Return the key of a round id, as the hexadecimal digits of a UUID. No integration's name holds a slash."""
    return hashlib.sha256(f"{operator_id}/{integration}/{round_id}".encode()).hexdigest()[:32]


def take(rounds: Sequence[ToldRound], *, operator_id: int, integration: str, calls: int = 1, at: datetime) -> Taken:
    """Store the rounds that are new and whose brand and game are known and enabled, and queue those that count.

    `rounds` are as `reading` returns them; `calls` is how many requests or messages brought them. They are durable when
    this returns. An id that occurs twice in the call is taken as it stands first.
    """
    rows = _rows(rounds, operator_id, integration)
    if not rows:
        counting.count(operator_id, integration, calls=calls, at=at)
        return Taken(0, 0, relevant=False)
    fresh, wanted, queued = _store(rows, len(rounds), operator_id, integration, calls=calls, at=at)
    relevant = wanted > 0
    if fresh < len(rows):
        relevant = bool(_compare(rows, operator_id, integration, fresh)) or relevant
    return Taken(fresh, queued, relevant)


def take_single(told: ToldRound, *, operator_id: int, integration: str, at: datetime) -> bool:
    """Store one round as `take` does, with those that other threads bring meanwhile; tell whether it counts.

    A statement and a commit for each would cost several times what all else does that a single round needs.
    """
    single = _Single(told, operator_id, integration, at)
    if connection.in_atomic_block:  # what commits with the caller's work can't go with that of others
        return _take_singles([single])[0]
    return _singles.do(single)


def _take_singles(singles: Sequence[_Single]) -> list[bool]:
    """Store rounds that came alone, those of each integration by one statement; tell of each whether it counts."""
    by_sender: dict[tuple[int, str], list[_Single]] = {}
    for single in singles:
        by_sender.setdefault((single.operator_id, single.integration), []).append(single)
    relevant: set[tuple[int, str, str]] = set()
    for (operator_id, integration), theirs in by_sender.items():
        rows = _rows([single.told for single in theirs], operator_id, integration)
        at = max(single.at for single in theirs)
        fresh, wanted, _ = _store(rows, len(theirs), operator_id, integration, calls=len(theirs), at=at)
        counts = {*rows} if wanted == len(rows) else set()
        if fresh < len(rows) or 0 < wanted < len(rows):
            counts |= _compare(rows, operator_id, integration, fresh)
        relevant |= {(operator_id, integration, rows[digest].r) for digest in counts}
    return [(single.operator_id, single.integration, single.told.round_id) in relevant for single in singles]


_singles = Together(_take_singles, most=100, blameless=(OperationalError, InterfaceError))


def _store(
    rows: Mapping[str, _Row], told: int, operator_id: int, integration: str, *, calls: int, at: datetime
) -> tuple[int, int, int]:
    """Write the rounds down; return how many were new, are wanted by a tournament, and were queued for the scorer."""
    partitions.be_ready(at=at)
    body = msgspec.json.encode([*rows.values()]).decode()
    fresh, wanted, queued = _write([body, operator_id, integration, at, settings.ROUNDS_KEEP_UNWATCHED])
    counting.count(operator_id, integration, calls=calls, rounds=told, fresh=fresh, queued=queued, at=at)
    if queued:
        bell.ring()
    return fresh, wanted, queued


def _write(parameters: list[Any]) -> tuple[int, int, int]:
    """Run the statement; once more if the partition was made while it was looking for one."""
    for again in (True, False):
        try:
            with binding_cursor() as cursor:
                cursor.execute(TAKE, parameters)
                found: tuple[int, int, int] = cursor.fetchone()
                return found
        except IntegrityError as problem:
            # PostgreSQL's word for "this row no longer belongs into the default partition".
            if not again or not isinstance(problem.__cause__, CheckViolation) or connection.in_atomic_block:
                raise
    raise AssertionError


def _rows(rounds: Sequence[ToldRound], operator_id: int, integration: str) -> dict[str, _Row]:
    rows: dict[str, _Row] = {}
    for place, told in enumerate(rounds):
        digest = digest_of(operator_id, integration, told.round_id)
        if digest not in rows:
            rows[digest] = _Row(
                place, digest, told.timestamp, told.round_id, told.brand_id, told.player_id, told.game_id,
                told.round_type, told.currency.upper(), told.bet_amount, told.win_amount,
            )  # fmt: skip
    return rows


def _compare(rows: Mapping[str, _Row], operator_id: int, integration: str, fresh: int) -> set[str]:
    """Log what was not stored, and repetitions that say something else; return those that counted the first time."""
    with connection.cursor() as cursor:
        cursor.execute(FIRST_TOLD, [[*rows], [row.r for row in rows.values()], operator_id, integration])
        found = {str(digest).replace("-", ""): first for digest, *first in cursor.fetchall()}
    for digest, (stored, _, *content) in found.items():
        if stored and tuple(content) != rows[digest].content():
            log.warning("round_told_differently", integration=integration, round_id=rows[digest].r)
    if len(found) < len(rows):
        log.info("rounds_ignored", integration=integration, ignored=len(rows) - len(found), fresh=fresh)
    return {digest for digest, (stored, watched, *_) in found.items() if watched or not stored}
