"""Several relays, receivers that hang, a Redis that forgets: nothing twice, nothing lost, nobody waits for another."""

import threading
from collections import Counter
from datetime import timedelta

import pytest
from redis.exceptions import ConnectionError as RedisGone

from apps.core import redis as core_redis
from apps.events.models import Attempt, Delivery, Fact
from apps.events.relay import queue, webhooks
from apps.events.relay.lanes import Lanes
from apps.events.services import deliveries, numbering
from tests.events.factories import NOON, write
from tests.events.relays import make, relaying, settled, states, tell
from tests.factories import OperatorFactory
from tests.receivers import Receiver, Reply
from tests.workers import eventually

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def operator():
    return OperatorFactory()


def test_four_relays_send_a_thousand_facts_once_each(operator):
    with Receiver() as receiver:
        made = make(operator, receiver.url)
        for subject in range(100):
            write(operator, subject=f"tournament:{subject}", count=10)
        numbering.number_facts(operator.pk)
        with relaying(relays=4):
            settled(made.endpoint, DELIVERED=1000)
    assert Counter(Counter(receiver.ids).values()) == {1: 1000}
    assert Attempt.objects.count() == 1000
    assert Delivery.objects.filter(attempts=1, tries=1).count() == 1000


def test_two_relays_never_take_the_same_or_parts_of_one_subject(operator):
    made = make(operator, "https://a.example/")
    tell(operator, count=50)
    tell(operator, count=5, subject="tournament:18")
    share = Lanes(threads=16).share(0)
    [chain] = queue.take(share, formats=["STANDARD"])
    [other] = queue.take(share, formats=["STANDARD"])
    assert (len(chain), {taken.fact.subject for taken in chain}) == (queue.CHAIN, {"tournament:17"})
    assert [taken.fact.subject for taken in other] == ["tournament:18"] * 5
    # Thirty of tournament 17 are due, and wait until what is before them has been noted.
    assert queue.take(share, formats=["STANDARD"]) == []
    # What is given back untried goes first when it is taken again.
    queue.note([queue.Outcome(taken.id, taken.number, "PENDING") for taken in chain])
    [again] = queue.take(share, formats=["STANDARD"])
    assert [taken.fact.sequence for taken in again] == [taken.fact.sequence for taken in chain]
    assert {taken.number for taken in again} == {1}
    # So does what a relay that was killed has left behind.
    Delivery.objects.update(leased_until=NOON)
    taken_over = queue.take(share, formats=["STANDARD"])
    assert [taken.fact.sequence for taken in max(taken_over, key=len)] == [taken.fact.sequence for taken in chain]
    assert states(made.endpoint) == {"PENDING": 55}


def test_a_late_answer_does_not_disturb_who_has_taken_over(operator):
    make(operator, "https://a.example/")
    tell(operator)
    share = Lanes(threads=16).share(0)
    [[first]] = queue.take(share, formats=["STANDARD"])
    assert queue.take(share, formats=["STANDARD"]) == []
    Delivery.objects.update(leased_until=NOON)  # its time has run out
    [[second]] = queue.take(share, formats=["STANDARD"])
    assert (first.number, second.number) == (1, 2)
    sent = {
        "uuid": "0" * 32,
        "started_at": NOON,
        "milliseconds": 1,
        "headers": {},
        "digest": "",
        "bytes": 0,
        "answer": "",
    }
    queue.note([queue.Outcome(first.id, 1, "PENDING", wait=900, last_status=500, sent=sent)])
    assert Delivery.objects.get().leased_until is not None
    queue.note([queue.Outcome(first.id, 1, "DELIVERED", last_status=200, sent=sent)])
    assert Delivery.objects.get().status == "DELIVERED"
    queue.note([queue.Outcome(second.id, 2, "EXHAUSTED", last_status=500, sent=sent)])
    assert (Delivery.objects.get().status, Delivery.objects.get().last_status) == ("DELIVERED", 200)
    assert Attempt.objects.count() == 2


