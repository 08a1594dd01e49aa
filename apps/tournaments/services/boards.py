"""Read a tournament's ranking: from its board in Redis if that answers, else from PostgreSQL, with the same result.

What a page shows is the ranking at one moment, `apps.tournaments.board` says how far back that may be. What is ranked
comes from the board; what a row shows beside it (names, what was paid, rounds) comes from PostgreSQL and may be up to
`FRESH_SECONDS` old, because every process keeps the rows it read last.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import structlog
from django.db import connection
from django.db.models import F, Q, Value, Window
from django.db.models.expressions import OrderBy
from django.db.models.functions import Coalesce, RowNumber

from apps.core import doorbell
from apps.tournaments import board
from apps.tournaments.board import Place, Silent
from apps.tournaments.lifecycle import EntryStatus
from apps.tournaments.models import Entry, Tournament
from apps.tournaments.querysets import NEVER_ELIMINATED, RANKING
from apps.tournaments.services import tally

log = structlog.get_logger(__name__)

FRESH_SECONDS = 1.0
CACHED_ROWS = 10_000
# Nobody pages beyond this; PostgreSQL and Redis would refuse the number.
FURTHEST = 2**31

_KEYS = [key if isinstance(key, OrderBy) else F(key).asc() for key in RANKING]


@dataclass(frozen=True, slots=True)
class BoardPage:
    """Rows of a board with their positions over everybody. The entries are shared between callers: only read them.

    `total` counts the rows there are in all, `last_updated` is when an entry of the tournament last changed.
    """

    rows: list[tuple[int, Entry]]
    total: int
    last_updated: datetime | None


class _ContradictsError(Exception):
    """The board knows what PostgreSQL does not."""


def leaderboard(tournament: Tournament, *, offset: int, limit: int, include_out: bool) -> BoardPage:
    """Return a page of the ranking, best first; without `include_out` only of those still in.

    Positions count everybody either way (operators.md 3.13). `limit` is 1 or more.
    """
    offset = min(offset, FURTHEST)

    def ask() -> board.Page | Silent:
        return board.page(tournament.pk, offset=offset, limit=limit, everybody=include_out)

    return _shown(tournament, ask) or _page_from_rows(tournament, offset=offset, limit=limit, include_out=include_out)


def around(tournament: Tournament, entry: Entry, *, each_side: int = 5) -> BoardPage:
    """Return an entry and its neighbours over everybody, fewer at either end. Nothing for an entry that withdrew."""
    if entry.status == EntryStatus.WITHDRAWN:
        return BoardPage([], tally.totals(tournament.pk).players, _last_updated(tournament))

    def ask() -> board.Page | Silent:
        return board.around(tournament.pk, entry.pk, entry.score_version, each_side=each_side)

    found = _shown(tournament, ask)
    if found is not None:
        return found
    position = position_by_rows(entry)
    first = max(0, position - 1 - each_side)
    return _page_from_rows(tournament, offset=first, limit=position - first + each_side, include_out=True)


def position_of(entry: Entry) -> int | None:
    """Return an entry's position from 1 over everybody; None if it withdrew."""
    return positions([entry]).get(entry.pk)


def positions(entries: Iterable[Entry]) -> dict[int, int]:
    """Return the positions of entries, of one tournament or several, by entry id; without those that withdrew.

    Never older than the entries given: where the board knows less than an entry's version, PostgreSQL counts.
    """
    standing = sorted((e for e in entries if e.status != EntryStatus.WITHDRAWN), key=lambda e: e.tournament_id)
    found: dict[int, int] = {}
    for tournament_id, group in groupby(standing, key=lambda e: e.tournament_id):
        some = list(group)
        answer = board.ranks(tournament_id, [(entry.pk, entry.score_version) for entry in some])
        known = {} if isinstance(answer, Silent) else answer
        missing = [entry for entry in some if entry.pk not in known]
        if isinstance(answer, Silent):
            _ring(missing[0].tournament, answer)
        found |= known
        found |= _positions_from_rows(tournament_id, missing)
    return found


