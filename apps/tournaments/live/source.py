"""What the hub reads, from threads of its own: never one question per socket."""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from channels.db import DatabaseSyncToAsync
from django.db import connection
from django.db.models import Q

from apps.core import clock
from apps.core.api.json import dumps
from apps.core.numbers import number
from apps.events import streams
from apps.events.facts import TOURNAMENT
from apps.operators.models import Credential, CredentialKind
from apps.operators.scopes import Scope
from apps.tournaments import board
from apps.tournaments.api.casino import reads, standings
from apps.tournaments.api.casino.queries import DEFAULT_LIMIT, BoardFilter, Page
from apps.tournaments.lifecycle import EntryStatus
from apps.tournaments.live.messages import said
from apps.tournaments.live.telling import UNTOLD, Told, tell
from apps.tournaments.models import Entry
from apps.tournaments.services import boards
from apps.tournaments.services.results import money

# Threads, and so database connections, of one live process.
THREADS = 4

_SHOWN = BoardFilter(Page(DEFAULT_LIMIT, 0), include_eliminated=False, around=None)

_MARKS = """
    SELECT t.id, t.operator_id, ROW(t.ctid, t.xmin)::text,
           (SELECT ARRAY[sum(players), sum(active), sum(entries)]::text
              FROM tournaments_tally WHERE tournament_id = t.id)
      FROM tournaments_tournament t WHERE t.id = ANY(%s) AND t.status <> 'DRAFT'
"""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Picture:
    """A board as it is sent, and the score message of every player it shows, by player id."""

    text: str
    scores: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Mark:
    """Whose a tournament is, and a sign that differs when its board may differ. No sign: nobody can tell."""

    operator_id: int
    sign: tuple[Any, ...] | None


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts of some tournaments up to a number; `more` if there are further ones."""

    told: Sequence[Told]
    through: int
    more: bool


class Source(Protocol):
    """Where the hub looks."""

    async def marks(self, tournament_ids: Collection[int]) -> dict[int, Mark]:
        """Return the marks of those tournaments that are there."""

    async def picture(self, operator_id: int, tournament_id: int) -> Picture:
        """Return the board as it stands."""

    async def heads(self, operator_ids: Collection[int]) -> dict[int, int]:
        """Return the last sequence number of each operator."""

    async def facts(self, operator_id: int, tournament_ids: Collection[int], *, after: int, limit: int) -> Facts:
        """Return what happened in some tournaments after a number."""

    async def finals(self, entry_ids: Collection[int]) -> Mapping[int | None, str]:
        """Return the `finalResults` of some entries, written."""

    async def dead(self, credential_ids: Collection[int], entry_ids: Collection[int]) -> tuple[set[int], set[int]]:
        """Return which keys no longer open the door, and which entries have been withdrawn."""


_pool = ThreadPoolExecutor(THREADS, thread_name_prefix="live")


async def in_thread(work: Callable[..., T], *args: Any, **named: Any) -> T:
    """Run work that uses the database in one of our threads; what it raises is raised."""
    run = DatabaseSyncToAsync(work, thread_sensitive=False, executor=_pool)
    result: T = await run(*args, **named)
    return result


class Database:
    """The source: PostgreSQL, and the boards in Redis."""

    async def marks(self, tournament_ids: Collection[int]) -> dict[int, Mark]:
        """See Source."""
        return await in_thread(marks, list(tournament_ids))

    async def picture(self, operator_id: int, tournament_id: int) -> Picture:
        """See Source."""
        return await in_thread(picture, operator_id, tournament_id, at=clock.now())

    async def heads(self, operator_ids: Collection[int]) -> dict[int, int]:
        """See Source."""
        return await in_thread(streams.heads, list(operator_ids))

    async def facts(self, operator_id: int, tournament_ids: Collection[int], *, after: int, limit: int) -> Facts:
        """See Source."""
        return await in_thread(facts, operator_id, list(tournament_ids), after=after, limit=limit)

    async def finals(self, entry_ids: Collection[int]) -> Mapping[int | None, str]:
        """See Source."""
        return await in_thread(finals, list(entry_ids))

    async def dead(self, credential_ids: Collection[int], entry_ids: Collection[int]) -> tuple[set[int], set[int]]:
        """See Source."""
        return await in_thread(dead, list(credential_ids), list(entry_ids), at=clock.now())


def marks(tournament_ids: list[int]) -> dict[int, Mark]:
    """Return the marks of tournaments: one query, and one round trip to Redis."""
    news = board.news(tournament_ids)
    with connection.cursor() as cursor:
        cursor.execute(_MARKS, [tournament_ids])
        rows = cursor.fetchall()
    return {pk: Mark(operator_id, (*version, news[pk]) if pk in news else None) for pk, operator_id, *version in rows}


def picture(operator_id: int, tournament_id: int, *, at: datetime) -> Picture:
    """Return the first page of the leaderboard, as operators.md 3.13 has it. Raises TournamentNotFound."""
    found, totals = reads.standing(operator_id, str(tournament_id))
    shown = standings.leaderboard(found, totals, _SHOWN, at=at)
    scores = {
        entry.player_id: said(
            "player.score.updated",
            tournamentId=str(found.pk),
            playerId=str(entry.player_id),
            internalPlayerId=entry.internal_player_id,
            score=number(entry.points),
            position=position,
            round=entry.current_round or found.current_round,
        )
        for position, entry in shown.rows
    }
    return Picture(dumps({"type": "leaderboard.updated", **shown.body}).decode(), scores)


def facts(operator_id: int, tournament_ids: list[int], *, after: int, limit: int) -> Facts:
    """Return what is told of the facts of some tournaments after a number, in order."""
    subjects = [f"{TOURNAMENT}{tournament_id}" for tournament_id in tournament_ids]
    page = streams.read(operator_id, after=after, besides=UNTOLD, limit=limit, subjects=subjects)
    told = [told for fact in page.facts if (told := tell(fact)) is not None]
    return Facts(told, page.last_sequence, page.more)


def finals(entry_ids: list[int]) -> dict[int | None, str]:
    """Return how it ended for some entries of one tournament: position, points and prize (operators.md 8)."""
    entries = list(Entry.objects.filter(pk__in=entry_ids).select_related("tournament__asset"))
    if not entries:
        return {}
    subject, places = entries[0].tournament, boards.positions(entries)
    prizes = reads.prizes(subject, entry_ids)
    return {
        entry.pk: dumps(
            {
                "position": places.get(entry.pk),
                "points": number(entry.points),
                "prizeAmount": money(subject, prizes.get(entry.pk, 0)),
            }
        ).decode()
        for entry in entries
    }


def dead(credential_ids: list[int], entry_ids: list[int], *, at: datetime) -> tuple[set[int], set[int]]:
    """Return the keys that no longer open this door, and the entries that were withdrawn or are no more."""
    keys: Any = Credential.objects.filter(pk__in=credential_ids, revoked_at=None, operator__suspended_at=None)
    keys = keys.filter(Q(expires_at=None) | Q(expires_at__gt=at))
    live = {
        pk
        for pk, kind, scopes in keys.values_list("pk", "kind", "scopes")
        if kind != CredentialKind.OPERATOR or Scope.RESULTS_READ in scopes
    }
    entries = Entry.objects.filter(pk__in=entry_ids, tournament__operator__suspended_at=None)
    there = set(entries.exclude(status=EntryStatus.WITHDRAWN).values_list("pk", flat=True))
    return set(credential_ids) - live, set(entry_ids) - there