def test_a_known_endpoint_is_served_while_dozens_hang(operator):
    other = OperatorFactory()
    with Receiver() as dead, Receiver() as receiver:
        dead.gate.clear()
        for _ in range(24):
            make(other, dead.url)
        made = make(operator, receiver.url)
        with relaying(threads=32):
            tell(operator)
            settled(made.endpoint, DELIVERED=1)
            for subject in range(3):
                tell(other, subject=f"tournament:{subject}", count=3)
            eventually(lambda: len(dead.got) >= 16)
            for subject in range(20):
                tell(operator, subject=f"tournament:{subject}", count=10)
            settled(made.endpoint, DELIVERED=201)
            assert not Delivery.objects.filter(operator=other, status="DELIVERED").exists()
            assert not dead.gate.is_set()
            dead.gate.set()


def test_redis_may_be_flushed_and_go_away(operator, redis, monkeypatch):
    with Receiver() as receiver, relaying(relays=2):
        made = make(operator, receiver.url)
        tell(operator, count=5)
        redis.flushall()
        tell(operator, count=5)
        settled(made.endpoint, DELIVERED=10)

        def gone(*_, **__):
            raise RedisGone

        monkeypatch.setattr(core_redis.client(), "publish", gone)
        monkeypatch.setattr(core_redis.client(), "pubsub", gone)
        redis.client_kill_filter(_type="pubsub")
        tell(operator, count=5)
        settled(made.endpoint, DELIVERED=15)
    assert len(set(receiver.ids)) == len(receiver.ids) == 15


def test_a_database_that_stumbles_costs_no_outcome(operator, monkeypatch):
    real, failures = queue.note, iter([True, True])

    def stumbling(outcomes):
        if next(failures, False):
            raise webhooks.DatabaseError("the server closed the connection")
        real(outcomes)

    monkeypatch.setattr(queue, "note", stumbling)
    monkeypatch.setattr(webhooks, "PAUSE_SECONDS", 0.01)
    with Receiver() as receiver, relaying():
        made = make(operator, receiver.url)
        tell(operator, count=3)
        settled(made.endpoint, DELIVERED=3)
    assert len(receiver.got) == Attempt.objects.count() == 3


def test_old_deliveries_are_purged_and_what_is_fresh_or_waits_stays(operator, settings, at):
    settings.WEBHOOK_KEPT_SECONDS, settings.DEAD_LETTERS_KEPT_SECONDS = 1000, 3000
    make(operator, "https://a.example/")
    tell(operator, count=6)
    numbers = dict(Delivery.objects.values_list("sequence", "pk"))

    def end(sequence, status, seconds_ago):
        when = at - timedelta(seconds=seconds_ago)
        Delivery.objects.filter(pk=numbers[sequence]).update(status=status, finished_at=when, next_attempt_at=None)
        Attempt.objects.create(delivery_id=numbers[sequence], number=1, started_at=when, milliseconds=1)

    end(1, "DELIVERED", 1001)
    end(2, "DELIVERED", 999)
    end(3, "EXHAUSTED", 2000)
    end(4, "EXHAUSTED", 3001)
    Attempt.objects.create(delivery_id=numbers[5], number=1, started_at=at - timedelta(seconds=9999), milliseconds=1)
    assert deliveries.purge(at=at) == 2
    assert set(Delivery.objects.values_list("sequence", flat=True)) == {2, 3, 5, 6}
    assert set(Attempt.objects.values_list("delivery__sequence", flat=True)) == {2, 3, 5}
    assert Fact.objects.count() == 6
    assert deliveries.purge(at=at) == 0


def test_a_relay_asks_in_few_statements(operator, django_assert_num_queries):
    make(operator, "https://a.example/")
    for subject in range(10):
        tell(operator, count=10, subject=f"tournament:{subject}")
    with django_assert_num_queries(5):  # BEGIN, endpoints, what is due, take it, COMMIT
        chains = queue.take(Lanes(threads=64).share(0), formats=["STANDARD"])
    with django_assert_num_queries(1):
        queue.note([queue.Outcome(taken.id, taken.number, "PENDING") for chain in chains for taken in chain])


def test_threads_end_with_the_relay(operator):
    with Receiver(lambda *_: Reply(200)) as receiver, relaying():
        made = make(operator, receiver.url)
        tell(operator, count=3)
        settled(made.endpoint, DELIVERED=3)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(("webhooks", "bell", "relay"))]
