"""Fill boards from PostgreSQL, and make up for pushes that were lost."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from django.db import connection

from apps.core import clock, doorbell, ids
from apps.tournaments.board import packing, scripts, store
from apps.tournaments.lifecycle import TournamentStatus
from apps.tournaments.models import Tournament

log = structlog.get_logger(__name__)

REBUILD = "boards.rebuild"
SWEEP = "boards.sweep"

# An entry's `changed_at` is taken before its transaction commits, by the clock of some machine. The sweep reads again
# what changed this long before the last sweep began.
MARGIN = timedelta(seconds=10)
# Every board is compared with PostgreSQL from end to end this often, in seconds.
VERIFY_EVERY = 15 * 60
# Boards are forgotten when nobody has read them for a while, those of ended tournaments sooner. Seconds.
IDLE, IDLE_ENDED = 6 * 3600, 600
# Without any sweep Redis forgets a board by itself after this.
FORGET = 24 * 3600
# Who fills a board and gives no sign for this long is taken for dead. Seconds.
SILENCE = 20
ROWS = 2_000
ATTEMPTS = 3
PATIENCE = 10

LIVE = frozenset(
    {
        TournamentStatus.REGISTERING,
        TournamentStatus.AWAITING_PAYMENTS,
        TournamentStatus.REGISTRATION_CLOSED,
        TournamentStatus.RUNNING,
    }
)


def rebuild(tournament_id: int) -> bool:
    """Fill the board from PostgreSQL, or compare a board that is there; tell whether it is ready now.

    Pushes go on meanwhile and mix with what is read, because versions decide. One process fills at a time: for a
    second one this is False and nothing happens, as it is while Redis is away.
    """
    store.remember(tournament_id)
    return any(_fill(tournament_id) for _ in range(ATTEMPTS))


def _fill(tournament_id: int) -> bool:
    # Everything that commits from here on is pushed to the board that BEGIN makes; everything before is read below.
    through = clock.now()
    begun = store.ask(scripts.BEGIN, tournament_id, ids.token(16), packing.since_epoch(through), SILENCE, FORGET)
    if begun is None or begun[0] == b"busy":
        return False
    epoch: bytes = begun[1]
    entries = 0
    for rows in _rows(tournament_id):
        packed = [packing.pack(row) for row in rows]
        if not _patiently(partial(store.push_packed, tournament_id, packed, epoch=epoch, just_read=True)):
            return False
        if not _patiently(partial(store.ask, scripts.PULSE, tournament_id, epoch)):
            return False
        entries += len(rows)
    if not _patiently(partial(store.ask, scripts.FINISH, tournament_id, epoch, entries, FORGET)):
        return False
    log.info("board_filled", tournament_id=tournament_id, entries=entries, fresh=begun[0] == b"new")
    # Filling takes a while, and nobody believes a board that no sweep has looked at for longer.
    _look_after(tournament_id, live=True)
    return True


def _patiently(work: Callable[[], bool | None]) -> bool | None:
    """Try again while Redis does not answer: a million entries are not read twice for one hiccup."""
    for _ in range(PATIENCE):
        done = work()
        if done is not None:
            return done
        time.sleep(store.PAUSE)
    return None


def _rows(tournament_id: int) -> Iterator[list[tuple[Any, ...]]]:
    """Yield all entries in batches, each read when its turn comes.

    Who withdrew is among them: a late push of an earlier version must not bring them back.
    """
    after = (0, 0)
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                SELECT {packing.COLUMNS}, attempt FROM tournaments_entry
                 WHERE tournament_id = %s AND (player_id, attempt) > (%s, %s)
                 ORDER BY player_id, attempt LIMIT %s
                """,  # noqa: S608 - our own column names
                [tournament_id, *after, ROWS],
            )
            rows = cursor.fetchall()
        if not rows:
            return
        yield [row[:-1] for row in rows]
        after = (rows[-1][packing.FIELDS.index("player_id")], rows[-1][-1])


def sweep() -> int:
    """Push what boards missed, forget boards that nobody wants, ring for those that need more; return entries pushed.

    After it every board knows all that had committed when the sweep came to it, `MARGIN` being longer than any
    transaction. One sweep runs at a time.
    """
    if not store.only_one("sweep", seconds=store.TRUST_SECONDS / 2):
        return 0
    boards = store.known()
    status = dict(Tournament.objects.filter(pk__in=boards).values_list("pk", "status"))
    return sum(_look_after(tournament_id, live=status.get(tournament_id) in LIVE) for tournament_id in boards)


def _look_after(tournament_id: int, *, live: bool) -> int:
    look = store.ask(scripts.LOOK, tournament_id)
    if look is None:
        return 0
    state = look[0].decode()
    if state in ("missing", "broken"):
        store.drop(tournament_id)
        return 0
    _, epoch, through, begun, unread, unverified, silent = look
    if unread > (IDLE if live else IDLE_ENDED) or silent > SILENCE:
        store.drop(tournament_id)
        return 0
    if state == "building":
        return 0
    pushed = _catch_up(tournament_id, epoch=epoch, through=packing.moment(int(through)), begun=begun)
    if unverified > VERIFY_EVERY and live:
        doorbell.ring(REBUILD, tournament_id=tournament_id)
    return pushed


def _catch_up(tournament_id: int, *, epoch: bytes, through: datetime, begun: bytes) -> int:
    """Push every entry that changed since `through` and that the board knows less of."""
    now = clock.now()
    pushed = 0
    for rows in _changed(tournament_id, since=through - MARGIN):
        entry_ids = b"".join(packing.packed_id(row[0]) for row in rows)
        versions = b"".join(packing.packed_version(row[1]) for row in rows)
        behind = store.ask(scripts.BEHIND, tournament_id, entry_ids, versions)
        if behind is None:
            return pushed
        missed = [int.from_bytes(behind[k : k + 8], "big") for k in range(0, len(behind), 8)]
        if missed:
            if not store.push_packed(tournament_id, _packed(missed), epoch=epoch, just_read=True):
                return pushed
            pushed += len(missed)
    store.ask(scripts.SWEPT, tournament_id, epoch, packing.since_epoch(now), begun, FORGET)
    if pushed:
        log.info("board_caught_up", tournament_id=tournament_id, entries=pushed)
    return pushed


def _packed(entry_ids: list[int]) -> list[tuple[int, int, bytes]]:
    """Return entries as they stand now."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {packing.COLUMNS} FROM tournaments_entry WHERE id = ANY(%s)", [entry_ids])  # noqa: S608
        return [packing.pack(row) for row in cursor.fetchall()]


def _changed(tournament_id: int, *, since: datetime) -> Iterator[list[tuple[int, int, datetime]]]:
    """Yield id, version and time of the entries that changed since, oldest first, in batches."""
    after = (since, 0)
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT id, score_version, changed_at FROM tournaments_entry
                 WHERE tournament_id = %s AND (changed_at, id) > (%s, %s)
                 ORDER BY changed_at, id LIMIT %s
                """,
                [tournament_id, *after, ROWS],
            )
            rows = cursor.fetchall()
        if rows:
            yield rows
        if len(rows) < ROWS:
            return
        after = (rows[-1][2], rows[-1][0])
