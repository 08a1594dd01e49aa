"""Long work is asked for once, tells how far it is, and ends with a fact."""

from datetime import timedelta
from decimal import Decimal
from threading import Event, Thread

import pytest
from django.db import connection, transaction

from apps.core.actors import Actor
from apps.events.models import Fact
from apps.jobs import services as jobs
from apps.jobs.lifecycle import JobStatus
from apps.jobs.models import Job
from tests.events.factories import rolled_back
from tests.factories import OperatorFactory
from tests.racing import in_parallel

STAFF = Actor("staff", "mia@podium.example", "req_1")
KEY = "tournament:17:refund"


@pytest.fixture
def operator(db):
    return OperatorFactory()


def ask(operator, at, **more):
    wanted = {
        "kind": "tournament.refund",
        "key": KEY,
        "subject": "tournament:17",
        "title": "Refund March Sprint",
        "total": 200,
    }
    return jobs.ask(operator_id=operator.pk, actor=STAFF, at=at, **(wanted | more))


def told(operator):
    return [(fact.type, fact.subject, fact.actor, fact.data) for fact in Fact.objects.for_operator(operator.pk)]


def test_a_job_is_asked_for_once(operator, at):
    first = ask(operator, at)
    again = ask(operator, at + timedelta(hours=1), total=7, title="Other words")
    assert again.pk == first.pk
    job = Job.objects.get()
    assert (job.status, job.total, job.title, job.asked_by) == ("QUEUED", 200, "Refund March Sprint", str(STAFF))
    assert (job.created_at, job.started_at, job.finished_at) == (at, None, None)
    assert told(operator) == []


def test_operators_have_jobs_of_the_same_key(operator, at):
    assert ask(operator, at).pk != ask(OperatorFactory(), at).pk


@pytest.mark.django_db(transaction=True)
def test_ten_who_ask_at_once_get_one_job(at):
    operator = OperatorFactory()
    assert len({job.pk for job in in_parallel(10, lambda: ask(operator, at))}) == 1


@pytest.mark.django_db(transaction=True)
def test_a_job_goes_with_the_work_that_is_rolled_back(at):
    operator = OperatorFactory()
    with rolled_back():
        ask(operator, at)
    assert not Job.objects.exists()


def test_the_first_progress_starts_the_job(operator, at):
    ask(operator, at)
    jobs.report(operator.pk, KEY, done=0, total=200, at=at + timedelta(seconds=1))
    job = Job.objects.get()
    assert (job.status, job.done, job.started_at) == ("RUNNING", 0, at + timedelta(seconds=1))


def test_progress_is_written_when_the_percentage_moves_and_not_else(operator, at, django_assert_num_queries):
    ask(operator, at)
    jobs.report(operator.pk, KEY, done=1, total=200, at=at)
    with django_assert_num_queries(1):  # one look
        jobs.report(operator.pk, KEY, done=1, total=200, at=at)
    jobs.report(operator.pk, KEY, done=2, total=200, at=at)
    assert Job.objects.get().done == 2
    with django_assert_num_queries(1):
        jobs.report(operator.pk, KEY, done=3, total=200, at=at)
    assert Job.objects.get().done == 2


def test_a_hundred_reports_of_one_percent_each_tenth_are_ten_writes(operator, at):
    ask(operator, at, total=100_000)
    seen = []
    for done in range(0, 10_000, 100):
        jobs.report(operator.pk, KEY, done=done, total=100_000, at=at)
        seen.append(Job.objects.values_list("done", flat=True).get())
    assert sorted(set(seen)) == [0, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000]


def test_progress_of_an_unknown_total_is_written_step_by_step(operator, at):
    ask(operator, at, total=0)
    for done in (1, 2, 3):
        jobs.report(operator.pk, KEY, done=done, total=0, at=at)
        assert Job.objects.get().done == done
    jobs.report(operator.pk, KEY, done=3, total=30, at=at)
    assert Job.objects.get().percent == 10


def test_progress_never_runs_backwards(operator, at):
    ask(operator, at)
    jobs.report(operator.pk, KEY, done=100, total=200, at=at)
    jobs.report(operator.pk, KEY, done=40, total=200, at=at)
    assert Job.objects.get().done == 100


def test_the_end_keeps_the_result_and_tells_it(operator, at):
    job = ask(operator, at)
    jobs.report(operator.pk, KEY, done=100, total=200, at=at)
    end = at + timedelta(minutes=1)
    jobs.report(operator.pk, KEY, done=200, total=200, at=end, finished=True, refunded=Decimal("97.50"), players=12)
    job = Job.objects.get()
    assert (job.status, job.done, job.percent, job.error) == ("SUCCEEDED", 200, 100, "")
    assert (job.started_at, job.finished_at) == (at, end)
    assert job.result == {"refunded": Decimal("97.50"), "players": 12}
    assert told(operator) == [
        (
            "job.succeeded",
            f"job:{job.pk}",
            "system:podium",
            {
                "jobId": job.public_id,
                "kind": "tournament.refund",
                "title": "Refund March Sprint",
                "subject": "tournament:17",
                "done": 200,
                "total": 200,
                "result": {"refunded": Decimal("97.50"), "players": 12},
                "finishedAt": "2026-03-01T12:01:00Z",
            },
        )
    ]


