"""The nine checks that a drop-in server must pass (matches.md 6)."""

from datetime import timedelta

import jwt
import pytest

from apps.core import clock
from apps.matches.services import notices
from tests.contracts.matches.game import Game, GameServer, two
from tests.racing import in_parallel

pytestmark = pytest.mark.django_db

ALL_BACK = {"user_id_1": 10_000, "user_id_2": 10_000}
FIRST_WON = {"user_id_1": 10_800, "user_id_2": 9_000, "REVENUE": 200}
SECOND_WON = {"user_id_1": 9_000, "user_id_2": 10_800, "REVENUE": 200}


def armoured(bare: str) -> str:
    """What every client does with `public_key`."""
    return f"-----BEGIN PUBLIC KEY-----\n{bare}\n-----END PUBLIC KEY-----"


def test_1_the_configuration_loads_and_the_four_form_fields_get_a_token(game):
    own = game.config["authentication"]
    assert set(game.config) == {"okletsplay_url", "authentication"}
    assert set(own) == {"client_id", "client_secret", "public_key_url", "token_url"}
    answer = game.ask_token()
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    token = answer.json()
    assert (token["expires_in"], token["token_type"], token["scope"]) == (600, "Bearer", "olp-report-api")
    assert token["access_token"].count(".") == 2


def test_2_the_public_key_verifies_the_webhooks_token_and_no_other_games(game):
    with GameServer(200) as server:
        game.set(webhookUrl=server.url)
        game.create()
        game.deliver(clock.now())
    (call,) = server.got
    token = call.headers["authorization"].removeprefix("Bearer ")
    realm = game.browser.get(game.path(game.config["authentication"]["public_key_url"])).json()
    claims = jwt.decode(token, armoured(realm["public_key"]), algorithms=["RS256"], audience=game.client_id)
    assert claims["iss"] == game.config["authentication"]["public_key_url"]
    other = Game("Other")
    foreign = other.browser.get(other.path(other.config["authentication"]["public_key_url"])).json()["public_key"]
    for key in (foreign,):
        with pytest.raises(jwt.InvalidSignatureError):
            jwt.decode(token, armoured(key), algorithms=["RS256"], audience=game.client_id)
    # Nor does the published key verify what the game sends to us.
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(game.token, armoured(realm["public_key"]), algorithms=["RS256"], audience=game.client_id)


def test_3_the_put_is_the_documented_stub_and_200_makes_the_match_live(game):
    with GameServer(200) as server:
        game.set(webhookUrl=server.url)
        match = game.create()
        assert match["matchStatus"] == "pending"
        game.deliver(clock.now())
    (call,) = server.got
    assert (call.method, call.headers["content-type"]) == ("PUT", "application/json")
    assert call.json == {
        "match_id": match["matchId"],
        "participants": [
            {"id": "user_id_1", "team_id": "team_id_1"},
            {"id": "user_id_2", "team_id": "team_id_2"},
        ],
        "teams": [{"id": "team_id_1"}, {"id": "team_id_2"}],
    }
    assert game.state(match["matchId"])["state"] == "live"


@pytest.mark.parametrize("status", [204, 201, 404, 302, 500, None])
def test_3_anything_but_200_aborts_with_a_full_refund(game, status, monkeypatch):
    monkeypatch.setattr(notices, "TRY_SECONDS", 0.05)
    with GameServer(status or 200) as server:
        if status is None:
            server.gate.clear()
        game.set(webhookUrl=server.url)
        match = game.create()
        now = clock.now()
        for seconds in range(0, 61, 2):
            game.deliver(now + timedelta(seconds=seconds))
        server.gate.set()
        # A definite refusal aborts at once; what may pass is tried five times.
        assert len(server.got) == (5 if status in {500, None} else 1)
    state = game.state(match["matchId"])
    assert (state["state"], state["matchStatus"]) == ("aborted", "aborted")
    assert game.wallets() == ALL_BACK