def shared_ranks(tournament: Tournament, rows: Sequence[tuple[int, Entry]]) -> list[tuple[int, Entry]]:
    """Return rows of a board, in its order, with one rank for those whose points are equal: the best of theirs."""
    shared: list[tuple[int, Entry]] = []
    last: tuple[int, Entry] | None = None
    for position, entry in rows:
        if last is not None and _level(last[1], entry):
            rank = last[0]
        elif last is None and position > 1:
            rank = _first_of_equals(tournament, entry)
        else:
            rank = position
        last = rank, entry
        shared.append(last)
    return shared


def _level(one: Entry, other: Entry) -> bool:
    return (one.points, one.elimination_round) == (other.points, other.elimination_round)


def _first_of_equals(tournament: Tournament, entry: Entry) -> int:
    everybody = Entry.objects.filter(tournament=tournament).on_board()
    out = NEVER_ELIMINATED if entry.elimination_round is None else entry.elimination_round
    later = everybody.alias(out=Coalesce("elimination_round", Value(NEVER_ELIMINATED)))
    ahead: int = later.filter(Q(points__gt=entry.points) | Q(points=entry.points, out__gt=out)).count()
    return ahead + 1


# --- from the board ---------------------------------------------------------------------------------------------------


def _shown(tournament: Tournament, ask: Callable[[], board.Page | Silent]) -> BoardPage | None:
    """Return what the board answers, with rows; None if it doesn't, or is wrong.

    Rows that differ from the board mend it, and it is asked once more: a lost push heals as soon as it is seen.
    """
    for attempt in (1, 2):
        page = ask()
        if isinstance(page, Silent):
            _ring(tournament, page)
            return None
        try:
            rows, behind = _with_rows(page)
        except _ContradictsError:
            # Somebody has restored a database. PostgreSQL is right.
            log.error("board_contradicts", tournament_id=tournament.pk)  # noqa: TRY400 - no trace needed
            board.drop(tournament.pk)
            return None
        if not behind or attempt == 2 or connection.in_atomic_block:  # noqa: PLR2004 - see the loop
            return BoardPage(rows, page.total, page.changed)
        board.mend(tournament.pk, behind)
    return None


# Rows by filling of the board and member, which names an entry and its version: the time they were read, and the row.
_cache: dict[tuple[bytes, bytes], tuple[float, Entry]] = {}


def _with_rows(page: board.Page) -> tuple[list[tuple[int, Entry]], list[Entry]]:
    """Return the page's rows, and those of them that PostgreSQL knows otherwise."""
    now = time.monotonic()
    rows: list[tuple[int, Entry]] = []
    unknown: list[tuple[int, Place]] = []
    for place in page.places:
        known = _cache.get((page.epoch, place.member))
        if known is not None and known[0] > now - FRESH_SECONDS:
            rows.append((place.position, known[1]))
        else:
            unknown.append((len(rows), place))
            rows.append((place.position, _NOBODY))
    behind: list[Entry] = []
    fetched = Entry.objects.select_related("player").in_bulk([place.entry_id for _, place in unknown])
    for at, place in unknown:
        entry = fetched.get(place.entry_id)
        if entry is None or entry.score_version < place.version:
            raise _ContradictsError
        if place.shows(entry):
            _keep((page.epoch, place.member), (now, entry))
        else:
            behind.append(copy(entry))
            place.apply_to(entry)
        rows[at] = place.position, entry
    return rows, behind


_NOBODY = Entry()


def _keep(key: tuple[bytes, bytes], row: tuple[float, Entry]) -> None:
    if len(_cache) >= CACHED_ROWS:
        _cache.clear()
    _cache[key] = row


def _ring(tournament: Tournament, silent: Silent) -> None:
    """Ask for the board to be filled or swept, unless the tournament has ended: then its rows stand still."""
    if tournament.status not in board.LIVE:
        return
    if silent is Silent.MISSING:
        doorbell.ring(board.REBUILD, tournament_id=tournament.pk)
    elif silent is Silent.LATE:
        board.remember(tournament.pk)
        doorbell.ring(board.SWEEP)


