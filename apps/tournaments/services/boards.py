"""Read a tournament's ranking: from its board in Redis if that answers, else from PostgreSQL, with the same result.

What a page shows is the ranking at one moment, `apps.tournaments.board` says how far back that may be. What is ranked
comes from the board; what a row shows beside it (names, what was paid, rounds) comes from PostgreSQL and may be up to
`FRESH_SECONDS` old, because every process keeps the rows it read last.

A rank is one more than those who stand before, as far as the keys tell that part ranks in this tournament: all of the
ranking, so that ranks are places, or its `LEVEL` where those who are level share a rank (`Tournament.shares_ranks`).
"""

import time
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any, Protocol, TypeVar

import structlog
from django.db import connection
from django.db.models import F, Q, Window
from django.db.models.expressions import OrderBy
from django.db.models.functions import Rank, RowNumber

from apps.core import doorbell
from apps.tournaments import board, rules
from apps.tournaments.board import Place, Silent
from apps.tournaments.lifecycle import EntryStatus
from apps.tournaments.models import Entry, Tournament
from apps.tournaments.querysets import LEVEL, RANKING
from apps.tournaments.services import tally

log = structlog.get_logger(__name__)

FRESH_SECONDS = 1.0
CACHED_ROWS = 10_000
# Nobody pages beyond this; PostgreSQL and Redis would refuse the number.
FURTHEST = 2**31


class Standing(Protocol):
    """What is ranked: an entry, or what somebody has read of one."""

    @property
    def points(self) -> Decimal:
        """What has been reached."""

    @property
    def elimination_round(self) -> int | None:
        """When it went out."""


Ranked = TypeVar("Ranked", bound=Standing)

_KEYS = [key if isinstance(key, OrderBy) else F(key).asc() for key in RANKING]


@dataclass(frozen=True, slots=True)
class BoardPage:
    """Rows of a board with their ranks over everybody. The entries are shared between callers: only read them.

    `offset` counts the rows before them and `total` all there are, `last_updated` is when an entry last changed.
    """

    rows: list[tuple[int, Entry]]
    offset: int
    total: int
    last_updated: datetime | None


class _ContradictsError(Exception):
    """The board knows what PostgreSQL does not."""


def leaderboard(tournament: Tournament, *, offset: int, limit: int, include_out: bool) -> BoardPage:
    """Return a page of the ranking, best first; without `include_out` only of those still in.

    Ranks count everybody either way (operators.md 3.13). `limit` is 1 or more.
    """
    offset, shared = min(offset, FURTHEST), tournament.shares_ranks

    def ask() -> board.Page | Silent:
        return board.page(tournament.pk, offset=offset, limit=limit, everybody=include_out, shared=shared)

    return _shown(tournament, ask) or _page_from_rows(tournament, offset=offset, limit=limit, include_out=include_out)


def around(tournament: Tournament, entry: Entry, *, each_side: int = 5) -> BoardPage:
    """Return an entry and its neighbours over everybody, fewer at either end. Nothing for an entry that withdrew."""
    if entry.status == EntryStatus.WITHDRAWN:
        return BoardPage([], 0, tally.totals(tournament.pk).players, _last_updated(tournament))
    shared = tournament.shares_ranks

    def ask() -> board.Page | Silent:
        return board.around(tournament.pk, entry.pk, entry.score_version, each_side=each_side, shared=shared)

    found = _shown(tournament, ask)
    if found is not None:
        return found
    place = _before(entry, _KEYS) + 1
    first = max(0, place - 1 - each_side)
    return _page_from_rows(tournament, offset=first, limit=place - first + each_side, include_out=True)


def position_of(entry: Entry) -> int | None:
    """Return an entry's rank from 1 over everybody; None if it withdrew."""
    return positions([entry]).get(entry.pk)


def positions(entries: Iterable[Entry]) -> dict[int, int]:
    """Return the ranks of entries, of one tournament or several, by entry id; without those that withdrew.

    Never older than the entries given: where the board knows less than an entry's version, PostgreSQL counts.
    """
    standing = sorted((e for e in entries if e.status != EntryStatus.WITHDRAWN), key=lambda e: e.tournament_id)
    found: dict[int, int] = {}
    for tournament_id, group in groupby(standing, key=lambda e: e.tournament_id):
        some = list(group)
        tournament = some[0].tournament
        versions = [(entry.pk, entry.score_version) for entry in some]
        answer = board.ranks(tournament_id, versions, shared=tournament.shares_ranks)
        known = {} if isinstance(answer, Silent) else answer
        missing = [entry for entry in some if entry.pk not in known]
        if isinstance(answer, Silent):
            _ring(tournament, answer)
        found |= known
        found |= _positions_from_rows(tournament, missing)
    return found


