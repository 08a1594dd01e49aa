"""Bells ring after the commit, once for many, and never hold up whoever rings."""

import base64
import json
import socket
import time
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from django.db import transaction

from apps.core import doorbell
from apps.core import redis as core_redis
from apps.core.tasks import HEARTBEAT, heartbeat
from tests.events.factories import rolled_back
from tests.rediscalls import noted
from tests.workers import eventually

TASK = "tests.bell"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def fresh(redis, monkeypatch):
    """Patience and connections as in a new process."""
    monkeypatch.setattr(doorbell, "_silent_until", 0.0)
    core_redis.client.cache_clear()
    doorbell._broker.cache_clear()
    yield
    core_redis.client.cache_clear()
    doorbell._broker.cache_clear()


@pytest.fixture
def messages(redis):
    """What lies on the broker, oldest first: (task, ids)."""

    def read():
        found = [json.loads(raw) for raw in reversed(redis.lrange("celery", 0, -1))]
        return [(one["headers"]["task"], json.loads(base64.b64decode(one["body"]))[1]) for one in found]

    return read


def test_a_bell_rings_when_the_transaction_has_committed_and_not_before(messages):
    with transaction.atomic():
        doorbell.ring(TASK, tournament_id=17)
        assert messages() == []
    assert messages() == [(TASK, {"tournament_id": 17})]


def test_a_bell_outside_any_transaction_rings_at_once(messages):
    doorbell.ring(TASK)
    assert messages() == [(TASK, {})]


def test_a_rolled_back_change_rings_nothing(messages):
    with rolled_back():
        doorbell.ring(TASK)
    assert messages() == []


def test_many_rings_in_one_transaction_are_one_call_of_redis(messages, redis):
    with noted(redis) as commands, transaction.atomic():
        for _ in range(1000):
            doorbell.ring(TASK, tournament_id=17)
        doorbell.ring(TASK, tournament_id=18)
    assert commands.count("set") == 2
    assert messages() == [(TASK, {"tournament_id": 17}), (TASK, {"tournament_id": 18})]


def test_a_ring_in_a_savepoint_that_is_rolled_back_leaves_the_ring_outside_it(messages):
    with transaction.atomic():
        doorbell.ring(TASK)
        with rolled_back():
            doorbell.ring(TASK)
    assert messages() == [(TASK, {})]


def test_a_ring_after_a_savepoint_that_was_rolled_back_is_heard(messages):
    with transaction.atomic():
        with rolled_back():
            doorbell.ring(TASK)
        doorbell.ring(TASK)
    assert messages() == [(TASK, {})]


def test_a_ring_beside_a_savepoint_that_is_rolled_back_later_is_heard(messages):
    with transaction.atomic():
        with rolled_back():
            with transaction.atomic():
                doorbell.ring(TASK)
            doorbell.ring(TASK)
        with transaction.atomic():
            doorbell.ring(TASK)
    assert messages() == [(TASK, {})]


def test_many_transactions_ring_once_until_somebody_answers(messages):
    for _ in range(50):
        doorbell.ring(TASK, tournament_id=17)
    assert len(messages()) == 1

    doorbell.answered(TASK, tournament_id=17)
    doorbell.ring(TASK, tournament_id=17)
    assert len(messages()) == 2


def test_a_change_committed_while_the_task_works_rings_again(messages):
    doorbell.ring(TASK)

    def task():
        doorbell.answered(TASK)
        doorbell.ring(TASK)  # somebody commits after the task has looked

    task()
    assert len(messages()) == 2


def test_a_bell_that_nobody_answers_lets_the_next_ring_through_soon(redis):
    doorbell.ring(TASK, tournament_id=17)
    assert 0 < redis.pttl("podium:doorbell:rung:tests.bell:tournament_id=17") <= doorbell.RUNG_SECONDS * 1000


def test_a_worker_attends_a_bell_alone_and_looks_once_more_before_it_leaves(messages):
    seen = []

    def work():
        seen.append("work")
        if len(seen) == 1:
            doorbell.ring(TASK)  # somebody commits meanwhile, and an earlier message reaches a second worker
            doorbell.attend(TASK, lambda: seen.append("second worker"))

    doorbell.attend(TASK, work)
    assert seen == ["work", "work"]
    assert messages() == []  # whoever is at it heard it without one
    doorbell.attend(TASK, lambda: seen.append("later"))
    assert seen == ["work", "work", "later"]


def test_a_bell_that_rings_while_its_worker_leaves_is_heard_by_somebody(messages, monkeypatch):
    """Between the last look and the leaving there is no gap: here the ring comes right after the mark is gone."""
    leave, seen = doorbell._leave, []

    def leave_and_ring(task, ids):
        leave(task, ids)
        if len(seen) == 1:
            doorbell.ring(TASK)

    monkeypatch.setattr(doorbell, "_leave", leave_and_ring)
    doorbell.attend(TASK, lambda: seen.append("work"))
    assert seen == ["work", "work"]
    assert messages() == [(TASK, {})]


def test_two_bells_of_one_task_are_attended_side_by_side():
    seen = []
    doorbell.attend(
        TASK, lambda: doorbell.attend(TASK, lambda: seen.append("eighteen"), tournament_id=18), tournament_id=17
    )
    assert seen == ["eighteen"]


def test_work_that_crashes_leaves_the_bell_to_the_next(redis):
    with pytest.raises(ZeroDivisionError):
        doorbell.attend(TASK, lambda: 1 / 0)
    seen = []
    doorbell.attend(TASK, lambda: seen.append("next"))
    assert seen == ["next"]
    assert redis.keys("podium:doorbell:*") == []


