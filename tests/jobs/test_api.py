"""`GET /api/jobs`: integrators watch long work."""

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.core.actors import SYSTEM
from apps.jobs import services as jobs
from apps.operators.scopes import EVERY_SCOPE, Scope
from tests.events.factories import NOON
from tests.factories import Api, OperatorFactory, api

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(redis):
    return OperatorFactory()


@pytest.fixture
def client(operator):
    return api(operator, [Scope.TOURNAMENTS_READ])


def ask(operator, number=1, *, kind="tournament.refund", total=200):
    return jobs.ask(
        operator_id=operator.pk,
        kind=kind,
        key=f"tournament:{number}:refund",
        subject=f"tournament:{number}",
        title=f"Refund Sprint {number}",
        total=total,
        actor=SYSTEM,
        at=NOON,
    )


def test_a_job_is_watched_from_the_queue_to_its_end(operator, client):
    job = ask(operator)

    def seen():
        answer = client.get(f"/api/jobs/{job.public_id}")
        assert answer.status_code == 200
        return answer.json()

    queued = {
        "id": job.public_id,
        "kind": "tournament.refund",
        "state": "QUEUED",
        "title": "Refund Sprint 1",
        "progress": {"done": 0, "total": 200, "percent": 0},
        "result": None,
        "error": None,
        "createdAt": "2026-03-01T12:00:00Z",
        "startedAt": None,
        "finishedAt": None,
    }
    assert seen() == queued

    jobs.report(operator.pk, job.key, done=50, total=200, at=NOON + timedelta(seconds=1))
    running = queued | {
        "state": "RUNNING",
        "progress": {"done": 50, "total": 200, "percent": 25},
        "startedAt": "2026-03-01T12:00:01Z",
    }
    assert seen() == running

    end = NOON + timedelta(seconds=9)
    jobs.report(operator.pk, job.key, done=200, total=200, at=end, finished=True, refunded=Decimal("97.50"))
    assert seen() == running | {
        "state": "SUCCEEDED",
        "progress": {"done": 200, "total": 200, "percent": 100},
        "result": {"refunded": 97.5},
        "finishedAt": "2026-03-01T12:00:09Z",
    }


def test_a_failed_job_says_why(operator, client):
    job = ask(operator)
    jobs.fail(operator.pk, job.key, error="3 payouts need a person.", at=NOON)
    body = client.get(f"/api/jobs/{job.public_id}").json()
    assert (body["state"], body["error"], body["result"]) == ("FAILED", "3 payouts need a person.", None)


def test_jobs_are_listed_newest_first_in_pages(operator, client):
    made = [ask(operator, number).public_id for number in range(5)]
    pages = [client.get("/api/jobs", {"limit": 2, "offset": offset}).json() for offset in (0, 2, 4)]
    assert [[job["id"] for job in page["jobs"]] for page in pages] == [made[4:2:-1], made[2:0:-1], made[:1]]
    assert [page["pagination"] for page in pages] == [
        {"limit": 2, "offset": 0, "hasMore": True},
        {"limit": 2, "offset": 2, "hasMore": True},
        {"limit": 2, "offset": 4, "hasMore": False},
    ]


def test_jobs_are_found_by_state_and_kind(operator, client):
    refund, settlement = ask(operator, 1), ask(operator, 2, kind="tournament.settlement")
    jobs.fail(operator.pk, refund.key, error="x", at=NOON)

    def ids(**query):
        return [job["id"] for job in client.get("/api/jobs", query).json()["jobs"]]

    assert ids(state="FAILED") == [refund.public_id]
    assert ids(state="QUEUED") == [settlement.public_id]
    assert ids(kind="tournament.settlement") == [settlement.public_id]
    assert ids(state="RUNNING") == ids(kind="other") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"state": "DONE"}, "state"),
        ({"limit": "0"}, "limit"),
        ({"limit": "201"}, "limit"),
        ({"offset": "-1"}, "offset"),
        ({"offset": "10001"}, "offset"),
        ({"kind": "k" * 41}, "kind"),
    ],
)
def test_a_malformed_question_is_refused(client, query, field):
    answer = client.get("/api/jobs", query)
    assert answer.status_code == 400
    assert list(answer.json()["error"]["details"]["fields"]) == [field]


@pytest.mark.parametrize("name", ["job_unknown", "1", "%00", "job_" + "x" * 3000])
def test_an_unknown_job_is_not_found(client, name):
    answer = client.get(f"/api/jobs/{name}")
    assert answer.status_code == 404
    assert answer.json()["code"] == "NOT_FOUND"


def test_another_operators_job_is_not_found(operator, client):
    job = ask(OperatorFactory())
    assert client.get(f"/api/jobs/{job.public_id}").status_code == 404
    assert client.get("/api/jobs").json()["jobs"] == []


@pytest.mark.parametrize("path", ["/api/jobs", "/api/jobs/", "/api/api/jobs", "/api/api/jobs/"])
def test_jobs_answer_at_every_mount(client, path):
    assert client.get(path).status_code == 200


@pytest.mark.parametrize(
    ("scopes", "expected"),
    [([Scope.TOURNAMENTS_READ], 200), ([scope for scope in EVERY_SCOPE if scope != Scope.TOURNAMENTS_READ], 403)],
)
def test_whoever_may_see_tournaments_may_watch_their_jobs(operator, scopes, expected):
    job = ask(operator)
    client = api(operator, scopes)
    assert client.get("/api/jobs").status_code == expected
    assert client.get(f"/api/jobs/{job.public_id}").status_code == expected
    assert Api().get("/api/jobs").status_code == 401