def numbered(tournament: Tournament, best: Sequence[Ranked]) -> list[tuple[int, Ranked]]:
    """Return the best of a ranking, the first of all first, with their ranks."""
    places: Sequence[int] = range(1, len(best) + 1)
    if tournament.shares_ranks:
        places = rules.share_ranks(places, [(one.points, one.elimination_round) for one in best])
    return list(zip(places, best, strict=True))


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
            return BoardPage(rows, page.offset, page.total, page.changed)
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
    straight = include_out and not tournament.shares_ranks
    known = (
        _straight(tournament, offset, limit)
        if straight
        else _counted(tournament, offset, limit, include_out=include_out)
    )
    entries = Entry.objects.select_related("player").in_bulk([entry_id for entry_id, _ in known])
    return BoardPage(
        [(rank, entries[entry_id]) for entry_id, rank in known],
        offset,
        totals.players if include_out else totals.active,
        _last_updated(tournament),
    )


def _last_updated(tournament: Tournament) -> datetime | None:
    changes = Entry.objects.filter(tournament=tournament).order_by("-changed_at")
    return changes.values_list("changed_at", flat=True).first()


def _straight(tournament: Tournament, offset: int, limit: int) -> list[tuple[int, int]]:
    """Return ids and places of a part of the ranking, straight from its index."""
    ranked = Entry.objects.filter(tournament=tournament).ranked()[offset : offset + limit]
    return [(entry_id, offset + k) for k, entry_id in enumerate(ranked.values_list("pk", flat=True), start=1)]


def _numbered(tournament: Tournament) -> tuple[str, tuple[Any, ...], str]:
    """Return a query of id, status, place, rank and the keys of the ranking, its parameters, and the order of its keys.

    Ordering by the same keys outside keeps the order of the index: PostgreSQL numbers no further than the page. It
    would sort everything to order by the place, because it doesn't know that those ascend. Who asks for ranks that are
    shared asks for the place as well: it is what makes PostgreSQL read in the order of the whole ranking.
    """
    place = Window(RowNumber(), order_by=list(RANKING))
    rows = (
        Entry.objects.filter(tournament=tournament)
        .on_board()
        .annotate(
            **{f"key_{k}": key.expression for k, key in enumerate(_KEYS)},
            place=place,
            rank=Window(Rank(), order_by=list(LEVEL)) if tournament.shares_ranks else place,
        )
        .values("id", "status", "place", "rank", *(f"key_{k}" for k in range(len(_KEYS))))
    )
    text, parameters = rows.query.sql_with_params()
    order = ", ".join(f"key_{k} DESC" if key.descending else f"key_{k}" for k, key in enumerate(_KEYS))
    return text, parameters, order


def _counted(tournament: Tournament, offset: int, limit: int, *, include_out: bool) -> list[tuple[int, int]]:
    """Return ids and ranks of a part of everybody, or of those still in."""
    text, parameters, order = _numbered(tournament)
    wanted = "TRUE" if include_out else "status = 'IN'"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, rank, place FROM ({text}) numbered WHERE {wanted} ORDER BY {order} LIMIT %s OFFSET %s",  # noqa: S608
            [*parameters, limit, offset],
        )
        return [(entry_id, rank) for entry_id, rank, _ in cursor.fetchall()]


def _positions_from_rows(tournament: Tournament, entries: list[Entry]) -> dict[int, int]:
    """Count one entry's rank, or number everybody for several."""
    if len(entries) <= 1:
        return {entry.pk: position_by_rows(entry) for entry in entries}
    text, parameters, _ = _numbered(tournament)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, rank FROM ({text}) numbered WHERE id = ANY(%s)",  # noqa: S608 - written by Django
            [*parameters, [entry.pk for entry in entries]],
        )
        return dict(cursor.fetchall())


def position_by_rows(entry: Entry) -> int:
    """Return an entry's rank as the database has it, whatever the board knows."""
    return _before(entry, _KEYS[: len(LEVEL)] if entry.tournament.shares_ranks else _KEYS) + 1


def _before(entry: Entry, keys: Sequence[OrderBy]) -> int:
    """Count who stands before the entry as far as these keys tell; those with fewer points need no look."""
    everybody = Entry.objects.filter(tournament_id=entry.tournament_id).on_board()
    names = {f"key_{k}": key.expression for k, key in enumerate(keys)}
    own = Entry.objects.filter(pk=entry.pk).annotate(**names).values(*names).get()
    before, level = Q(), Q()
    for name, key in zip(names, keys, strict=True):
        before |= level & Q(**{f"{name}__{'gt' if key.descending else 'lt'}": own[name]})
        level &= Q(**{name: own[name]})
    ahead: int = everybody.alias(**names).filter(before, points__gte=own["key_0"]).count()
    return ahead