def test_a_job_may_end_before_it_was_seen_to_begin(operator, at):
    ask(operator, at)
    jobs.report(operator.pk, KEY, done=200, total=200, at=at, finished=True)
    job = Job.objects.get()
    assert (job.status, job.started_at, job.finished_at) == ("SUCCEEDED", at, at)


@pytest.mark.django_db(transaction=True)
def test_a_job_ends_once_however_many_say_so(at):
    operator = OperatorFactory()
    ask(operator, at)

    def end():
        jobs.report(operator.pk, KEY, done=200, total=200, at=at, finished=True)

    assert in_parallel(8, end) == [None] * 8
    assert [fact[0] for fact in told(operator)] == ["job.succeeded"]


def test_a_failure_keeps_its_text_and_tells_it(operator, at):
    job = ask(operator, at)
    jobs.report(operator.pk, KEY, done=50, total=200, at=at)
    jobs.fail(operator.pk, KEY, error="3 payouts need a person.", at=at + timedelta(seconds=5))
    job = Job.objects.get()
    assert (job.status, job.done, job.percent) == ("FAILED", 50, 25)
    assert (job.error, job.finished_at) == ("3 payouts need a person.", at + timedelta(seconds=5))
    assert [(fact[0], fact[3]["error"]) for fact in told(operator)] == [("job.failed", "3 payouts need a person.")]


@pytest.mark.parametrize("failed", [False, True])
def test_an_ended_job_is_left_alone(operator, at, failed):
    ask(operator, at)
    if failed:
        jobs.fail(operator.pk, KEY, error="x", at=at)
    else:
        jobs.report(operator.pk, KEY, done=200, total=200, at=at, finished=True)
    before, facts = Job.objects.values().get(), told(operator)

    later = at + timedelta(hours=1)
    jobs.report(operator.pk, KEY, done=3, total=9, at=later)
    jobs.report(operator.pk, KEY, done=9, total=9, at=later, finished=True, more=1)
    jobs.fail(operator.pk, KEY, error="late", at=later)
    assert Job.objects.values().get() == before
    assert told(operator) == facts


def test_reports_of_a_job_that_nobody_asked_for_are_nothing(operator, at):
    jobs.report(operator.pk, KEY, done=3, total=9, at=at)
    jobs.report(operator.pk, KEY, done=9, total=9, at=at, finished=True)
    jobs.fail(operator.pk, KEY, error="late", at=at)
    assert jobs.queue_again(operator.pk, KEY, actor=STAFF, at=at) is False
    assert not Job.objects.exists()
    assert told(operator) == []


def test_a_failed_job_is_queued_again_and_goes_on_from_where_it_was(operator, at):
    job = ask(operator, at)
    jobs.report(operator.pk, KEY, done=50, total=200, at=at)
    jobs.fail(operator.pk, KEY, error="x", at=at)

    assert jobs.queue_again(operator.pk, KEY, actor=STAFF, at=at) is True
    job = Job.objects.get()
    assert (job.status, job.error, job.done, job.finished_at) == ("QUEUED", "", 50, None)
    assert told(operator)[-1][:3] == ("job.queued", f"job:{job.pk}", str(STAFF))

    jobs.report(operator.pk, KEY, done=50, total=200, at=at)
    jobs.report(operator.pk, KEY, done=200, total=200, at=at, finished=True)
    job = Job.objects.get()
    assert job.status == JobStatus.SUCCEEDED
    assert [fact[0] for fact in told(operator)] == ["job.failed", "job.queued", "job.succeeded"]


def test_only_a_failed_job_is_queued_again(operator, at):
    ask(operator, at)
    assert jobs.queue_again(operator.pk, KEY, actor=STAFF, at=at) is False
    jobs.report(operator.pk, KEY, done=200, total=200, at=at, finished=True)
    assert jobs.queue_again(operator.pk, KEY, actor=STAFF, at=at) is False
    assert Job.objects.get().status == "SUCCEEDED"


def test_a_running_job_whose_worker_was_killed_is_carried_on_by_the_next(operator, at):
    ask(operator, at)
    jobs.report(operator.pk, KEY, done=50, total=200, at=at)
    # The worker is gone; nobody told the job. The next task counts what is done and reports it.
    jobs.report(operator.pk, KEY, done=120, total=200, at=at + timedelta(minutes=9))
    job = Job.objects.get()
    assert (job.status, job.done, job.started_at) == ("RUNNING", 120, at)


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_finds_another_writing_progress_goes_on_without_waiting(at):
    operator = OperatorFactory()
    ask(operator, at)
    locked, done = Event(), Event()

    def hold():
        with transaction.atomic():
            Job.objects.select_for_update().get()
            locked.set()
            done.wait(30)
        connection.close()

    other = Thread(target=hold)
    other.start()
    assert locked.wait(30)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '100ms'")
        jobs.report(operator.pk, KEY, done=50, total=200, at=at)
    done.set()
    other.join(30)
    assert Job.objects.get().status == "QUEUED"