def test_a_worker_that_was_killed_keeps_others_away_for_seconds_only(redis):
    def killed():
        assert 0 < redis.pttl("podium:doorbell:attended:tests.bell") <= doorbell.ATTENDED_SECONDS * 1000

    doorbell.attend(TASK, killed)


def test_a_worker_that_is_asked_without_pause_makes_way_and_leaves_a_message(messages, redis):
    turns = []

    def work():
        turns.append(1)
        doorbell.ring(TASK)

    doorbell.attend(TASK, work)
    assert len(turns) == doorbell.TURNS
    redis.delete("celery")
    doorbell.answered(TASK)

    doorbell.attend(TASK, work)
    assert messages()[-1] == (TASK, {})
    assert redis.exists("podium:doorbell:rung:tests.bell")


def test_connections_that_the_other_side_has_closed_cost_no_ring(messages, redis):
    doorbell.ring(TASK, tournament_id=1)
    redis.client_kill_filter(_type="normal", skipme=True)
    doorbell.ring(TASK, tournament_id=2)
    assert [ids for _, ids in messages()] == [{"tournament_id": 1}, {"tournament_id": 2}]


def test_a_broker_that_lost_everything_still_takes_messages(messages, redis):
    doorbell.ring(TASK, tournament_id=1)
    redis.flushdb()
    doorbell.ring(TASK, tournament_id=1)
    assert len(messages()) == 1


@contextmanager
def nobody_there(tmp_path):
    yield f"unix://{tmp_path}/nobody.sock?db=0", f"redis+socket://{tmp_path}/nobody.sock?virtual_host=0"


@contextmanager
def refused(tmp_path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"redis://127.0.0.1:{closed.getsockname()[1]}/0"
        yield address, address


@contextmanager
def silent(tmp_path):
    """Takes connections and never says a word."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(100)
        address = f"redis://127.0.0.1:{deaf.getsockname()[1]}/0"
        yield address, address


@contextmanager
def full(tmp_path):
    """Answers not even the connection: its queue is full."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        guests = [socket.socket() for _ in range(4)]
        for guest in guests:
            guest.setblocking(False)
            guest.connect_ex(deaf.getsockname())
        address = f"redis://127.0.0.1:{deaf.getsockname()[1]}/0"
        yield address, address
        for guest in guests:
            guest.close()


@pytest.fixture
def use(settings, monkeypatch):
    def point(url, broker):
        settings.REDIS_URL = url
        monkeypatch.setenv("CELERY_BROKER_WRITE_URL", broker)

    return point


@pytest.mark.parametrize("outage", [nobody_there, refused, silent, full])
def test_nobody_waits_long_for_a_redis_that_is_gone(outage, use, tmp_path):
    with outage(tmp_path) as (url, broker):
        use(url, broker)
        began = time.monotonic()
        with transaction.atomic():
            doorbell.ring(TASK, tournament_id=1)
        first = time.monotonic() - began
        for number in range(100):
            doorbell.ring(TASK, tournament_id=number)
        others = time.monotonic() - began - first
        doorbell.answered(TASK)
    assert first < 2
    assert others < 0.5


@pytest.mark.parametrize("outage", [nobody_there, refused, silent, full])
def test_nobody_waits_long_for_a_broker_that_is_gone_alone(outage, use, tmp_path, settings):
    with outage(tmp_path) as (_, broker):
        use(settings.REDIS_URL, broker)
        began = time.monotonic()
        doorbell.ring(TASK, tournament_id=1)
        first = time.monotonic() - began
    assert first < 2


@pytest.mark.parametrize("outage", [nobody_there, refused])
def test_work_goes_on_without_redis(outage, use, tmp_path):
    seen = []
    with outage(tmp_path) as (url, broker):
        use(url, broker)
        doorbell.attend(TASK, lambda: seen.append("work"))
    assert seen == ["work"]


def test_a_bell_is_heard_again_when_redis_is_back(use, tmp_path, settings, messages, monkeypatch):
    here = settings.REDIS_URL
    with refused(tmp_path) as (url, broker):
        use(url, broker)
        doorbell.ring(TASK, tournament_id=1)
    settings.REDIS_URL = here
    monkeypatch.delenv("CELERY_BROKER_WRITE_URL")
    core_redis.client.cache_clear()
    doorbell._broker.cache_clear()

    doorbell.ring(TASK, tournament_id=2)
    assert messages() == []  # still sparing its callers
    monkeypatch.setattr(doorbell, "_silent_until", time.monotonic())
    doorbell.ring(TASK, tournament_id=3)
    assert messages() == [(TASK, {"tournament_id": 3})]


def test_a_worker_shows_that_it_lives_for_half_a_minute(redis):
    heartbeat()
    assert abs(int(redis.get(HEARTBEAT)) - time.time()) < 5
    assert 25 < redis.ttl(HEARTBEAT) <= 30


def test_rings_soon_after_one_another_go_as_one_and_the_last_is_never_lost(monkeypatch):
    sent = []
    monkeypatch.setattr(doorbell, "_send", lambda task, _: sent.append(task))
    bell = doorbell.Often("some.task", seconds=0.05)
    monkeypatch.setattr(doorbell, "connection", SimpleNamespace(in_atomic_block=False))
    for _ in range(100):
        bell.ring()
    assert sent == ["some.task"]
    eventually(lambda: len(sent) == 2)
    bell.ring()
    eventually(lambda: len(sent) == 3)
