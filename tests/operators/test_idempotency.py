"""The same Idempotency-Key does the work once."""

from datetime import UTC, datetime, timedelta

import pytest

from apps.operators.models import Brand, IdempotencyRecord, Player
from apps.operators.services import retries
from apps.operators.tasks import purge_idempotency
from tests.factories import Api, OperatorFactory, api, operator_key
from tests.racing import in_parallel

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.operators.views")]

ONCE = {"Idempotency-Key": "order-1"}


@pytest.fixture
def operator():
    return OperatorFactory()


def test_a_retry_gets_the_first_answer_word_for_word(operator):
    client = api(operator)
    first = client.post("/api/players", {"userId": "u-9", "displayName": "Mara"}, headers=ONCE)
    again = client.post("/api/players", {"userId": "u-9", "displayName": "Mara"}, headers=ONCE)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again["Content-Type"] == first["Content-Type"]
    assert (again["Idempotent-Replayed"], "Idempotent-Replayed" in first) == ("true", False)
    assert Player.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_eight_tries_at_once_do_the_work_once(operator):
    key = operator_key(operator)

    def attempt():
        return Api(key).post("/api/players", {"userId": "u-9"}, headers=ONCE)

    answers = in_parallel(8, attempt)
    assert [answer.status_code for answer in answers] == [201] * 8
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotent-Replayed" in answer for answer in answers) == 7
    assert (Player.objects.count(), IdempotencyRecord.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    "case, method, path, body",
    [
        ("another body", "POST", "/api/players", {"userId": "u-10"}),
        ("the same body in another order of bytes", "POST", "/api/players", '{"userId":"u-9" }'),
        ("another address", "POST", "/api/players?x=1", {"userId": "u-9"}),
        ("another method", "PATCH", "/api/settings", {"userId": "u-9"}),
    ],
)
def test_the_key_with_another_request_is_refused_and_changes_nothing(operator, case, method, path, body):
    client = api(operator)
    client.post("/api/players", {"userId": "u-9"}, headers=ONCE)
    answer = client.send(method, path, body, headers=ONCE)
    assert answer.status_code == 409
    assert answer.json()["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert answer.json()["hint"]
    assert Player.objects.count() == 1


def test_two_keys_of_an_operator_do_not_share_idempotency_keys(operator):
    assert api(operator).post("/api/players", {"userId": "u-9"}, headers=ONCE).status_code == 201
    assert api(operator).post("/api/players", {"userId": "u-10"}, headers=ONCE).status_code == 201


@pytest.mark.parametrize("trouble, status", [("refusal", 409), ("bug", 500), ("500", 500), ("429", 429)])
def test_what_failed_is_undone_and_may_be_tried_again(operator, trouble, status):
    client = Api(operator_key(operator), crashes=False)
    brands = Brand.objects.count()
    for _ in range(2):
        answer = client.post("/api/trouble", {"trouble": trouble}, headers=ONCE)
        assert (answer.status_code, "Idempotent-Replayed" in answer) == (status, False)
        assert (Brand.objects.count(), IdempotencyRecord.objects.count()) == (brands, 0)


def test_a_client_error_that_the_work_answered_is_remembered(operator):
    client = api(operator)
    first = client.post("/api/trouble", {"trouble": "404"}, headers=ONCE)
    again = client.post("/api/trouble", {"trouble": "404"}, headers=ONCE)
    assert (first.content, again.status_code) == (again.content, 404)


def test_an_answer_without_a_body_is_replayed_without_one(operator):
    client = api(operator)
    for _ in range(2):
        answer = client.delete("/api/echo", headers=ONCE)
        assert (answer.status_code, answer.content) == (204, b"")


def test_reading_takes_no_notice_of_the_key(operator):
    client = api(operator)
    client.get("/api/echo", headers=ONCE)
    assert IdempotencyRecord.objects.count() == 0


@pytest.mark.parametrize("key", ["", "x" * 201, "schlüssel", "a\tb"])
def test_a_key_that_is_no_key_is_refused(operator, key):
    answer = api(operator).post("/api/players", {"userId": "u-9"}, headers={"Idempotency-Key": key})
    assert answer.status_code == 400
    assert Player.objects.count() == 0


def test_the_answer_that_shows_a_secret_is_kept_encrypted(operator):
    client = api(operator)
    first = client.post("/api/keys", {"name": "till", "role": "Read Only"}, headers=ONCE)
    again = client.post("/api/keys", {"name": "till", "role": "Read Only"}, headers=ONCE)
    assert first.json() == again.json()
    assert first.json()["key"].encode() not in bytes(IdempotencyRecord.objects.get().body)


def test_after_a_day_the_key_is_free_again(operator, time_machine):
    key = operator_key(operator)
    time_machine.move_to(datetime(2026, 3, 1, 12, 0, tzinfo=UTC), tick=False)
    assert Api(key).post("/api/players", {"userId": "u-9"}, headers=ONCE).status_code == 201
    time_machine.shift(timedelta(hours=23, minutes=59))
    assert Api(key).post("/api/players", {"userId": "u-10"}, headers=ONCE).status_code == 409
    time_machine.shift(timedelta(minutes=1))
    assert Api(key).post("/api/players", {"userId": "u-10"}, headers=ONCE).status_code == 201
    assert Api(key).post("/api/players", {"userId": "u-10"}, headers=ONCE)["Idempotent-Replayed"] == "true"


def test_old_answers_are_forgotten_in_batches(operator, monkeypatch, time_machine):
    monkeypatch.setattr(retries, "BATCH", 2)
    time_machine.move_to(datetime(2026, 3, 2, 12, 0, tzinfo=UTC), tick=False)
    client = api(operator)
    for n in range(5):
        client.post("/api/echo", {}, headers={"Idempotency-Key": f"k-{n}"})
    IdempotencyRecord.objects.exclude(key="k-4").update(created_at=datetime(2026, 3, 1, 12, 0, tzinfo=UTC))
    purge_idempotency(unknown_argument=1)
    assert list(IdempotencyRecord.objects.values_list("key", flat=True)) == ["k-4"]
