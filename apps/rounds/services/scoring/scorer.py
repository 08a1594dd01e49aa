"""Count rounds: out of the queue, into scores and entries, in one transaction; so each counts once whatever dies.

One scorer at a time counts an operator's rounds, others take other operators: the order of arrival then needs no
further thought. It holds the operator's tournaments shared, so that none of them ends meanwhile.
"""

import time
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.db import OperationalError, connection, transaction

from apps.core import clock
from apps.rounds.services.scoring import statements
from apps.tournaments.board import store
from apps.tournaments.models import Tournament
from apps.tournaments.querysets import TOURNAMENT_LOCKS
from apps.tournaments.services import entries

log = structlog.get_logger(__name__)

RECOUNTS = 10_000
# One namespace of advisory locks; never renumbered.
SCORER_LOCKS = 1 << 49
# A deadlock, or a lock that somebody else holds on an entry: the whole of it is done again.
ATTEMPTS = 3
# A worker's turn at the bell, shorter than what `doorbell.attend` keeps others away for, and how far apart two begin.
SECONDS = 3.0
APART = 0.4
# Sorting some ten thousand rounds in memory.
WORK_MEM = "64MB"

# The rows of statements.SCORE that are not its head.
NEWCOMER, CHANGED = 1, 2

# The operators with work, without reading all of the queue.
_WORK = """
    WITH RECURSIVE pending AS (
        (SELECT operator_id FROM rounds_pendinground ORDER BY operator_id LIMIT 1)
         UNION ALL
        SELECT (SELECT p.operator_id FROM rounds_pendinground p WHERE p.operator_id > pending.operator_id
                 ORDER BY p.operator_id LIMIT 1)
          FROM pending WHERE pending.operator_id IS NOT NULL
    )
    SELECT operator_id FROM pending WHERE operator_id IS NOT NULL
     UNION SELECT operator_id FROM rounds_recount
     UNION SELECT operator_id FROM rounds_ratechange
"""
_HOLD = """
    SELECT set_config('work_mem', %(memory)s, true), pg_try_advisory_xact_lock(%(lock)s)
"""
_TOURNAMENTS = """
    SELECT tournament_id, pg_advisory_xact_lock_shared(%(locks)s | tournament_id)
      FROM (SELECT tournament_id FROM rounds_watch WHERE operator_id = %(operator)s ORDER BY tournament_id) w
"""


class _TryAgainError(Exception):
    """A tournament began to watch just now: hold it, too."""


@dataclass(slots=True)
class Counted:
    """What one transaction did."""

    rounds: int = 0
    recounts: int = 0
    entries: int = 0
    records: list[tuple[int, bytes]] = field(default_factory=list)

    @property
    def anything(self) -> bool:
        """Tell whether there was work."""
        return bool(self.rounds or self.recounts)

    def changed(self, tournament_id: int, entries: int, records: bytes) -> None:
        """Take note of changed entries for the board of their tournament."""
        self.records.append((tournament_id, bytes(records)))
        self.entries += entries


def work() -> list[int]:
    """Return the operators whose rounds wait."""
    with connection.cursor() as cursor:
        cursor.execute(_WORK)
        return [operator_id for (operator_id,) in cursor.fetchall()]


def count_on(operator_id: int, *, at: datetime, limit: int | None = None) -> Counted | None:
    """Count an operator's oldest rounds, and anew what asks for it; None while somebody else does.

    All or nothing: rounds leave the queue in the transaction that writes what they come to.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with transaction.atomic():
                return _count_on(operator_id, at=at, limit=limit or settings.ROUNDS_COUNTED_AT_ONCE)
        except _TryAgainError:
            continue
        except OperationalError as problem:
            if attempt == ATTEMPTS:
                raise
            log.warning("rounds_counted_again", operator_id=operator_id, problem=str(problem))
    return Counted()


def _count_on(operator_id: int, *, at: datetime, limit: int) -> Counted | None:
    if not _hold(operator_id):
        return None
    held = hold_tournaments(operator_id)
    done = Counted()
    given: dict[str, Any] = {"operator": operator_id, "tournaments": held, "at": at, "limit": limit}
    with connection.cursor() as cursor:
        cursor.execute(statements.SCORE, given)
        rows = cursor.fetchall()
    newcomers = []
    for kind, *row in rows:
        if kind == CHANGED:
            done.changed(row[0], row[1], row[3])
        elif kind == NEWCOMER:
            newcomers.append((row[0], row[1], row[2]))
        else:
            done.rounds = row[0]
            if row[1]:
                raise _TryAgainError
    newcomers += _rates_changed(operator_id, held)
    if newcomers:
        enter(newcomers, at=at)
    count_anew(take_recounts(operator_id), held, operator_id=operator_id, at=at, done=done)
    transaction.on_commit(partial(tell_boards, done), robust=True)
    return done


def _hold(operator_id: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, {"lock": SCORER_LOCKS | operator_id, "memory": WORK_MEM})
        return bool(cursor.fetchone()[1])


def hold_alone(operator_id: int) -> list[int]:
    """Wait until nobody counts the operator's rounds, keep it so, and return its open tournaments, held shared."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SCORER_LOCKS | operator_id])
    return hold_tournaments(operator_id)


