"""The push flow: PUT with retries, DELETE by switch, forfeits, and results that overtake our own call (3.3, 3.4, 5)."""

from datetime import timedelta

import jwt
import pytest

from apps.core import clock
from apps.matches.models import Notice
from apps.matches.services import delivering, finishing, staff, timekeeping
from tests.contracts.matches.game import GameServer, two
from tests.contracts.matches.test_conformance import ALL_BACK, FIRST_WON
from tests.matches import world
from tests.racing import race
from tests.workers import running_worker

pytestmark = pytest.mark.django_db


@pytest.fixture
def now(monkeypatch):
    """When everything begins. The clock stands still but for what `run` lets pass, however slow the machine is."""
    moment = clock.now()
    monkeypatch.setattr(clock, "now", lambda: moment)
    return moment


def run(game, now, *seconds):
    """Let time pass, and say which calls were made when."""
    made = []
    for second in seconds:
        made += [second] * game.deliver(now + timedelta(seconds=second))
        timekeeping.tick(at=now + timedelta(seconds=second))
    return made


def test_calls_are_tried_at_0_2_6_14_and_30_seconds_each_with_a_fresh_token(game, now):
    with GameServer(500, 503, 408, 429, 200) as server:
        game.set(webhookUrl=server.url)
        match = game.create()["matchId"]
        assert run(game, now, *range(61)) == [0, 2, 6, 14, 30]
        tokens = [call.headers["authorization"] for call in server.got]
        bodies = {call.body for call in server.got}
    assert len(set(tokens)) == 5
    assert len(bodies) == 1
    assert game.state(match)["state"] == "live"
    notice = Notice.objects.get()
    assert (notice.status, notice.attempts, [line["status"] for line in notice.log]) == (
        "DELIVERED", 5, [500, 503, 408, 429, 200],
    )  # fmt: skip


def test_a_stale_key_is_tried_once_more(game, now):
    with GameServer(401, 403, 200) as server:
        game.set(webhookUrl=server.url)
        match = game.create()["matchId"]
        run(game, now, *range(61))
        assert len(server.got) == 2
    assert game.state(match)["state"] == "aborted"


def test_any_2xx_will_do_where_the_client_says_so(game, now):
    with GameServer(204) as server:
        game.set(webhookUrl=server.url, strict200=False)
        match = game.create()["matchId"]
        run(game, now, 1)
    assert game.state(match)["state"] == "live"


def test_the_first_failure_aborts_where_the_client_says_so(game, now):
    with GameServer(500, 200) as server:
        game.set(webhookUrl=server.url, abortsOnFirstFailure=True)
        match = game.create()["matchId"]
        run(game, now, *range(10))
        assert len(server.got) == 1
    assert game.state(match)["state"] == "aborted"
    assert game.wallets() == ALL_BACK


def test_an_aborted_match_is_deleted_where_the_client_wants_it_with_body_and_query(game, now):
    with GameServer(200, 500, 404) as server:
        game.set(webhookUrl=f"{server.url}?game=kart", sendDelete=True)
        match = game.create()["matchId"]
        run(game, now, 1)
        staff.abort(game.row(match).pk, reason="power cut", actor=world.ADA, at=now)
        run(game, now, *range(1, 200))
        put, *deletes = server.got
    assert [call.method for call in deletes] == ["DELETE", "DELETE"]
    assert deletes[0].path == f"/hooks?game=kart&match_id={match}"
    assert deletes[0].json == put.json
    assert jwt.get_unverified_header(deletes[0].headers["authorization"].removeprefix("Bearer "))["alg"] == "RS256"
    assert game.wallets() == ALL_BACK


def test_by_default_nothing_is_deleted(game, now):
    with GameServer(200) as server:
        game.set(webhookUrl=server.url)
        match = game.create()["matchId"]
        run(game, now, 1)
        staff.abort(game.row(match).pk, reason="power cut", actor=world.ADA, at=now)
        run(game, now, *range(1, 100))
        assert [call.method for call in server.got] == ["PUT"]


