"""A tournament ends when its grace is over and every round is counted; then its games are watched no more."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection

from apps.core.actors import SYSTEM
from apps.rounds.models import PendingRound, Watch, WatchedGame
from apps.rounds.services import partitions
from apps.rounds.services.scoring import correcting
from apps.tournaments.models import Tournament
from apps.tournaments.services import running
from tests.rounds.arena import NOON, Arena, board, played

pytestmark = pytest.mark.django_db

END = NOON + timedelta(hours=1)


def status(tournament):
    return Tournament.objects.get(pk=tournament.pk).status


def test_it_ends_after_the_grace_and_when_everything_is_counted():
    arena = Arena()
    tournament = arena.open(grace_seconds=60)
    arena.take(played("ann", 3, second=3599), at=END + timedelta(seconds=59))
    running.tick(at=END + timedelta(seconds=30))
    assert status(tournament) == "RUNNING"
    running.tick(at=END + timedelta(seconds=70))
    assert status(tournament) == "RUNNING"
    arena.count(at=END + timedelta(seconds=70))
    running.tick(at=END + timedelta(seconds=71))
    assert status(tournament) != "RUNNING"
    assert board(tournament) == [("ann", Decimal(3))]
    assert not Watch.objects.exists()
    assert not WatchedGame.objects.exists()


def test_nobody_ends_it_by_hand_while_rounds_wait():
    arena = Arena()
    tournament = arena.open()
    arena.take(played("ann", 3))
    with pytest.raises(running.ScoringInProgress):
        running.complete(tournament.pk, actor=SYSTEM, at=NOON + timedelta(minutes=1))
    assert status(tournament) == "RUNNING"
    arena.count()
    running.complete(tournament.pk, actor=SYSTEM, at=NOON + timedelta(minutes=1))
    assert status(tournament) != "RUNNING"


def test_rounds_that_come_after_its_end_wait_for_nobody():
    arena = Arena()
    tournament = arena.open()
    arena.take(played("ann", 3))
    arena.count()
    running.cancel(tournament.pk, reason="no more", actor=SYSTEM, at=NOON)
    arena.take(played("ann", 4))
    assert not PendingRound.objects.exists()
    assert board(tournament) == [("ann", Decimal(3))]


def test_a_void_after_the_end_is_recorded_and_changes_nothing():
    arena = Arena()
    tournament = arena.open(grace_seconds=0)
    wrong = played("ann", 3)
    arena.take(wrong)
    arena.count()
    running.tick(at=END + timedelta(seconds=5))
    said = {"integration": arena.name, "round_id": wrong["roundId"], "reason": "too late", "actor": SYSTEM}
    told = correcting.void(arena.operator.pk, **said, at=END + timedelta(minutes=1))
    assert told.too_late
    assert told.settled == [str(tournament.pk)]
    assert board(tournament) == [("ann", Decimal(3))]


def test_partitions_that_an_open_tournament_may_need_are_kept(settings):
    settings.ROUNDS_KEPT_DAYS = 1
    arena = Arena()
    arena.open(hours=24 * 90)
    partitions.prepare(at=NOON)
    later = NOON + timedelta(days=60)
    partitions.expire(at=later)
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('rounds_round_20260223_20260302')")
        assert cursor.fetchone()[0] is not None
