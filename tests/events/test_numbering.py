"""The sequencer numbers committed facts: gap-free per operator, in order per subject, in nobody's way."""

from collections import defaultdict
from contextlib import contextmanager
from functools import partial
from threading import Event, Thread

import pytest
from django.db import OperationalError, connection, transaction

from apps.core.actors import SYSTEM
from apps.events import streams
from apps.events.models import Fact, Stream
from apps.events.services import numbering
from apps.events.services import recording as events
from tests.events.factories import rolled_back, write
from tests.factories import OperatorFactory
from tests.racing import in_parallel, race

pytestmark = pytest.mark.django_db(transaction=True)


def sequences(operator):
    return list(Fact.objects.for_operator(operator.pk).order_by("sequence").values_list("sequence", flat=True))


def numbers_about(operator, subject):
    return list(Fact.objects.about(operator.pk, subject).values_list("sequence", flat=True))


@contextmanager
def meanwhile(work):
    """Run `work` in a thread, in a transaction that stays open until the block ends."""
    written, may_commit, crashed = Event(), Event(), []

    def run():
        try:
            with transaction.atomic():
                work()
                written.set()
                assert may_commit.wait(30)
        except Exception as problem:  # noqa: BLE001 - judged below
            crashed.append(problem)
            written.set()
        finally:
            connection.close()

    thread = Thread(target=run)
    thread.start()
    assert written.wait(30)
    try:
        yield
    finally:
        may_commit.set()
        thread.join(30)
    assert crashed == []


def record(operator, subject, count=1, at=None):
    new = [events.NewFact("player.registered", subject, {"n": n}) for n in range(count)]
    events.record_many(new, operator_id=operator.pk, actor=SYSTEM, at=at)


def test_each_operator_counts_from_one(at):
    one, other = OperatorFactory(), OperatorFactory()
    write(one, count=3)
    write(other, count=2)
    write(one, count=1)
    assert numbering.number_new_facts() == 6
    assert (sequences(one), sequences(other)) == ([1, 2, 3, 4], [1, 2])
    assert dict(Stream.objects.values_list("operator_id", "last_sequence")) == {one.pk: 4, other.pk: 2}
    assert numbering.number_new_facts() == 0


def test_a_writer_that_commits_late_gets_later_numbers(at):
    operator = OperatorFactory()
    with meanwhile(lambda: record(operator, "tournament:1", count=3, at=at)):
        write(operator, subject="tournament:2", count=2)
        assert numbering.number_new_facts() == 2
        assert numbers_about(operator, "tournament:2") == [1, 2]
    late, early = Fact.objects.filter(subject="tournament:1"), Fact.objects.filter(subject="tournament:2")
    assert max(fact.pk for fact in late) < min(fact.pk for fact in early)

    assert numbering.number_new_facts() == 3
    assert numbers_about(operator, "tournament:1") == [3, 4, 5]
    assert numbers_about(operator, "tournament:2") == [1, 2]


def test_a_rolled_back_writer_leaves_no_gap(at):
    operator = OperatorFactory()
    write(operator)
    with rolled_back():
        record(operator, "tournament:1", count=5, at=at)
    write(operator)
    numbering.number_new_facts()
    assert sequences(operator) == [1, 2]


def test_no_writer_waits_for_the_sequencer(at):
    operator = OperatorFactory()
    write(operator)
    numbering.number_new_facts()

    with meanwhile(lambda: Stream.objects.select_for_update().get(operator=operator)), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '100ms'")
        record(operator, "tournament:1", at=at)
    assert Fact.objects.filter(sequence=None).count() == 1

    # The same wait is real for who does need the counter: the test above would notice one.
    with meanwhile(lambda: Stream.objects.select_for_update().get(operator=operator)), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '100ms'")
        with pytest.raises(OperationalError, match="lock timeout"):
            numbering.number_facts(operator.pk)


