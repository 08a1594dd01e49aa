"""Count rounds: out of the queue, into scores and entries, in one transaction; so each counts once whatever dies.

One scorer at a time counts an operator's rounds, others take other operators: the order of arrival then needs no
further thought. It holds the operator's tournaments shared, so that none of them ends meanwhile.

A round or an entry with which a statement fails must not stop the others: the portion is halved until it stands alone,
and then it is set aside (`aside`).
"""

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction

from apps.core import clock
from apps.rounds.models import PendingRound
from apps.rounds.services.scoring import aside, repricing, statements
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
# What is nobody's fault and passes: those that are counted can't have brought it about.
PASSING = (OperationalError, InterfaceError)
# A worker's turn at the bell, shorter than what `doorbell.attend` keeps others away for, and how far apart two begin.
SECONDS = 3.0
APART = 0.4
# If so many entries of one portion can't be counted anew, something else is wrong.
MOST_FAILED = 50
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
    """What was done: by one transaction, or by several of a turn. `failed`: entries that can't be counted anew."""

    rounds: int = 0
    recounts: int = 0
    entries: int = 0
    aside: int = 0
    failed: list[int] = field(default_factory=list)
    records: list[tuple[int, bytes]] = field(default_factory=list)

    @property
    def anything(self) -> bool:
        """Tell whether there was work."""
        return bool(self.rounds or self.recounts or self.aside)

    def add(self, other: "Counted") -> None:
        """Add the numbers of another transaction, which has told the boards itself."""
        self.rounds += other.rounds
        self.recounts += other.recounts
        self.entries += other.entries
        self.aside += other.aside
        self.failed += other.failed

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

    All or nothing: rounds leave the queue in the transaction that writes what they come to. If that fails by one of
    them, those before it are counted all the same, and it is set aside. Raises what is the fault of no single round.
    """
    most = limit or settings.ROUNDS_COUNTED_AT_ONCE
    try:
        return _surely(operator_id, partial(_count_on, operator_id, at=at, limit=most))
    except PASSING:
        raise
    except Exception:
        log.exception("rounds_not_counted", operator_id=operator_id)
    return _narrow(operator_id, most=most, at=at)


def _surely(operator_id: int, count: Callable[[], Counted | None]) -> Counted | None:
    """Count in a transaction, again if something came between."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with transaction.atomic():
                return count()
        except _TryAgainError:
            continue
        except OperationalError as problem:
            if attempt == ATTEMPTS:
                raise
            log.warning("rounds_counted_again", operator_id=operator_id, problem=str(problem))
    return Counted()


def _narrow(operator_id: int, *, most: int, at: datetime) -> Counted | None:
    """Count what stands before the round at fault, which is one of the oldest `most`, and set that aside."""
    done = Counted()
    suspects = PendingRound.objects.filter(operator=operator_id)[:most].count()
    while suspects > 1:
        half = suspects // 2
        try:
            counted = _surely(operator_id, partial(_count_on, operator_id, at=at, limit=half))
        except PASSING:
            raise
        except Exception as problem:  # noqa: BLE001 - told when the round is found
            log.info("rounds_narrowed", operator_id=operator_id, rounds=half, problem=str(problem))
            suspects = half
            continue
        if counted is None:  # somebody else goes on with it
            return done if done.anything else None
        done.add(counted)
        suspects -= half
    if counted := _surely(operator_id, partial(_count_or_set_aside, operator_id, at=at)):
        done.add(counted)
    return done


def _count_or_set_aside(operator_id: int, *, at: datetime) -> Counted | None:
    """Count the oldest round by itself, or set it aside. Raises what it is not to blame for."""
    if not _hold(operator_id):
        return None
    held = hold_tournaments(operator_id)
    oldest = PendingRound.objects.filter(operator=operator_id).order_by("number").first()
    if oldest is None:
        return Counted()
    done = Counted()
    try:
        with transaction.atomic():
            _score(operator_id, held, statements.SCORE_ONE, done, at=at, number=oldest.number)
            connection.check_constraints()  # now, and not only when the transaction ends
    except (_TryAgainError, *PASSING):
        raise
    except Exception as problem:
        with transaction.atomic():  # what fails without any round is no fault of this one
            _score(operator_id, held, statements.SCORE, Counted(), at=at, limit=0)
        if aside.are_too_many(operator_id):
            raise
        aside.set_round_aside(oldest, problem, at=at)
        return Counted(aside=1)
    transaction.on_commit(partial(tell_boards, done), robust=True)
    return done