# --- from PostgreSQL --------------------------------------------------------------------------------------------------


def _page_from_rows(tournament: Tournament, *, offset: int, limit: int, include_out: bool) -> BoardPage:
    totals = tally.totals(tournament.pk)
    numbered = _everybody(tournament.pk, offset, limit) if include_out else _those_in(tournament.pk, offset, limit)
    entries = Entry.objects.select_related("player").in_bulk([entry_id for entry_id, _ in numbered])
    return BoardPage(
        [(position, entries[entry_id]) for entry_id, position in numbered],
        totals.players if include_out else totals.active,
        _last_updated(tournament),
    )


def _last_updated(tournament: Tournament) -> datetime | None:
    changes = Entry.objects.filter(tournament=tournament).order_by("-changed_at")
    return changes.values_list("changed_at", flat=True).first()


def _everybody(tournament_id: int, offset: int, limit: int) -> list[tuple[int, int]]:
    """Return ids and positions of a part of the ranking, straight from its index."""
    ranked = Entry.objects.filter(tournament_id=tournament_id).ranked()[offset : offset + limit]
    return [(entry_id, offset + k) for k, entry_id in enumerate(ranked.values_list("pk", flat=True), start=1)]


def _numbered(tournament_id: int) -> tuple[str, tuple[Any, ...], str]:
    """Return a query of id, status, position and the keys of the ranking, its parameters, and the order of its keys.

    Ordering by the same keys outside keeps the order of the index: PostgreSQL numbers no further than the page. It
    would sort everything to order by the position, because it doesn't know that those ascend.
    """
    numbered = (
        Entry.objects.filter(tournament_id=tournament_id)
        .on_board()
        .annotate(
            **{f"key_{k}": key.expression for k, key in enumerate(_KEYS)},
            place=Window(RowNumber(), order_by=list(RANKING)),
        )
        .values("id", "status", "place", *(f"key_{k}" for k in range(len(_KEYS))))
    )
    text, parameters = numbered.query.sql_with_params()
    order = ", ".join(f"key_{k} DESC" if key.descending else f"key_{k}" for k, key in enumerate(_KEYS))
    return text, parameters, order


def _those_in(tournament_id: int, offset: int, limit: int) -> list[tuple[int, int]]:
    """Return ids and positions over everybody of a part of those still in."""
    text, parameters, order = _numbered(tournament_id)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, place FROM ({text}) numbered WHERE status = %s ORDER BY {order} LIMIT %s OFFSET %s",  # noqa: S608
            [*parameters, EntryStatus.IN, limit, offset],
        )
        return [(entry_id, place) for entry_id, place in cursor.fetchall()]


def _positions_from_rows(tournament_id: int, entries: list[Entry]) -> dict[int, int]:
    """Count one entry's position, or number everybody for several."""
    if len(entries) <= 1:
        return {entry.pk: position_by_rows(entry) for entry in entries}
    text, parameters, _ = _numbered(tournament_id)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, place FROM ({text}) numbered WHERE id = ANY(%s)",  # noqa: S608 - written by Django
            [*parameters, [entry.pk for entry in entries]],
        )
        return dict(cursor.fetchall())


def position_by_rows(entry: Entry) -> int:
    """Count who stands before the entry, as the database has it; those with fewer points need no look."""
    everybody = Entry.objects.filter(tournament_id=entry.tournament_id).on_board()
    names = {f"key_{k}": key.expression for k, key in enumerate(_KEYS)}
    own = Entry.objects.filter(pk=entry.pk).annotate(**names).values(*names).get()
    before, level = Q(), Q()
    for name, key in zip(names, _KEYS, strict=True):
        before |= level & Q(**{f"{name}__{'gt' if key.descending else 'lt'}": own[name]})
        level &= Q(**{name: own[name]})
    ahead: int = everybody.alias(**names).filter(before, points__gte=own["key_0"]).count()
    return ahead + 1