def test_4_token_info_returns_the_five_fields_and_an_unknown_token_is_no_401(game):
    game.set(launchUrl="https://kart.example/play?token={match-token}")
    match = game.create()
    launch = game.api.post(f"/api/matches/{match['matchId']}/launch", {"participantId": "user_id_1"}).json()
    assert launch["launchUrl"] == f"https://kart.example/play?token={launch['token']}"
    found = game.send("POST", "/api/game/v1/token-info", {"token": launch["token"]})
    assert (found.status_code, found.json()) == (
        200,
        {
            "match_id": match["matchId"],
            "user_id": "user_id_1",
            "match_status": "live",
            "submissions_total": 1,
            "submissions_left": 1,
        },
    )
    unknown = game.send("POST", "/api/game/v1/token-info", {"token": "Qm7y0dVxq3k5nK2rT9eZsg"})
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "token_not_found")


def test_5_a_result_counts_once_and_a_changed_one_not_at_all(game):
    match = game.create()["matchId"]
    first = game.finish(two(match))
    assert (first.status_code, first.json()) == (
        200,
        {"match_id": match, "match_status": "finished", "accepted": True, "duplicate": False},
    )
    again = game.finish(two(match))
    assert (again.status_code, again.json()) == (200, first.json() | {"duplicate": True})
    assert game.wallets() == FIRST_WON
    changed = game.finish(two(match, ranks=(2, 1)))
    assert (changed.status_code, changed.json()) == (200, first.json() | {"accepted": False, "duplicate": True})
    assert game.wallets() == FIRST_WON
    assert game.state(match)["result"] == {"outcome": "won", "leaders": ["team_id_1"]}


@pytest.mark.parametrize("order", [("user_id_1", "user_id_2"), ("user_id_2", "user_id_1")])
def test_6_two_async_bodies_in_either_order_settle_once(game, order):
    match = game.create(mode="async")["matchId"]
    scores = {"user_id_1": 300, "user_id_2": 100}
    bodies = [{"match_id": match, "participants": [{"id": name, "score": scores[name]}]} for name in order]
    first = game.finish(bodies[0]).json()
    assert first == {
        "match_id": match, "match_status": "live", "accepted": True, "duplicate": False, "submissions_left": 0,
    }  # fmt: skip
    # A second body for the same player is ignored.
    better = {"match_id": match, "participants": [{"id": order[0], "score": 999}]}
    assert game.finish(better).json() == first | {"accepted": False, "duplicate": True}
    assert game.finish(bodies[0]).json() == first | {"duplicate": True}
    assert game.finish(bodies[1]).json() == first | {"match_status": "finished"}
    assert game.finish(bodies[1]).json() == first | {"match_status": "finished", "duplicate": True}
    assert game.wallets() == FIRST_WON


def test_7_a_forfeit_without_ranking_loses_whatever_the_score(game):
    match = game.create()["matchId"]
    body = two(match, first=88, second=91)
    body["teams"][1] = {"id": "team_id_2", "score": 91, "forfeit?": True}
    assert game.finish(body).json()["match_status"] == "finished"
    assert game.wallets() == FIRST_WON


@pytest.mark.parametrize("name", ["match-id", "match_id"])
def test_8_both_spellings_of_an_abort_abort_without_a_fee(game, name):
    match = game.create()["matchId"]
    answer = game.finish({name: match, "error": {"reason": "Something went wrong!"}})
    assert answer.json() == {"match_id": match, "match_status": "aborted", "accepted": True, "duplicate": False}
    assert game.wallets() == ALL_BACK


def test_9_equal_rankings_tie_without_a_fee(game):
    match = game.create()["matchId"]
    assert game.finish(two(match, ranks=(1, 1))).json()["match_status"] == "tied"
    assert game.wallets() == ALL_BACK


@pytest.mark.django_db(transaction=True)
def test_9_fifty_parallel_copies_settle_once(redis):
    game = Game()
    match = game.create()["matchId"]
    token = game.token
    answers = in_parallel(50, lambda: game.finish(two(match), token=token).json())
    assert {answer["accepted"] for answer in answers} == {True}
    assert sorted(answer["duplicate"] for answer in answers) == [False] + [True] * 49
    assert {answer["match_status"] for answer in answers} == {"finished"}
    assert game.wallets() == FIRST_WON
