"""Take rounds in: judged, remembered for ever, stored and queued by one statement, before anyone is told so.

Twice is once: the key of a round id is unique for its integration for all time, also over partitions and among calls
at the same moment. What came first stays; the same id with other content is only logged (rounds.md 3.1).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
import structlog
from django.conf import settings
from django.db import IntegrityError, connection
from psycopg.errors import CheckViolation

from apps.core import doorbell
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
    partitions.be_ready(at=at)
    body = msgspec.json.encode(rows).decode()
    fresh, wanted, queued = _write([body, operator_id, integration, at, settings.ROUNDS_KEEP_UNWATCHED])
    counting.count(operator_id, integration, calls=calls, rounds=len(rounds), fresh=fresh, queued=queued, at=at)
    if queued:
        bell.ring()
    relevant = bool(wanted)
    if fresh < len(rows):
        relevant = _compare(rows, operator_id, integration, fresh) or relevant
    return Taken(fresh, queued, relevant)


def _write(parameters: list[Any]) -> tuple[int, int, int]:
    """Run the statement; once more if the partition was made while it was looking for one."""
    for again in (True, False):
        try:
            with connection.cursor() as cursor:
                cursor.execute(TAKE, parameters)
                found: tuple[int, int, int] = cursor.fetchone()
                return found
        except IntegrityError as problem:
            # PostgreSQL's word for "this row no longer belongs into the default partition".
            if not again or not isinstance(problem.__cause__, CheckViolation) or connection.in_atomic_block:
                raise
    raise AssertionError


def _rows(rounds: Sequence[ToldRound], operator_id: int, integration: str) -> list[_Row]:
    rows: dict[str, _Row] = {}
    for place, told in enumerate(rounds):
        digest = digest_of(operator_id, integration, told.round_id)
        if digest not in rows:
            rows[digest] = _Row(
                place, digest, told.timestamp, told.round_id, told.brand_id, told.player_id, told.game_id,
                told.round_type, told.currency.upper(), told.bet_amount, told.win_amount,
            )  # fmt: skip
    return [*rows.values()]


def _compare(rows: Sequence[_Row], operator_id: int, integration: str, fresh: int) -> bool:
    """Log what was not stored, and repetitions that say something else; tell whether any counted the first time."""
    with connection.cursor() as cursor:
        cursor.execute(FIRST_TOLD, [[row.k for row in rows], [row.r for row in rows], operator_id, integration])
        found = {str(digest).replace("-", ""): first for digest, *first in cursor.fetchall()}
    told = {row.k: row for row in rows}
    for digest, (stored, _, *content) in found.items():
        if stored and tuple(content) != told[digest].content():
            log.warning("round_told_differently", integration=integration, round_id=told[digest].r)
    if len(found) < len(rows):
        log.info("rounds_ignored", integration=integration, ignored=len(rows) - len(found), fresh=fresh)
    return any(watched or not stored for stored, watched, *_ in found.values())