def hold_tournaments(operator_id: int) -> list[int]:
    """Hold the tournaments that watch, shared and in the order of their ids."""
    with connection.cursor() as cursor:
        cursor.execute(_TOURNAMENTS, {"operator": operator_id, "locks": TOURNAMENT_LOCKS})
        return [tournament_id for tournament_id, _ in cursor.fetchall()]


def take_recounts(operator_id: int) -> list[int]:
    """Take some entries out of the queue of those to be counted anew."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM rounds_recount WHERE entry_id IN (SELECT entry_id FROM rounds_recount WHERE operator_id = %s"
            " ORDER BY entry_id LIMIT %s) RETURNING entry_id",
            [operator_id, RECOUNTS],
        )
        return sorted(entry_id for (entry_id,) in cursor.fetchall())


def count_anew(
    entry_ids: Collection[int], tournaments: Collection[int], *, operator_id: int, at: datetime, done: Counted
) -> None:
    """Count entries of these tournaments anew, from the stored rounds that are not queued any more.

    The caller holds the operator's rounds and the tournaments.
    """
    done.recounts += len(entry_ids)
    if not entry_ids or not tournaments:
        return
    since = (
        Tournament.objects.filter(pk__in=tournaments, entries__in=entry_ids)
        .order_by("created_at")
        .values_list("created_at", flat=True)
        .first()
    )
    given: dict[str, Any] = {
        "operator": operator_id,
        "tournaments": list(tournaments),
        "entries": list(entry_ids),
        "at": at,
        # So that partitions that can't hold any of the rounds are left out.
        "since": since or at,
        "until": at + timedelta(days=1),
    }
    with connection.cursor() as cursor:
        cursor.execute(statements.RECOUNT, given)
        for row in cursor.fetchall():
            done.changed(*row)


def enter(newcomers: Sequence[tuple[int, int, str]], *, at: datetime) -> None:
    """Enter those whose first round makes them players, as (tournament, brand, player); they are counted anew then."""
    by_tournament: dict[int, dict[tuple[int, str], None]] = defaultdict(dict)
    for tournament_id, brand_id, player_ref in newcomers:
        by_tournament[tournament_id][brand_id, player_ref] = None
    for tournament_id, players in sorted(by_tournament.items()):
        tournament = Tournament.objects.select_related("operator", "asset", "game").get(pk=tournament_id)
        entries.enter_many(tournament, list(players), at=at)


_AFFECTED = """
    WITH changed AS (
        DELETE FROM rounds_ratechange WHERE operator_id = %(operator)s RETURNING since
    ), waiting AS (
        DELETE FROM rounds_unratedround WHERE operator_id = %(operator)s AND EXISTS (SELECT FROM changed)
           AND tournament_id = ANY (%(tournaments)s)
        RETURNING tournament_id, brand_id, player_ref, number
    ), affected AS (
        SELECT s.entry_id FROM rounds_score s JOIN rounds_rule u ON u.tournament_id = s.tournament_id
         WHERE u.tournament_id = ANY (%(tournaments)s) AND EXISTS (SELECT FROM changed)
           AND EXISTS (SELECT FROM rounds_round r
                        WHERE r.brand_id = s.brand_id AND r.player_ref = s.player_ref AND r.received_at >= u.since
                          AND r.occurred_at >= (SELECT min(since) FROM changed) AND r.currency <> u.base)
    ), asked AS (
        INSERT INTO rounds_recount (entry_id, operator_id)
        SELECT entry_id, %(operator)s FROM affected
        ON CONFLICT DO NOTHING
    )
    SELECT w.tournament_id, w.brand_id, w.player_ref
      FROM waiting w JOIN rounds_rule u ON u.tournament_id = w.tournament_id AND u.joins_by_playing
     WHERE NOT EXISTS (SELECT FROM rounds_score s WHERE (s.tournament_id, s.brand_id, s.player_ref) =
                                                        (w.tournament_id, w.brand_id, w.player_ref))
     GROUP BY 1, 2, 3 ORDER BY min(w.number)
"""


def _rates_changed(operator_id: int, held: Sequence[int]) -> list[tuple[int, int, str]]:
    """Have counted anew what new rates touch; return those whom they may make players."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM rounds_ratechange WHERE operator_id = %s)", [operator_id])
        if not cursor.fetchone()[0]:
            return []
        cursor.execute(_AFFECTED, {"operator": operator_id, "tournaments": list(held)})
        return [*cursor.fetchall()]


def tell_boards(done: Counted) -> None:
    """Tell the boards how entries stand now. Never raises: what they miss a sweep makes up for."""
    for tournament_id, records in done.records:
        try:
            store.push_records(tournament_id, records)
        except Exception:
            log.exception("board_push_failed", tournament_id=tournament_id)


def drain(*, seconds: float = SECONDS) -> int:
    """Count until nothing waits, or for some time; return how many rounds were counted.

    Turns begin a little apart: what comes in meanwhile is counted together, and an entry written once for all of it.
    """
    total = 0
    begun = time.monotonic()
    while time.monotonic() - begun < seconds:
        turn = time.monotonic()
        found = [done for operator_id in work() if (done := count_on(operator_id, at=clock.now())) and done.anything]
        if not found:
            break
        total += sum(done.rounds for done in found)
        time.sleep(max(0.0, APART - (time.monotonic() - turn)))
    return total
