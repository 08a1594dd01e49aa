"""rooms.md 3.0.3, 4, 5 and 6.12: late answers, repeated calls, and how many of them there may be."""

from datetime import timedelta
from functools import partial
from threading import Event

import pytest
from django.db import transaction

from apps.core import clock
from apps.operators.models import IdempotencyRecord
from apps.rooms.lifecycle import TaskStatus
from apps.rooms.models import Room, Task
from apps.rooms.services import performing, tasks
from tests.contracts.casino import an_operator
from tests.contracts.rooms.game import GameServer
from tests.racing import race

pytestmark = pytest.mark.django_db
KEY = {"Idempotency-Key": "round-17"}


@pytest.fixture
def game():
    game = GameServer()
    game.player("ana-11")
    return game


@pytest.fixture
def impatient(settings):
    settings.ROOM_SYNC_SECONDS = 0.0


def an_earlier_task(game, room):
    """Somebody's operation is the next of its room, and not to be tried again for another minute."""
    public_id = game.post("earn", {"roomId": room, **game.giving(ana_11=1)}).json()["task"]["id"]
    Task.objects.filter(public_id=public_id).update(due_at=clock.now() + timedelta(minutes=1))
    return public_id


def test_who_waits_too_long_is_told_the_task_and_it_still_completes(game, impatient):
    room = game.stake(ana_11=3)
    first = an_earlier_task(game, room)
    answer = game.post("earnLeave", {"roomId": room, **game.giving(ana_11=2), "sync": True})
    assert answer.status_code == 504
    body = answer.json()
    assert (body["status"], body["code"]) == ("TIMEOUT", "TASK_TIMEOUT")
    assert "may still succeed" in body["errorMessage"]
    assert body["error"] == body["errorMessage"]
    assert body["task"] == {"id": body["taskId"], "status": "PENDING"}
    assert game.task(body["taskId"]).json()["status"] == "PENDING"
    assert game.wallet("ana-11") == 97
    later = clock.now() + timedelta(minutes=2)
    assert tasks.execute_next(int(room), at=later)
    assert tasks.execute_next(int(room), at=later)
    assert [game.task(it).json()["status"] for it in (first, body["taskId"])] == ["SUCCESS", "SUCCESS"]
    assert game.wallet("ana-11") == 100


