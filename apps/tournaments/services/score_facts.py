"""`player.score.updated` for queues (operators.md 6): at most one a second for a player, the last score in the end.

Scores come by the thousand, and most operators have no queue that wants them: who reports a score pays nothing for
this. Once a second the tick looks what has changed in running tournaments of the operators that want it, and writes
facts. What was told is remembered in Redis for a while: losing it may lose or repeat an update, never a score.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from redis.exceptions import RedisError

from apps.core import redis
from apps.core.actors import SYSTEM
from apps.events.services import queues
from apps.events.services import recording as events
from apps.tournaments import board, facts
from apps.tournaments.board import Silent
from apps.tournaments.board.upkeep import MARGIN
from apps.tournaments.lifecycle import TournamentStatus
from apps.tournaments.models import Entry, Tournament

log = structlog.get_logger(__name__)

TYPE = "player.score.updated"
# Tournaments in one tick, and players told of in each: what is left over is the next tick's.
TOURNAMENTS, PLAYERS = 200, 2000
# Two turns are never closer than this, whatever rings. Milliseconds.
APART = 1000
# What was told is forgotten when a tournament has been silent for so long. Seconds.
REMEMBERED = 3600
# A change is looked for until it is certainly committed and told.
LOOKED_BACK = MARGIN + timedelta(seconds=5)


def tell_scores(*, at: datetime) -> int:
    """Write facts for the scores that changed since they were told; return how many. Does nothing without Redis."""
    wanting = queues.operators_wanting(TYPE)
    if not wanting:
        return 0
    try:
        if not redis.client().set("podium:scores:turn", 1, nx=True, px=APART):
            return 0
        running = Tournament.objects.filter(operator_id__in=wanting, status=TournamentStatus.RUNNING)
        newest = running.order_by("-pk").only("scoring")[:TOURNAMENTS]
        return sum(_tell(one.pk, shared=one.shares_ranks, at=at) for one in newest)
    except RedisError as problem:
        log.warning("scores_not_told", problem=str(problem))
        return 0


def _tell(tournament_id: int, *, shared: bool, at: datetime) -> int:
    key = f"podium:scores:{tournament_id}"
    changed = _changed(tournament_id, at=at)
    if not changed:
        return 0
    told = redis.client().hmget(key, [str(entry.pk) for entry in changed])
    fresh = [entry for entry, known in zip(changed, told, strict=True) if known != _score(entry)][:PLAYERS]
    if not fresh:
        return 0
    found = board.ranks(tournament_id, [(entry.pk, entry.score_version) for entry in fresh], shared=shared)
    places = {} if isinstance(found, Silent) else found
    with transaction.atomic():
        tournament: Tournament = Tournament.objects.hold_shared(tournament_id)
        if tournament.status != TournamentStatus.RUNNING:
            return 0  # the results have the last word
        new = [facts.score_updated(tournament, entry, position=places.get(entry.pk)) for entry in fresh]
        events.record_many(new, operator_id=tournament.operator_id, actor=SYSTEM, at=at)
    # Who dies before this tells the same scores again.
    redis.client().hset(key, mapping={str(entry.pk): _score(entry) for entry in fresh})
    redis.client().expire(key, REMEMBERED)
    return len(fresh)


def _changed(tournament_id: int, *, at: datetime) -> Sequence[Entry]:
    rows = Entry.objects.filter(
        tournament_id=tournament_id, changed_at__gt=at - LOOKED_BACK, score_reported_at__isnull=False
    )
    return list(rows.select_related("player").order_by("changed_at", "pk"))


def _score(entry: Entry) -> bytes:
    return f"{entry.points.normalize():f}/{entry.current_round or 0}".encode()
