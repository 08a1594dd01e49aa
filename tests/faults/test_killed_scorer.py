"""Scorers killed in the middle of load, Redis emptied, several at once: nothing is lost and nothing counts twice."""

import threading
from decimal import Decimal

import pytest
from django.db import connection

from apps.core import clock
from apps.rounds.models import PendingRound
from apps.rounds.services.scoring import recounting, scorer
from apps.tournaments import board
from apps.tournaments.models import Entry
from tests.racing import race
from tests.rounds.arena import NOON, Arena, played
from tests.rounds.arena import board as standing
from tests.workers import running_worker

pytestmark = pytest.mark.django_db(transaction=True)

PLAYERS, CALLS, SIZE = 20, 30, 100


def load(arena, calls=CALLS):
    """Batches of one bet for each player in turn; return what each comes to."""
    for call in range(calls):
        arena.take(*[played(f"p{n % PLAYERS}", 1, second=call) for n in range(SIZE)])
    return Decimal(calls * SIZE // PLAYERS)


def test_rounds_count_once_though_the_scorer_is_killed_and_redis_is_emptied(redis, tmp_path, monkeypatch):
    monkeypatch.setenv("ROUNDS_COUNTED_AT_ONCE", "50")
    arena = Arena()
    tournaments = [arena.open(hours=24 * 365 * 5), arena.open(hours=24 * 365 * 5, method="BEST_MULTIPLIER")]
    bets = []
    sender = threading.Thread(target=lambda: (bets.append(load(arena)), connection.close()))
    with running_worker(tmp_path) as worker:
        sender.start()
        for kill in range(3):
            before = PendingRound.objects.count()

            def moved(before=before):
                worker.ring("rounds.score")
                return PendingRound.objects.count() != before

            worker.eventually(moved)
            worker.kill()
            if kill == 1:
                redis.flushdb()
            worker.start()
        sender.join()

        def counted():
            worker.ring("rounds.score")
            return not PendingRound.objects.exists()

        worker.eventually(counted, seconds=60)
    assert {points for _, points in standing(tournaments[0])} == set(bets)
    assert Entry.objects.filter(tournament=tournaments[0]).count() == PLAYERS
    for one in tournaments:
        assert recounting.recount(one.pk, check=True, at=clock.now()).differences == []
        assert board.rebuild(one.pk)
        best = Entry.objects.filter(tournament=one).ranked().first()
        assert board.page(one.pk, offset=0, limit=1, everybody=True).places[0].entry_id == best.pk


def test_many_scorers_at_once_count_every_round_once():
    arena, other = Arena(), Arena(name="other")
    tournaments = [arena.open(limit_rounds=7), arena.open(), other.open(method="CONSECUTIVE_ROUNDS", window=3)]
    for one in (arena, other):
        load(one, calls=4)

    def count():
        while PendingRound.objects.exists():
            for operator_id in scorer.work():
                scorer.count_on(operator_id, at=NOON, limit=30)

    race(*[count] * 4)
    assert {points for _, points in standing(tournaments[0])} == {Decimal(7)}
    assert {points for _, points in standing(tournaments[1])} == {Decimal(20)}
    for one in tournaments:
        assert recounting.recount(one.pk, check=True, at=NOON).differences == []


def test_a_board_that_is_lost_in_the_middle_comes_back_right(redis):
    arena = Arena()
    tournament = arena.open()
    load(arena, calls=2)
    board.rebuild(tournament.pk)
    arena.count(limit=100)
    redis.flushdb()
    arena.count(limit=100)
    board.rebuild(tournament.pk)
    page = board.page(tournament.pk, offset=0, limit=50, everybody=True)
    entries = list(Entry.objects.filter(tournament=tournament).ranked())
    assert [place.entry_id for place in page.places] == [entry.pk for entry in entries]
    assert all(place.shows(entry) for place, entry in zip(page.places, entries, strict=True))