@pytest.mark.parametrize("sync", [True, False])
def test_a_repeated_call_is_done_once_however_it_is_signed(game, sync):
    body = {**game.taking(ana_11=3), "sync": sync}
    first = game.post("createJoinPay", body, headers=KEY)
    stamp = str(int(clock.now().timestamp() * 1000) - 5000)
    from tests.contracts.rooms.game import compact  # noqa: PLC0415

    signed_anew = game.headers(compact(body), stamp)
    again = game.post("createJoinPay", body, headers=KEY | signed_anew)
    assert (again.status_code, again.json()) == (200, first.json())
    assert again["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first
    assert Task.objects.count() == 1
    assert game.wallet("ana-11") == (97 if sync else 100)


def test_without_a_key_a_repeated_payment_is_another_payment(game):
    room = game.stake(ana_11=3)
    for _ in range(2):
        game.done("pay", roomId=room, **game.taking(ana_11=1))
    assert game.wallet("ana-11") == 95


def test_the_same_key_for_another_request_is_refused(game):
    game.post("create", {"expiresIn": 60}, headers=KEY)
    answer = game.post("create", {"expiresIn": 61}, headers=KEY)
    assert (answer.status_code, answer.json()["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert game.post("end", {"expiresIn": 60}, headers=KEY).status_code == 409
    assert Task.objects.count() == 1
    assert GameServer(game.operator).post("create", {"expiresIn": 61}, headers=KEY).status_code == 200


@pytest.mark.parametrize("key", ["", "x" * 201, "ü"])
def test_a_key_that_is_none_is_refused(game, key):
    answer = game.post("create", headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_PARAMS")
    assert not Task.objects.exists()


def test_a_refusal_frees_the_key_and_a_failure_keeps_it(game):
    room = game.stake(ana_11=3)
    refused = {"roomId": room, "plyrIds": ["nobody"], "tokens": ["gamr"], "amounts": [1]}
    assert game.post("earn", refused, headers=KEY).status_code == 404
    assert not IdempotencyRecord.objects.exists()
    failed = {"roomId": room, **game.giving(ana_11=4), "sync": True}
    first = game.post("earn", failed, headers=KEY)
    assert (first.status_code, first.json()["status"]) == (400, "FAILED")
    again = game.post("earn", failed, headers=KEY)
    assert (again.status_code, again.json()) == (400, first.json())


def test_a_call_that_timed_out_is_repeated_until_its_end(game, impatient, settings):
    room = game.stake(ana_11=3)
    an_earlier_task(game, room)
    body = {"roomId": room, **game.giving(ana_11=2), "sync": True}
    late = game.post("earn", body, headers=KEY)
    assert late.status_code == 504
    assert game.post("earn", body, headers=KEY).json() == late.json()
    Task.objects.filter(status=TaskStatus.QUEUED).update(due_at=clock.now())
    settings.ROOM_SYNC_SECONDS = 20.0
    done = game.post("earn", body, headers=KEY)
    assert (done.status_code, done.json()["taskId"]) == (200, late.json()["taskId"])
    assert done.json()["distributions"][0]["amount"] == 2
    assert Task.objects.filter(method="batchEarnGameRoom").count() == 2
    assert game.wallet("ana-11") == 100


def test_joining_again_under_a_key_says_the_same_again(game):
    room = game.stake(ana_11=3)
    for sync in (True, False):
        body = {"roomId": room, "sessionJwts": [game.jwts["ana-11"]], "sync": sync}
        first, again = (game.post("join", body, headers={"Idempotency-Key": f"join-{sync}"}) for _ in range(2))
        assert first.json()["message"] == "All players are already joined"
        assert first.json() == again.json()


@pytest.mark.django_db(transaction=True)
def test_the_same_call_many_times_at_once_is_done_once():
    game = GameServer()
    game.player("ana-11")
    body = {**game.taking(ana_11=3), "sync": True}
    calls = [partial(game.post, "createJoinPay", body, headers=KEY) for _ in range(6)]
    answers = race(*calls)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["taskId"] for answer in answers}) == 1
    assert Room.objects.filter(operator=game.operator).count() == 1
    assert game.wallet("ana-11") == 97


def test_calls_and_polls_are_counted_apart(redis):
    limits = {"rooms": 2, "roomPolls": 3}
    game = GameServer(an_operator(preferences={"rateLimits": limits}))
    first = game.post("create", {"sync": True})
    assert (first["X-RateLimit-Limit"], first["X-RateLimit-Remaining"]) == ("2", "1")
    task = first.json()["taskId"]
    assert game.post("create").status_code == 200
    before = game.everything()
    answer = game.post("create")
    assert (answer.status_code, answer.json()["code"]) == (429, "RATE_LIMITED")
    assert set(answer.json()) == {"error", "errors", "code", "hint"}
    assert 1 <= int(answer["Retry-After"]) <= 60
    assert answer["X-RateLimit-Remaining"] == "0"
    assert game.everything() == before
    assert [game.task(task).status_code for _ in range(4)] == [200, 200, 200, 429]
    assert GameServer(game.operator).post("create").status_code == 200


def test_calls_that_a_process_counts_in_one_go_are_told_one_by_one_and_never_too_many(redis):
    game = GameServer(an_operator(preferences={"rateLimits": {"rooms": 30}}))
    answers = [game.get("/game/isJoined?roomId=1&plyrId=ana-11") for _ in range(31)]
    assert [answer["X-RateLimit-Remaining"] for answer in answers] == [*map(str, range(29, -1, -1)), "0"]
    assert {answer["X-RateLimit-Limit"] for answer in answers} == {"30"}
    assert [answer.status_code for answer in answers] == [200] * 30 + [429]


def test_a_poll_a_second_for_a_thousand_open_tasks_fits_the_default():
    from apps.operators.preferences import RateLimits  # noqa: PLC0415

    assert RateLimits().room_polls >= 60 * 1000


@pytest.mark.django_db(transaction=True)
def test_a_room_that_somebody_holds_for_long_keeps_nobody_waiting_for_ever(monkeypatch, impatient, settings):
    monkeypatch.setattr(performing, "PATIENCE", "50ms")
    game = GameServer()
    game.player("ana-11")
    room = game.stake(ana_11=3)
    holds, let_go = Event(), Event()

    def somebody():
        with transaction.atomic():
            Room.objects.locked_for_update().get(pk=room)
            holds.set()
            let_go.wait(20)

    def games():
        assert holds.wait(20)
        try:
            late = game.post("earn", {"roomId": room, **game.giving(ana_11=1), "sync": True})
            queued = game.post("earn", {"roomId": room, **game.giving(ana_11=2)})
            unknown = game.post("end", {"roomId": "999999", "sync": True})
            # Looking at it more often than a crash would be tried takes nothing from it.
            looks = [tasks.execute_next(int(room), at=clock.now()) for _ in range(tasks.MAX_TRIES + 1)]
        finally:
            let_go.set()
        return late, queued, unknown, looks

    _, (late, queued, unknown, looks) = race(somebody, games)
    assert (late.status_code, late.json()["status"]) == (504, "TIMEOUT")
    assert (queued.status_code, queued.json()["task"]["status"]) == (200, "PENDING")
    assert unknown.json()["code"] == "ROOM_NOT_FOUND"
    assert not any(looks)
    assert game.wallet("ana-11") == 97
    settings.ROOM_SYNC_SECONDS = 20.0
    assert game.done("end", roomId=room)["status"] == "SUCCESS"
    ids = late.json()["taskId"], queued.json()["task"]["id"]
    assert [game.task(it).json()["status"] for it in ids] == ["SUCCESS", "SUCCESS"]
    assert game.wallet("ana-11") == 100
