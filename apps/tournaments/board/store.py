"""Talk to Redis about boards. Every failure of Redis ends in `ask`, and means: there is no board now."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from heapq import merge
from itertools import repeat
from struct import unpack
from typing import Any

import structlog
from redis import Redis
from redis.commands.core import Script
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as TooSlow

from apps.core import redis
from apps.tournaments import rules
from apps.tournaments.board import packing, scripts
from apps.tournaments.board.packing import LEVEL_BYTES, MEMBER_BYTES, RECORD_BYTES, Place

log = structlog.get_logger(__name__)

# After Redis has failed, this process asks PostgreSQL for a moment without trying again.
PAUSE = 0.5
# A board answers only if a sweep has looked at it within this time.
TRUST_SECONDS = 15
# Records in one script: Redis does nothing else meanwhile, about 3 ms.
BATCH = 250
# How records are packed (`packing`). Boards of another layout are left to expire: the first look fills new ones.
LAYOUT = 2
# The names of all boards there may be, for the sweep.
KNOWN = f"podium:boards:{LAYOUT}"


class Silent(Enum):
    """Why there is no answer from a board."""

    AWAY = "away"  # Redis does not answer
    MISSING = "missing"  # nobody has filled it, or a part of it was lost
    BUILDING = "building"  # it is being filled
    LATE = "late"  # no sweep has looked at it lately
    ABSENT = "absent"  # it does not know the entry, or knows an older version


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a board at one moment: its places from `offset` on, how many there are in all, when one last changed.

    `epoch` names this filling of the board; a member of an epoch stands for the same values for ever.
    """

    epoch: bytes
    places: list[Place]
    offset: int
    total: int
    changed: datetime | None


def push(tournament_id: int, entries: Iterable[Any]) -> None:
    """Tell the board how entries stand now. Call it after the commit. Never raises.

    Per entry the higher `score_version` wins, whatever arrives first. A board that nobody has filled stays missing, and
    a push that Redis does not hear is made up for by the next sweep.
    """
    try:
        push_packed(tournament_id, [packing.pack_entry(entry) for entry in entries])
    except Exception:
        # The change is committed: whoever made it must not see it fail.
        log.exception("board_push_failed", tournament_id=tournament_id)


def mend(tournament_id: int, entries: Iterable[Any]) -> None:
    """Tell the board how entries stand that were just read from PostgreSQL, even if their version is no news."""
    push_packed(tournament_id, [packing.pack_entry(entry) for entry in entries], just_read=True)


def push_packed(
    tournament_id: int, packed: Iterable[tuple[int, int, bytes]], *, epoch: bytes = b"", just_read: bool = False
) -> bool | None:
    """Send what `packing.pack` made, with an epoch only to that filling of the board.

    True if all arrived, False if there is no such board, None if Redis did not answer: then nobody knows, and the same
    may be sent again.
    """
    newest: dict[int, tuple[int, bytes]] = {}
    for entry_id, version, record in packed:
        if entry_id not in newest or newest[entry_id][0] < version:
            newest[entry_id] = (version, record)
    return push_records(
        tournament_id, b"".join(record for _, record in newest.values()), epoch=epoch, just_read=just_read
    )


def push_records(tournament_id: int, records: bytes, *, epoch: bytes = b"", just_read: bool = False) -> bool | None:
    """Send records, joined, no entry twice; `push_packed` says what comes back."""
    size = BATCH * RECORD_BYTES
    for start in range(0, len(records), size):
        some = records[start : start + size]
        news: int | None = ask(scripts.PUSH, tournament_id, epoch, some, int(just_read))
        if news is None or news < 0:
            return None if news is None else False
    return True


def page(tournament_id: int, *, offset: int, limit: int, everybody: bool, shared: bool = False) -> Page | Silent:
    """Return a part of the board: of everybody on it, or of those still in with their ranks over everybody.

    With `shared` those who are level have one rank, here and in the other reads: that of the first of them.
    """
    asked = TRUST_SECONDS, offset, limit, int(everybody), _width(shared=shared)
    return _page(ask(scripts.PAGE, tournament_id, *asked), shared=shared)


def around(tournament_id: int, entry_id: int, version: int, *, each_side: int, shared: bool = False) -> Page | Silent:
    """Return an entry's place with its neighbours, over everybody. ABSENT if the board knows less than `version`."""
    about = packing.packed_id(entry_id), packing.packed_version(version)
    return _page(
        ask(scripts.AROUND, tournament_id, TRUST_SECONDS, *about, each_side, _width(shared=shared)), shared=shared
    )