def test_the_sequencer_does_not_wait_for_writers(at):
    operator = OperatorFactory()
    with meanwhile(lambda: record(operator, "tournament:1", at=at)):
        write(operator, subject="tournament:2")
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '100ms'")
            assert numbering.number_facts(operator.pk) == 1


def test_two_sequencers_at_once_number_every_fact_once(at):
    operator = OperatorFactory()
    write(operator, count=900)
    counts = in_parallel(4, lambda: sum(iter(lambda: numbering.number_facts(operator.pk, limit=50), 0)))
    assert sum(counts) == 900
    assert sequences(operator) == list(range(1, 901))
    facts = Fact.objects.order_by("id").values_list("data__n", "sequence")
    assert [(n, n + 1) for n in range(900)] == list(facts)


def test_first_facts_of_an_operator_meet_two_sequencers_at_once(at):
    operator = OperatorFactory()
    write(operator, count=10)
    assert sum(in_parallel(4, lambda: numbering.number_facts(operator.pk))) == 10
    assert sequences(operator) == list(range(1, 11))


def test_under_crossfire_readers_see_every_fact_once_and_each_subject_in_its_order(at):  # noqa: C901 - three parties
    operator = OperatorFactory()
    writers, rounds, subjects = 6, 25, 3
    happened = defaultdict(list)  # per subject, in the order in which its lock was held
    writing_is_over = Event()
    done, read = [], []

    def write_under_the_subjects_lock(number):
        for turn in range(rounds):
            subject = (number + turn) % subjects
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [subject])
                step = (number, turn)
                happened[subject].append(step)
                new = [events.NewFact("a.b", f"tournament:{subject}", {"step": step, "part": n}) for n in range(2)]
                events.record_many(new, operator_id=operator.pk, actor=SYSTEM, at=at)

    def sequence_until_all_is_quiet():
        while not writing_is_over.is_set() or numbering.operators_with_new_facts():
            numbering.number_facts(operator.pk, limit=7)

    def read_until_all_is_quiet():
        after = 0
        while True:
            over = writing_is_over.is_set() and not numbering.operators_with_new_facts()
            page = streams.read(operator.pk, after=after, types=[], limit=10)
            read.extend(page.facts)
            after = page.last_sequence
            if over and not page.more:
                return

    def write_and_tell_who_was_last(number):
        write_under_the_subjects_lock(number)
        done.append(number)
        if len(done) == writers:
            writing_is_over.set()

    outcomes = race(
        *(partial(write_and_tell_who_was_last, number) for number in range(writers)),
        read_until_all_is_quiet,
        sequence_until_all_is_quiet,
        sequence_until_all_is_quiet,
    )
    assert outcomes == [None] * (writers + 3)

    total = writers * rounds * 2
    assert [fact.sequence for fact in read] == list(range(1, total + 1))
    for subject in range(subjects):
        told = [
            (tuple(fact.data["step"]), fact.data["part"]) for fact in read if fact.subject == f"tournament:{subject}"
        ]
        assert told == [(step, part) for step in happened[subject] for part in range(2)]


def test_a_long_backlog_of_one_operator_does_not_keep_the_others_waiting(at, monkeypatch):
    monkeypatch.setattr(numbering, "BATCH", 10)
    monkeypatch.setattr(numbering, "ROUNDS", 2)
    one, other = OperatorFactory(), OperatorFactory()
    write(one, count=50)
    write(other, count=3)
    assert numbering.number_new_facts() == 23
    assert Stream.objects.get(operator=other).last_sequence == 3
    assert Stream.objects.get(operator=one).last_sequence == 20


def test_operators_with_new_facts_are_found_and_no_others(at):
    operators = [OperatorFactory() for _ in range(5)]
    for operator in operators[:4]:
        write(operator, count=2)
    numbering.number_facts(operators[1].pk)
    assert numbering.operators_with_new_facts() == [operators[0].pk, operators[2].pk, operators[3].pk]