def test_a_forfeit_on_the_platform_is_told_by_the_same_put(game, now):
    with GameServer(200, 500) as server:
        game.set(webhookUrl=server.url)
        match = game.create()["matchId"]
        run(game, now, 1)
        game.api.post(f"/api/matches/{match}/forfeit", {"teamId": "team_id_2"})
        run(game, now, *range(1, 61))
        told = server.got[1].json
    assert told["teams"] == [{"id": "team_id_1"}, {"id": "team_id_2", "forfeit?": True}]
    # The game's answer to that changes nothing.
    assert game.state(match)["state"] == "finished"
    assert game.wallets() == FIRST_WON


def test_an_address_that_may_not_be_called_aborts_at_once(game, now, settings):
    game.set(webhookUrl="http://127.0.0.1:59999/hooks")
    settings.EGRESS_ALLOW_LOOPBACK = False
    match = game.create()["matchId"]
    run(game, now, 1)
    assert game.state(match)["state"] == "aborted"
    assert game.wallets() == ALL_BACK


def test_a_worker_that_died_in_the_middle_leaves_a_try_that_is_made_again(game, now):
    with GameServer(200) as server:
        game.set(webhookUrl=server.url)
        match = game.create()["matchId"]
        (notice,) = delivering.due(now + timedelta(seconds=1))
        assert delivering.lease(notice, at=now + timedelta(seconds=1)) is not None
        assert delivering.lease(notice, at=now + timedelta(seconds=2)) is None
        assert run(game, now, *range(2, 20)) == [16]
        assert len(server.got) == 1
    assert game.state(match)["state"] == "live"


def test_nobody_noting_anything_is_an_abort_in_the_end(game, now):
    game.set(webhookUrl="http://127.0.0.1:59999/hooks")
    match = game.create()["matchId"]
    timekeeping.tick(at=now + timedelta(seconds=74))
    assert game.state(match)["state"] == "notifying"
    timekeeping.tick(at=now + timedelta(seconds=77))
    assert game.state(match)["state"] == "aborted"
    assert game.wallets() == ALL_BACK


def test_a_result_before_our_put_is_through_is_asked_to_come_again(game, now, monkeypatch):
    monkeypatch.setattr(finishing, "PATIENCE_SECONDS", 0.0)
    with GameServer(200) as server:
        game.set(webhookUrl=server.url)
        match = game.create()["matchId"]
        early = game.finish(two(match))
        assert (early.status_code, early["Retry-After"]) == (503, "2")
        run(game, now, 1)
    assert game.finish(two(match)).json()["accepted"] is True


def test_late_results_of_a_match_that_could_not_be_announced_are_no_errors(game, now):
    with GameServer(500) as server:
        game.set(webhookUrl=server.url)
        match = game.create()["matchId"]
        run(game, now, *range(61))
    late = game.finish(two(match))
    assert (late.status_code, late.json()) == (
        200, {"match_id": match, "match_status": "aborted", "accepted": False, "duplicate": False},
    )  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_a_result_that_overtakes_the_answer_to_our_put_waits_for_it(game):
    with GameServer(200) as server:
        game.set(webhookUrl=server.url)
        match, token = game.create()["matchId"], game.token
        server.gate.clear()

        def answer_late():
            server.wait_for(1)
            server.gate.set()

        found = race(lambda: game.deliver(clock.now()), lambda: game.finish(two(match), token=token), answer_late)
    assert (found[0], found[1].status_code, found[1].json()["match_status"]) == (1, 200, "finished")
    assert game.wallets() == FIRST_WON


@pytest.mark.django_db(transaction=True)
def test_ten_workers_make_one_call(game, now):
    with GameServer(200) as server:
        game.set(webhookUrl=server.url)
        game.create()
        (notice,) = delivering.due(now + timedelta(seconds=1))
        later = now + timedelta(seconds=1)
        made = race(*[lambda: delivering.deliver(notice, at=later)] * 10)
        assert sorted(made) == [False] * 9 + [True]
        assert len(server.got) == 1


@pytest.mark.django_db(transaction=True)
def test_a_worker_hears_the_bell_and_makes_the_match_live(game, tmp_path):
    with GameServer(200) as server, running_worker(tmp_path) as worker:
        game.set(webhookUrl=server.url)
        match = game.create()["matchId"]
        worker.eventually(lambda: game.row(match).status == "LIVE")
        assert len(server.got) == 1