def ranks(tournament_id: int, entries: Sequence[tuple[int, int]], *, shared: bool) -> dict[int, int] | Silent:
    """Return the ranks, from 1 over everybody, of entries given by id and version; unknown ones are left out."""
    found: dict[int, int] = {}
    for start in range(0, len(entries), BATCH):
        some = entries[start : start + BATCH]
        ids = b"".join(packing.packed_id(entry_id) for entry_id, _ in some)
        versions = b"".join(packing.packed_version(version) for _, version in some)
        reply = ask(scripts.RANKS, tournament_id, TRUST_SECONDS, ids, versions, _width(shared=shared))
        if reply is None or reply[0] != b"ready":
            return _silence(reply)
        found |= {entry_id: rank for (entry_id, _), rank in zip(some, reply[1:], strict=True) if rank}
    return found


def drop(tournament_id: int) -> None:
    """Forget a board: it contradicts PostgreSQL, or nobody wants it any more."""
    _calm(lambda server: (server.unlink(*keys(tournament_id)), server.srem(KNOWN, tournament_id)))


def remember(tournament_id: int) -> None:
    """Put a board on the sweep's list."""
    _calm(lambda server: server.sadd(KNOWN, tournament_id))


def known() -> list[int]:
    """Return the tournaments on the sweep's list."""
    return sorted(int(name) for name in _calm(lambda server: server.smembers(KNOWN)) or ())


def only_one(name: str, seconds: float) -> bool:
    """Tell whether the caller is the first to come by this name within some time."""
    return bool(_calm(lambda server: server.set(f"{KNOWN}:{name}", 1, nx=True, px=int(seconds * 1000))))


def news(tournament_ids: Sequence[int]) -> dict[int, tuple[bytes, bytes]]:
    """Return a mark of each board that answers: another one whenever the board has changed. One round trip for all."""

    def look(server: Redis) -> list[list[bytes | None]]:
        with server.pipeline(transaction=False) as many:
            for tournament_id in tournament_ids:
                many.hmget(keys(tournament_id)[0], "state", "epoch", "news")
            return many.execute()

    cards = _calm(look) or ()
    return {
        tournament_id: (epoch, count or b"0")
        for tournament_id, (state, epoch, count) in zip(tournament_ids, cards, strict=False)
        if state == b"ready"
    }


def keys(tournament_id: int) -> list[str]:
    """Return the keys of a board, in the order the scripts take them; the braces keep them on one node of a cluster."""
    name = f"podium:board:{LAYOUT}:{{{tournament_id}}}"
    return [name, f"{name}:in", f"{name}:out", f"{name}:known"]


def ask(script: str, tournament_id: int, *args: bytes | str | float) -> Any:
    """Run a script on a board. None when Redis does not answer, or has nothing to say."""
    return _calm(lambda server: _registered(script)(keys(tournament_id), args, server))


_away_until = 0.0


def _calm(work: Callable[[Redis], Any]) -> Any:
    """Do something with Redis, or return None: the one place where its failures end."""
    global _away_until  # noqa: PLW0603 - what one thread has found out, the others need not wait for
    if time.monotonic() < _away_until:
        return None
    try:
        return work(redis.client())
    except (NotConnected, TooSlow) as problem:
        _away_until = time.monotonic() + PAUSE
        log.warning("board_redis_away", problem=str(problem))
    except RedisError as problem:
        # Full, loading, read-only, or our own mistake.
        log.error("board_redis_refused", problem=str(problem))  # noqa: TRY400 - Redis says it in one line
    return None


@cache
def _registered(text: str) -> Script:
    return Script(redis.client(), text)


def _width(*, shared: bool) -> int:
    """Return how much of a member ranks go by: all of it, or what those who are level have in common."""
    return LEVEL_BYTES if shared else -1


def _page(reply: Any, *, shared: bool) -> Page | Silent:
    if reply is None or reply[0] != b"ready":
        return _silence(reply)
    _, epoch, changed, total, offset, ins, outs, more, first = reply
    if isinstance(more, int):
        both = merge(((member, False) for member in _split(ins)), ((member, True) for member in _split(outs)))
        places = [Place(offset + k, *place) for k, place in zip(range(1, more + 1), both, strict=False)]
    else:
        members = _split(ins)
        before = unpack(f">{len(members)}Q", more) if more else repeat(0)
        places = [
            Place(offset + k + ahead, member, False)
            for k, member, ahead in zip(range(1, len(members) + 1), members, before, strict=False)
        ]
    if shared and places:
        known = [first, *(place.position for place in places[1:])]
        ranked = rules.share_ranks(known, [place.level for place in places])
        places = [place._replace(position=rank) for place, rank in zip(places, ranked, strict=True)]
    return Page(epoch, places, offset, total, packing.moment(int(changed)) if int(changed) else None)


def _split(members: bytes) -> list[bytes]:
    return [members[start : start + MEMBER_BYTES] for start in range(0, len(members), MEMBER_BYTES)]


def _silence(reply: Any) -> Silent:
    if reply is None:
        return Silent.AWAY
    word = reply[0].decode()
    return Silent.MISSING if word == "broken" else Silent(word)
