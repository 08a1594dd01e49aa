"""Whatever happens to Redis or to a push: an answer is right, and the board comes back."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from redis import Redis

from apps.core import doorbell
from apps.core import redis as core_redis
from apps.tournaments import board
from apps.tournaments.board import store, upkeep
from apps.tournaments.models import Entry, Tournament
from apps.tournaments.services import boards
from tests.racing import race
from tests.tournaments import ranks

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def rings(monkeypatch):
    """The bells that were rung."""
    heard = []
    monkeypatch.setattr(doorbell, "ring", lambda task, **ids: heard.append((task, ids)))
    return heard


@pytest.fixture
def tournament(redis):
    """Ten players, one of them out, on a board."""
    made = ranks.field(10)
    for points, entry in enumerate(Entry.objects.order_by("pk")):
        ranks.change(entry, points=Decimal(points))
    out = Entry.objects.get(points=9)
    ranks.change(out, status="OUT", elimination_round=1, eliminated_at=ranks.NOON)
    assert board.rebuild(made.pk)
    return made


def read(tournament, *, include_out=True):
    page = boards.leaderboard(tournament, offset=0, limit=50, include_out=include_out)
    assert page.total == len(page.rows)
    return ranks.shown(page)


def leader(tournament):
    return Entry.objects.filter(tournament=tournament).ranked().first()


# --- pushes -----------------------------------------------------------------------------------------------------------


def test_the_newest_version_wins_whatever_arrives_first(tournament):
    entry = leader(tournament)
    versions = []
    for points in (100, 3, 7, 50, 1):
        ranks.change(entry, points=Decimal(points))
        versions.append(Entry.objects.get(pk=entry.pk))
    for version in (versions[k] for k in (3, 0, 4, 1, 2)):
        board.push(tournament.pk, [version])
    board.push(tournament.pk, reversed(versions))
    assert ranks.on_board(tournament) == ranks.truth(tournament)
    assert len(ranks.on_board(tournament)) == 10


def test_a_player_who_is_out_stays_ranked_and_comes_back_in(tournament):
    entry = leader(tournament)
    assert entry.status == "OUT"
    assert read(tournament, include_out=False) == ranks.truth(tournament)[1:]
    board.push(tournament.pk, [ranks.change(entry, status="IN", elimination_round=None, eliminated_at=None)])
    assert ranks.on_board(tournament, everybody=False) == ranks.truth(tournament)


def test_who_withdrew_is_gone_and_a_late_push_does_not_bring_them_back(tournament):
    entry = Entry.objects.get(points=5)
    before = ranks.change(entry, points=Decimal(500))
    late = Entry.objects.get(pk=before.pk)
    ranks.change(entry, status="WITHDRAWN")
    board.push(tournament.pk, [entry])
    board.push(tournament.pk, [late])
    assert ranks.on_board(tournament) == ranks.truth(tournament)
    assert entry.pk not in dict(map(reversed, ranks.on_board(tournament)))
    board.drop(tournament.pk)
    assert board.rebuild(tournament.pk)
    board.push(tournament.pk, [late])
    assert ranks.on_board(tournament) == ranks.truth(tournament)


def test_a_missing_board_stays_missing(tournament):
    board.drop(tournament.pk)
    board.push(tournament.pk, [leader(tournament)])
    assert ranks.on_board(tournament) is board.Silent.MISSING
    assert store.known() == []


def test_a_push_that_can_not_be_made_is_not_the_callers_fault(tournament):
    entry = leader(tournament)
    entry.points = None
    board.push(tournament.pk, [entry])
    assert ranks.on_board(tournament) == ranks.truth(tournament)


# --- what is lost -----------------------------------------------------------------------------------------------------


def test_a_lost_redis_is_answered_from_rows_and_rings_for_a_rebuild(tournament, redis, rings):
    redis.flushdb()
    assert read(tournament) == ranks.truth(tournament)
    assert read(tournament, include_out=False) == ranks.truth(tournament, include_out=False)
    assert set(map(str, rings)) == {str(("boards.rebuild", {"tournament_id": tournament.pk}))}


@pytest.mark.parametrize("part", [(1,), (2,), (3,), (1, 3), (1, 2, 3), (0,)])
def test_a_board_that_lost_a_part_does_not_answer(tournament, redis, rings, part):
    redis.delete(*[store.keys(tournament.pk)[key] for key in part])
    board.push(tournament.pk, [ranks.change(Entry.objects.get(points=3), points=Decimal(4))])
    assert ranks.on_board(tournament) is board.Silent.MISSING
    assert read(tournament) == ranks.truth(tournament)
    assert rings == [("boards.rebuild", {"tournament_id": tournament.pk})]
    assert board.rebuild(tournament.pk)
    assert ranks.on_board(tournament) == ranks.truth(tournament)


def test_a_flush_in_the_middle_of_a_rebuild_starts_it_again(tournament, redis, monkeypatch):
    monkeypatch.setattr(upkeep, "ROWS", 3)
    batches, rows = [], upkeep._rows

    def interrupted(tournament_id):
        for batch in rows(tournament_id):
            batches.append(len(batch))
            if len(batches) == 2:
                redis.flushdb()
            yield batch

    monkeypatch.setattr(upkeep, "_rows", interrupted)
    board.drop(tournament.pk)
    assert board.rebuild(tournament.pk)
    assert batches == [3, 3, 3, 3, 3, 1]
    assert ranks.on_board(tournament) == ranks.truth(tournament)


def test_a_part_lost_in_the_middle_of_a_rebuild_is_noticed_at_its_end(tournament, redis, monkeypatch):
    monkeypatch.setattr(upkeep, "ROWS", 3)
    rows, lost = upkeep._rows, []

    def evicted(tournament_id):
        for number, batch in enumerate(rows(tournament_id)):
            if number == 2 and not lost:
                lost.append(redis.delete(*store.keys(tournament_id)[1:]))
            yield batch

    monkeypatch.setattr(upkeep, "_rows", evicted)
    board.drop(tournament.pk)
    assert board.rebuild(tournament.pk)
    assert lost
    assert ranks.on_board(tournament) == ranks.truth(tournament)


def test_a_hiccup_of_redis_does_not_waste_a_rebuild(tournament, redis, monkeypatch):
    monkeypatch.setattr(upkeep, "ROWS", 3)
    monkeypatch.setattr(store, "PAUSE", 0.01)
    rows, client, batches = upkeep._rows, core_redis.client, []

    def unreachable():
        monkeypatch.setattr(core_redis, "client", client)
        return Redis.from_url("unix:///nowhere/redis.sock")

    def shaken(tournament_id):
        for batch in rows(tournament_id):
            batches.append(len(batch))
            monkeypatch.setattr(core_redis, "client", unreachable)
            yield batch

    monkeypatch.setattr(upkeep, "_rows", shaken)
    board.drop(tournament.pk)
    assert board.rebuild(tournament.pk)
    assert batches == [3, 3, 3, 1]
    monkeypatch.setattr(core_redis, "client", client)
    assert ranks.on_board(tournament) == ranks.truth(tournament)


def test_one_process_fills_a_board_at_a_time_and_a_dead_one_is_replaced(tournament, redis, monkeypatch):
    board.drop(tournament.pk)
    rows = upkeep._rows

    def seen_from_a_second_process(tournament_id):
        monkeypatch.setattr(upkeep, "_rows", rows)
        assert ranks.on_board(tournament) is board.Silent.BUILDING
        assert read(tournament) == ranks.truth(tournament)
        assert not board.rebuild(tournament_id)
        ranks.age(redis, tournament, pulse=upkeep.SILENCE + 1)
        assert board.rebuild(tournament_id)
        yield from rows(tournament_id)

    monkeypatch.setattr(upkeep, "_rows", seen_from_a_second_process)
    board.rebuild(tournament.pk)
    assert ranks.on_board(tournament) == ranks.truth(tournament)


def test_pushes_during_a_rebuild_are_not_lost(redis, monkeypatch):
    monkeypatch.setattr(upkeep, "ROWS", 20)
    tournament = ranks.field(120)
    ids = list(Entry.objects.values_list("pk", flat=True))

    def play(number):
        dice = random.Random(number)

        def some():
            for pk in dice.sample(ids[number::3], 30):
                entry = Entry.objects.get(pk=pk)
                out = dice.random() < 0.3
                ranks.change(
                    entry,
                    points=Decimal(dice.randint(0, 20)),
                    status="OUT" if out else "IN",
                    eliminated_at=ranks.NOON if out else None,
                    elimination_round=dice.randint(1, 2) if out else None,
                )
                board.push(tournament.pk, [entry])

        return some

    assert not [
        error
        for error in race(play(0), play(1), play(2), lambda: board.rebuild(tournament.pk))
        if error is not True and error
    ]
    assert ranks.on_board(tournament) == ranks.truth(tournament)
    assert ranks.on_board(tournament, everybody=False) == ranks.truth(tournament, include_out=False)


# --- what is late -----------------------------------------------------------------------------------------------------


def test_the_sweep_makes_up_for_a_lost_push(tournament):
    ranks.change(Entry.objects.get(points=0), points=Decimal(99))
    assert ranks.on_board(tournament) != ranks.truth(tournament)
    assert board.sweep() == 1
    assert ranks.on_board(tournament) == ranks.truth(tournament)


def test_the_sweep_covers_any_pause(tournament, redis):
    redis.hset(store.keys(tournament.pk)[0], "through", 0)
    Entry.objects.filter(points=0).update(score_version=50, points=1000, changed_at=datetime(2020, 1, 1, tzinfo=UTC))
    assert board.sweep() == 1
    assert ranks.on_board(tournament) == ranks.truth(tournament)
    assert int(redis.hget(store.keys(tournament.pk)[0], "through")) > 0


def test_more_than_one_batch_of_changes_is_swept(tournament, monkeypatch):
    monkeypatch.setattr(upkeep, "ROWS", 4)
    at = datetime.now(UTC)
    for entry in Entry.objects.all():
        ranks.change(entry, points=entry.points * 2)
    Entry.objects.update(changed_at=at)
    assert board.sweep() == 10
    assert ranks.on_board(tournament) == ranks.truth(tournament)


def test_one_sweep_runs_at_a_time(tournament, redis):
    ranks.change(leader(tournament), points=Decimal(1))
    assert board.sweep() == 1
    ranks.change(leader(tournament), points=Decimal(2))
    assert board.sweep() == 0
    redis.delete(f"{store.KNOWN}:sweep")
    assert board.sweep() == 1


def test_a_board_that_no_sweep_looks_after_does_not_answer(tournament, redis, rings):
    ranks.age(redis, tournament, checked=store.TRUST_SECONDS + 1)
    redis.delete(store.KNOWN)
    ranks.change(Entry.objects.get(points=0), points=Decimal(99))
    assert ranks.on_board(tournament) is board.Silent.LATE
    assert read(tournament) == ranks.truth(tournament)
    assert rings == [("boards.sweep", {})]
    assert board.sweep() == 1
    assert ranks.on_board(tournament) == ranks.truth(tournament)


def test_a_redis_that_comes_back_with_an_old_memory_is_not_believed(tournament, redis):
    old = {key: redis.dump(key) for key in store.keys(tournament.pk)}
    for entry in Entry.objects.filter(points__lt=5):
        board.push(tournament.pk, [ranks.change(entry, points=entry.points + 50)])
    redis.flushdb()
    for key, value in old.items():
        redis.restore(key, 0, value)
    ranks.age(redis, tournament, checked=store.TRUST_SECONDS + 1)  # what a pause does
    assert read(tournament) == ranks.truth(tournament)
    board.remember(tournament.pk)
    assert board.sweep() == 5
    assert ranks.on_board(tournament) == ranks.truth(tournament)


def test_reading_a_stale_row_heals_it(tournament):
    ranks.change(leader(tournament), points=Decimal(-5))
    assert read(tournament) == ranks.truth(tournament)
    assert ranks.on_board(tournament) == ranks.truth(tournament)


def test_the_verification_finds_what_the_sweep_can_not_know(tournament):
    # Committed long after its time of change, and the push was lost.
    Entry.objects.filter(points=0).update(score_version=50, points=1000, changed_at=datetime(2020, 1, 1, tzinfo=UTC))
    assert board.sweep() == 0
    assert board.rebuild(tournament.pk)
    assert ranks.on_board(tournament) == ranks.truth(tournament)


def test_every_board_is_verified_now_and_then(tournament, redis, rings):
    board.sweep()
    assert rings == []
    redis.delete(f"{store.KNOWN}:sweep")
    ranks.age(redis, tournament, verified=upkeep.VERIFY_EVERY + 1)
    board.sweep()
    assert rings == [("boards.rebuild", {"tournament_id": tournament.pk})]


def test_boards_that_nobody_reads_are_forgotten_those_of_ended_tournaments_sooner(tournament, redis):
    ranks.age(redis, tournament, read=upkeep.IDLE_ENDED + 1)
    board.sweep()
    assert store.known() == [tournament.pk]
    redis.delete(f"{store.KNOWN}:sweep")
    Tournament.objects.filter(pk=tournament.pk).update(status="SETTLING", completed_at=ranks.NOON)
    board.sweep()
    assert store.known() == []
    assert not redis.exists(*store.keys(tournament.pk))


def test_nobody_rings_for_the_board_of_an_ended_tournament(tournament, rings):
    board.drop(tournament.pk)
    Tournament.objects.filter(pk=tournament.pk).update(status="SETTLING", completed_at=ranks.NOON)
    assert read(Tournament.objects.get(pk=tournament.pk)) == ranks.truth(tournament)
    assert rings == []


# --- what contradicts -------------------------------------------------------------------------------------------------


def test_a_board_that_knows_more_than_a_restored_database_is_dropped(tournament, rings):
    entry = Entry.objects.get(points=3)
    board.push(tournament.pk, [ranks.change(entry, points=Decimal(77))])
    Entry.objects.filter(pk=entry.pk).update(points=3, score_version=entry.score_version - 1)
    assert read(tournament) == ranks.truth(tournament)
    assert ranks.on_board(tournament) is board.Silent.MISSING


@pytest.mark.parametrize("finder", [read, lambda tournament: board.rebuild(tournament.pk)])
def test_a_change_that_kept_its_version_is_found_by_a_reader_and_by_the_verification(tournament, finder):
    Entry.objects.filter(points=3).update(points=77)
    finder(tournament)
    assert ranks.on_board(tournament) == ranks.truth(tournament)
    assert read(tournament) == ranks.truth(tournament)


def test_a_position_is_never_older_than_the_entry_in_hand(tournament):
    entry = ranks.change(Entry.objects.get(points=0), points=Decimal(99))
    assert boards.position_of(entry) == 1
    assert ranks.shown(boards.around(tournament, entry, each_side=1)) == ranks.truth(tournament)[:2]


# --- Redis away -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["unix:///nowhere/redis.sock?db=0", "redis://127.0.0.1:1/0"])
def test_without_redis_everything_is_answered_from_rows(tournament, settings, url):
    entry = Entry.objects.get(points=4)
    with ranks.redis_at(settings, url):
        board.push(tournament.pk, [ranks.change(entry, points=Decimal(20))])
        assert read(tournament) == ranks.truth(tournament)
        assert read(tournament, include_out=False) == ranks.truth(tournament, include_out=False)
        assert boards.positions(Entry.objects.all()) == {pk: place for place, pk in ranks.truth(tournament)}
        assert ranks.shown(boards.around(tournament, entry, each_side=2)) == ranks.truth(tournament)[:3]
        assert not board.rebuild(tournament.pk)
        assert board.sweep() == 0
    assert board.sweep() == 1
    assert read(tournament) == ranks.truth(tournament)


def test_a_board_is_read_with_one_question_and_its_rows_are_kept_for_a_moment(tournament, monkeypatch):
    boards._cache.clear()
    questions = []
    with connection.execute_wrapper(lambda run, sql, *rest: (questions.append(sql), run(sql, *rest))[1]):
        read(tournament)
        assert len(questions) == 1
        read(tournament)
        assert len(questions) == 1
    monkeypatch.setattr(boards, "FRESH_SECONDS", 0.0)
    Entry.objects.filter(points=3).update(display_name="Renamed")
    page = boards.leaderboard(tournament, offset=0, limit=50, include_out=True)
    assert "Renamed" in [entry.display_name for _, entry in page.rows]


def test_last_updated_is_the_newest_change(tournament):
    entry = ranks.change(Entry.objects.get(points=3), points=Decimal(5))
    board.push(tournament.pk, [entry])
    for page in (
        boards.leaderboard(tournament, offset=0, limit=1, include_out=True),
        boards._page_from_rows(tournament, offset=0, limit=1, include_out=True),
    ):
        assert page.last_updated == entry.changed_at
        assert entry.changed_at > ranks.NOON + timedelta(days=1)
