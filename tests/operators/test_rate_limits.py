"""How often: windows, classes, ceilings, and what happens without Redis."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.operators import limits
from apps.operators.limits import Window
from apps.operators.services import credentials, tenants
from tests.factories import Api, OperatorFactory, api, internal_api, issue
from tests.racing import in_parallel
from tests.rediscalls import noted

urls = pytest.mark.urls("tests.operators.views")


@pytest.fixture
def operator(db):
    return OperatorFactory()


def test_of_a_crowd_exactly_as_many_pass_as_the_limit_says(redis):
    windows = [Window("standard", 100, 60), Window("burst", 60, 10)]

    def ten_calls():
        return [limits.take("crowd", windows).allowed for _ in range(10)]

    outcomes = [allowed for calls in in_parallel(12, ten_calls) for allowed in calls]
    assert (outcomes.count(True), outcomes.count(False)) == (60, 60)
    # What the burst refused was not counted against the minute.
    assert redis.get("rate:{crowd}:standard") == b"60"


def test_a_window_opens_with_its_first_call_and_ends_after_its_seconds(redis):
    windows = [Window("short", 2, 1)]
    first, second, third = (limits.take("one", windows) for _ in range(3))
    assert [first.allowed, second.allowed, third.allowed] == [True, True, False]
    assert [first.remaining, second.remaining, third.remaining] == [1, 0, 0]
    assert third.reset_seconds == 1
    assert 0 < redis.pttl("rate:{one}:short") <= 1000
    while redis.exists("rate:{one}:short"):
        time.sleep(0.02)
    assert limits.take("one", windows).allowed


def test_a_lowered_limit_holds_at_once(redis):
    for _ in range(5):
        limits.take("one", [Window("standard", 10, 60)])
    assert not limits.take("one", [Window("standard", 5, 60)]).allowed


@urls
def test_every_answer_says_what_is_left(operator, redis):
    client = api(operator, ["players.read"])
    before = int(time.time())
    answer = client.get("/api/echo")
    assert (answer["X-RateLimit-Limit"], answer["X-RateLimit-Remaining"]) == ("100", "99")
    assert before < int(answer["X-RateLimit-Reset"]) <= time.time() + 61
    refused = client.post("/api/echo", {})
    assert refused.status_code == 403
    assert (refused["X-RateLimit-Limit"], refused["X-RateLimit-Remaining"]) == ("10", "9")


@urls
def test_a_class_has_its_own_count_and_a_full_one_answers_429(operator, redis):
    client = api(operator)
    for _ in range(10):
        assert client.post("/api/echo", {}).status_code == 201
    answer = client.post("/api/echo", {})
    assert answer.status_code == 429
    assert answer.json()["code"] == "RATE_LIMIT_EXCEEDED"
    assert 55 <= int(answer["Retry-After"]) <= 60
    assert (answer["X-RateLimit-Limit"], answer["X-RateLimit-Remaining"]) == ("10", "0")
    assert client.get("/api/echo").status_code == 200


@urls
def test_another_key_of_the_same_operator_has_its_own_count(operator, redis):
    tenants.change_preferences(
        operator.pk, {"rateLimits": {"standard": 1}}, actor=SYSTEM, at=datetime(2026, 3, 1, tzinfo=UTC)
    )
    one, two = api(operator), api(operator)
    assert [one.get("/api/echo").status_code for _ in range(2)] == [200, 429]
    assert two.get("/api/echo").status_code == 200


@urls
def test_the_ceilings_count_every_class(operator, redis):
    wanted = {"rateLimits": {"ceiling": 3}}
    tenants.change_preferences(operator.pk, wanted, actor=SYSTEM, at=clock.now())
    client = api(operator)
    assert [client.get("/api/echo").status_code, client.post("/api/echo").status_code] == [200, 201]
    assert [client.get("/api/echo").status_code, client.get("/api/echo").status_code] == [200, 429]
    tenants.change_preferences(
        operator.pk, {"rateLimits": {"burstPerTenSeconds": 3, "ceiling": None}}, actor=SYSTEM, at=clock.now()
    )
    answer = client.get("/api/echo")
    assert (answer.status_code, answer["X-RateLimit-Limit"]) == (429, "3")
    assert int(answer["Retry-After"]) <= 10


@urls
def test_internal_keys_have_the_ceilings_of_game_platforms(operator, redis):
    client = internal_api(operator)
    assert client.get("/internal/inside")["X-RateLimit-Limit"] == "5000"
    wanted = {"rateLimits": {"internalBurstPerTenSeconds": 1}}
    tenants.change_preferences(operator.pk, wanted, actor=SYSTEM, at=clock.now())
    assert client.get("/internal/inside").status_code == 429


@urls
def test_an_unknown_key_costs_nobody_anything(operator, redis):
    Api("sk_live_unknown").get("/api/echo")
    assert redis.keys("rate:*") == []


@urls
def test_counting_is_one_round_trip(operator, redis):
    client = api(operator)
    client.get("/api/echo")
    with noted(redis) as commands:
        client.get("/api/echo")
    assert commands.count("evalsha") == 1
    # The script's own commands; a window that has just ended begins anew.
    assert set(commands) <= {"evalsha", "get", "pttl", "incrby", "set"}


@urls
def test_without_redis_calls_pass_and_nobody_waits_twice(operator, monkeypatch):
    tried = []

    class Away(Redis):
        def execute_command(self, *args, **_):
            tried.append(args[0])
            message = "away"
            raise RedisConnectionError(message)

    monkeypatch.setattr(limits, "client", Away)
    monkeypatch.setattr(limits._Outage, "until", 0.0)
    client = api(operator)
    answers = [client.get("/api/echo") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert "X-RateLimit-Limit" not in answers[0]
    assert len(tried) == 1
    monkeypatch.setattr(limits._Outage, "until", 0.0)


@urls
def test_rotation_gives_the_new_key_a_count_of_its_own(operator, redis):
    tenants.change_preferences(operator.pk, {"rateLimits": {"standard": 1}}, actor=SYSTEM, at=clock.now())
    old = issue(operator, scopes=["players.read"])
    assert Api(old.key).get("/api/echo").status_code == 200
    new = credentials.rotate(
        old.credential.pk,
        operator_id=operator.pk,
        overlap_seconds=int(timedelta(hours=1).total_seconds()),
        actor=SYSTEM,
        at=clock.now(),
    )
    assert [Api(old.key).get("/api/echo").status_code, Api(new.key).get("/api/echo").status_code] == [429, 200]


def test_a_redis_that_has_forgotten_the_script_is_told_again(redis):
    redis.script_flush()
    assert [limits.take("one", [Window("standard", 2, 60)]).remaining for _ in range(2)] == [1, 0]


def test_a_purse_never_spends_more_than_the_limit_and_looks_seldom(redis, monkeypatch):
    window, asked = Window("rounds", 100, 60), []
    run = limits._run
    monkeypatch.setattr(limits, "_run", lambda *said: asked.append(said) or run(*said))
    first, second = limits.Purses(at_once=20), limits.Purses(at_once=20)
    allowed = [purse.spend("somebody", window) for _ in range(100) for purse in (first, second)].count(0)
    assert allowed == 100
    assert len(asked) < 100 + 2 * 100
    assert first.spend("somebody", window) > 0
    assert first.spend("somebody else", window) == 0


def test_whoever_calls_seldom_leaves_nothing_unspent(redis):
    for _ in range(3):
        assert limits.Purses(at_once=20).spend("somebody", Window("rounds", 3, 60)) == 0
    assert limits.Purses(at_once=20).spend("somebody", Window("rounds", 3, 60)) > 0
