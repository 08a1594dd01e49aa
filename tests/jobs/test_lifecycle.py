"""A job's states: one graph, in Python and in the database."""

from itertools import product

import django_fsm as fsm
import pytest
from django.db import IntegrityError, ProgrammingError, transaction

from apps.jobs.lifecycle import EDGES, ENDED, JobStatus
from apps.jobs.models import Job, percent_of
from tests.events.factories import NOON
from tests.factories import OperatorFactory


def a_job(status=JobStatus.QUEUED, **more):
    ended = {"finished_at": NOON} if status in ENDED else {}
    fields = {"kind": "k", "key": "k:1", "title": "Work", "asked_by": "system:podium", "created_at": NOON}
    return Job.objects.create(operator=OperatorFactory(), status=status, **(fields | ended | more))


def test_python_and_the_list_of_edges_draw_the_same_graph():
    declared = {(str(edge.source), str(edge.target)) for edge in Job._meta.get_field("status").get_all_transitions(Job)}
    assert declared == {(source.value, target.value) for source, target in EDGES}


@pytest.mark.django_db
@pytest.mark.parametrize(("source", "target"), list(product(JobStatus, JobStatus)))
def test_the_database_allows_the_edges_and_nothing_else(source, target):
    job = a_job(source)
    change = {"status": target, "finished_at": NOON}
    if source == target or (source, target) in EDGES:
        Job.objects.filter(pk=job.pk).update(**change)
        assert Job.objects.get(pk=job.pk).status == target
        return
    with pytest.raises(ProgrammingError, match="Invalid transition"), transaction.atomic():
        Job.objects.filter(pk=job.pk).update(**change)
    assert Job.objects.get(pk=job.pk).status == source


@pytest.mark.django_db
def test_an_ended_job_has_its_time():
    with pytest.raises(IntegrityError, match="jobs_ended_has_time"), transaction.atomic():
        a_job(JobStatus.FAILED, finished_at=None)


@pytest.mark.django_db
def test_the_state_is_no_field_to_assign():
    with pytest.raises(AttributeError):
        a_job().status = JobStatus.SUCCEEDED


@pytest.mark.django_db
def test_a_job_that_succeeded_stays_so():
    job = a_job(JobStatus.SUCCEEDED)
    for verb in (lambda: job.start(at=NOON), lambda: job.fail(error="x", at=NOON), job.queue_again):
        with pytest.raises(fsm.TransitionNotAllowed):
            verb()


@pytest.mark.parametrize(
    ("done", "total", "percent"),
    [(0, 0, 0), (5, 0, 0), (0, 10, 0), (1, 3, 33), (2, 3, 66), (999, 1000, 99), (10, 10, 99), (11, 10, 99)],
)
def test_percent_is_whole_and_never_says_that_it_is_over(done, total, percent):
    assert percent_of(done, total) == percent


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("status", "percent"), [(JobStatus.RUNNING, 99), (JobStatus.SUCCEEDED, 100), (JobStatus.FAILED, 99)]
)
def test_only_success_is_a_hundred_percent(status, percent):
    assert a_job(status, done=10, total=10).percent == percent