def _count_on(operator_id: int, *, at: datetime, limit: int) -> Counted | None:
    if not _hold(operator_id):
        return None
    held = hold_tournaments(operator_id)
    done = Counted()
    _score(operator_id, held, statements.SCORE, done, at=at, limit=limit)
    _count_asked(operator_id, held, done, at=at)
    transaction.on_commit(partial(tell_boards, done), robust=True)
    return done


def _score(operator_id: int, held: Sequence[int], statement: str, done: Counted, *, at: datetime, **which: int) -> None:
    """Count rounds, and enter whom the first of them makes a player; those are counted anew then."""
    given: dict[str, Any] = {"operator": operator_id, "tournaments": held, "at": at, **which}
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
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
    if newcomers:
        enter(newcomers, at=at)


def _count_asked(operator_id: int, held: Sequence[int], done: Counted, *, at: datetime) -> None:
    """Count anew what asks for it. If that fails, it goes on asking, and rounds are counted all the same."""
    asked = Counted()
    try:
        with transaction.atomic():
            if newcomers := repricing.affected(operator_id, held):
                enter(newcomers, at=at)
            count_anew(take_recounts(operator_id), held, operator_id=operator_id, at=at, done=asked)
    except PASSING:
        raise
    except Exception:
        log.exception("recounts_failed", operator_id=operator_id)
    else:
        done.add(asked)
        done.records += asked.records


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

    The caller holds the operator's rounds and the tournaments. An entry with which that fails keeps its points and is
    set aside; raises what is the fault of no single entry.
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
        "at": at,
        # So that partitions that can't hold any of the rounds are left out.
        "since": since or at,
        "until": at + timedelta(days=1),
    }
    failed = len(done.failed)
    _count_halves(sorted(entry_ids), given, done)
    counted = set(entry_ids).difference(done.failed[failed:])
    aside.recounted([*counted], operator_id=operator_id, at=at)


def _count_halves(entry_ids: Sequence[int], given: Mapping[str, Any], done: Counted) -> None:
    """Count entries anew; if that fails, each half by itself, down to the entries that it fails with."""
    try:
        found = _recount(entry_ids, given)
    except PASSING:
        raise
    except Exception as problem:
        if not done.failed:
            _recount([], given)  # what fails without any entry is no fault of these
        if len(done.failed) >= MOST_FAILED:
            raise
        if len(entry_ids) == 1:
            aside.set_recount_aside(entry_ids[0], problem, operator_id=given["operator"], at=given["at"])
            done.failed += entry_ids
            return
    else:
        for row in found:
            done.changed(*row)
        return
    middle = len(entry_ids) // 2
    _count_halves(entry_ids[:middle], given, done)
    _count_halves(entry_ids[middle:], given, done)


def _recount(entry_ids: Sequence[int], given: Mapping[str, Any]) -> list[tuple[int, int, bytes]]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statements.RECOUNT, {**given, "entries": list(entry_ids)})
        return [*cursor.fetchall()]


def enter(newcomers: Sequence[tuple[int, int, str]], *, at: datetime) -> None:
    """Enter those whose first round makes them players, as (tournament, brand, player); they are counted anew then."""
    by_tournament: dict[int, dict[tuple[int, str], None]] = defaultdict(dict)
    for tournament_id, brand_id, player_ref in newcomers:
        by_tournament[tournament_id][brand_id, player_ref] = None
    for tournament_id, players in sorted(by_tournament.items()):
        tournament = Tournament.objects.select_related("operator", "asset", "game").get(pk=tournament_id)
        entries.enter_many(tournament, list(players), at=at)


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
        found = [done for operator_id in work() if (done := _turn_of(operator_id)) and done.anything]
        if not found:
            break
        total += sum(done.rounds for done in found)
        time.sleep(max(0.0, APART - (time.monotonic() - turn)))
    return total


def _turn_of(operator_id: int) -> Counted | None:
    """Count what one operator has; whatever goes wrong with it, the others' boards move on."""
    try:
        return count_on(operator_id, at=clock.now())
    except Exception:
        log.exception("operator_not_counted", operator_id=operator_id)
        return None
