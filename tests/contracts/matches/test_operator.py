"""The operator's calls: create, confirm, read, launch, forfeit, cancel, and how a client works (podium.md 4)."""

import pytest

from apps.matches.models import Client, Match
from apps.operators.services.players import named_player
from tests.contracts.matches.game import Game
from tests.factories import Api, issue
from tests.matches import world

pytestmark = pytest.mark.django_db

TEAMS = [{"id": "a", "participants": [{"id": "user_id_1"}]}, {"id": "b", "participants": [{"id": "user_id_2"}]}]
RESERVED = {"user_id_1": 10_000, "user_id_2": 10_000}


def post(game, match_id, call, body):
    return game.api.post(f"/api/matches/{match_id}/{call}", body)


def test_created_is_answered_with_state_teams_result_and_money(game):
    match = game.create(teams={"t-red": ["ann"], "t-blue": ["bob"]}, feeBps=500, entryFee="2.50")
    assert {name: match[name] for name in ("state", "matchStatus", "mode", "feeBps", "entryFee", "result")} == {
        "state": "live", "matchStatus": "live", "mode": "sync", "feeBps": 500, "entryFee": "2.50", "result": None,
    }  # fmt: skip
    assert match["money"] == {
        "currency": "USD", "entryFee": "2.50", "pot": "5.00", "fee": "0.00", "paid": "0.00",
    }  # fmt: skip
    assert match["teams"][0] == {
        "id": "t-red", "score": None, "ranking": None, "forfeit": False, "leads": False,
        "participants": [
            {
                "id": "ann", "userId": "ann", "stake": "2.50", "paid": "0.00", "confirmed": True, "score": None,
                "submissionsLeft": 1,
            }
        ],
    }  # fmt: skip
    assert game.state(match["matchId"]) == match


def test_a_retry_with_the_same_key_creates_nothing_more(game):
    world.rich(game.operator, "user_id_1", "user_id_2")
    body = {
        "clientId": game.client_id,
        "teams": TEAMS,
        "entryFee": 10, "currency": "USD", "mode": "sync", "confirmed": True,
    }  # fmt: skip
    first, again = (game.api.post("/api/matches", body, headers={"Idempotency-Key": "m-1"}) for _ in range(2))
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert Match.objects.count() == 1
    assert game.wallets() == {"user_id_1": 9000, "user_id_2": 9000, "ESCROW": 2000}


def test_each_confirms_and_the_last_one_starts(game):
    match = game.create(confirmed=False)
    assert (match["state"], match["matchStatus"]) == ("invited", None)
    one = post(game, match["matchId"], "confirm", {"participantId": "user_id_1"}).json()
    assert (one["state"], one["money"]["pot"]) == ("confirming", "0.00")
    assert post(game, match["matchId"], "confirm", {"participant_id": "user_id_1"}).json() == one
    both = post(game, match["matchId"], "confirm", {"participantId": "user_id_2"}).json()
    assert (both["state"], both["money"]["pot"]) == ("live", "20.00")


def test_before_escrow_it_is_cancelled_and_afterwards_not(game):
    match = game.create(confirmed=False)["matchId"]
    post(game, match, "confirm", {"participantId": "user_id_1"})
    ended = post(game, match, "cancel", {"reason": "rain"})
    assert (ended.status_code, ended.json()["state"], ended.json()["reason"]) == (200, "cancelled", "rain")
    assert game.wallets() == RESERVED
    live = game.create()["matchId"]
    before = world.everything(game.operator)
    refused = post(game, live, "cancel", {"reason": "rain"})
    assert (refused.status_code, refused.json()["code"]) == (409, "INVALID_STATE")
    assert world.everything(game.operator) == before


def test_a_forfeit_on_the_platform_ends_it_and_twice_is_once(game):
    match = game.create()["matchId"]
    ended = post(game, match, "forfeit", {"teamId": "team_id_1"}).json()
    assert (ended["state"], ended["result"]) == ("finished", {"outcome": "won", "leaders": ["team_id_2"]})
    assert post(game, match, "forfeit", {"teamId": "team_id_1"}).json() == ended
    other = post(game, match, "forfeit", {"teamId": "team_id_2"})
    assert (other.status_code, other.json()["code"]) == (409, "MATCH_NOT_LIVE")
    assert game.wallets() == {"user_id_1": 9000, "user_id_2": 10_800, "REVENUE": 200}


def test_a_player_may_be_named_by_their_plyr_id_but_only_once(game):
    ann, _ = world.rich(game.operator, "u-1", "u-2")
    named_player(ann.pk, handle="ann-11", actor=world.KEY, at=world.AT)

    def create(*names):
        teams = [{"id": f"t-{name}", "participants": [{"id": name}]} for name in names]
        body = {"clientId": game.client_id, "teams": teams, "entryFee": 1, "confirmed": True}
        return game.api.post("/api/matches", body)

    assert create("ann-11", "u-2").json()["state"] == "live"
    assert world.wallets(game.operator) == {"u-1": 9900, "u-2": 9900, "ESCROW": 200}
    before = world.everything(game.operator)
    twice = create("u-1", "ann-11")
    assert (twice.status_code, twice.json()["code"]) == (400, "VALIDATION_ERROR")
    assert world.everything(game.operator) == before


@pytest.mark.parametrize(
    "change, status, code",
    [
        ({"clientId": "nobody"}, 404, "CLIENT_NOT_FOUND"),
        ({"currency": "XXX"}, 400, "UNKNOWN_ASSET"),
        ({"teams": [{"id": "a", "participants": [{"id": "user_id_1"}]}]}, 400, "VALIDATION_ERROR"),
        ({"entryFee": "-1"}, 400, "VALIDATION_ERROR"),
        ({"entryFee": "0.001"}, 400, "VALIDATION_ERROR"),
        ({"entryFee": "100.01"}, 409, "INSUFFICIENT_BALANCE"),
        ({"feeBps": 10_001}, 400, "VALIDATION_ERROR"),
        ({"mode": "later"}, 400, "VALIDATION_ERROR"),
        ({"deadline": "2020-01-01T00:00:00Z"}, 400, "VALIDATION_ERROR"),
    ],
)
def test_what_can_not_be_played_is_refused_and_nothing_exists(game, change, status, code):
    world.rich(game.operator, "user_id_1", "user_id_2")
    before = world.everything(game.operator)
    body = {
        "clientId": game.client_id,
        "teams": TEAMS,
        "entryFee": "10.00", "currency": "USD", "confirmed": True,
    } | change  # fmt: skip
    answer = game.api.post("/api/matches", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.json()
    assert world.everything(game.operator) == before


def test_the_list_is_newest_first_and_narrows_by_state_and_client(game):
    live, done = game.create()["matchId"], game.create()["matchId"]
    post(game, done, "forfeit", {"teamId": "team_id_1"})

    def listed(query=""):
        answer = game.api.get(f"/api/matches{query}").json()
        assert answer["pagination"]["total"] == len(answer["matches"])
        return [match["matchId"] for match in answer["matches"]]

    assert listed() == [done, live]
    assert listed("?state=live") == [live]
    assert listed(f"?clientId={game.client_id}&state=finished") == [done]
    assert listed("?clientId=nobody") == []
    assert game.api.get("/api/matches?state=lost").status_code == 400


def test_another_operators_match_and_client_are_as_good_as_missing(game):
    match, other = game.create()["matchId"], Game("Other")
    before = world.everything(game.operator)
    for answer in (
        other.api.get(f"/api/matches/{match}"),
        post(other, match, "forfeit", {"teamId": "team_id_1"}),
        post(other, match, "launch", {"participantId": "user_id_1"}),
        other.api.get(f"/api/match-clients/{game.client_id}"),
    ):
        assert answer.status_code == 404
    taken = other.api.put(f"/api/match-clients/{game.client_id}", {"feeBps": 0})
    assert (taken.status_code, taken.json()["code"]) == (409, "CLIENT_ID_TAKEN")
    assert world.everything(game.operator) == before
    assert Client.objects.get(client_id=game.client_id).fee_bps == 1000


@pytest.mark.parametrize(
    "method, path, scope",
    [
        ("POST", "/api/matches", "matches.write"),
        ("GET", "/api/matches", "matches.read"),
        ("POST", "/api/matches/x/confirm", "matches.write"),
        ("POST", "/api/matches/x/launch", "matches.write"),
        ("POST", "/api/matches/x/forfeit", "matches.write"),
        ("POST", "/api/matches/x/cancel", "matches.write"),
        ("PUT", "/api/match-clients/x", "settings.write"),
        ("GET", "/api/match-clients/x", "settings.read"),
    ],
)
def test_every_call_wants_its_scope(game, method, path, scope):
    others = sorted({"matches.read", "matches.write", "settings.read", "settings.write"} - {scope})
    key = issue(game.operator, scopes=others).key
    answer = Api(key).send(method, path, {} if method != "GET" else None)
    assert (answer.status_code, answer.json()["code"]) == (403, "INSUFFICIENT_PERMISSIONS")


def test_a_new_client_comes_with_its_configuration_once(game):
    made = game.api.put("/api/match-clients/chess", {"poll": True, "mode": "async", "scoreOrder": "lower"})
    config = made.json()["developerConfig"]
    assert (made.status_code, config["authentication"]["client_id"]) == (201, "chess")
    again = game.api.put("/api/match-clients/chess", {"webhookUrl": "https://chess.example/hook", "strict200": False})
    assert again.status_code == 200
    assert "developerConfig" not in again.json()
    told = game.api.get("/api/match-clients/chess").json()
    assert {name: told[name] for name in ("mode", "poll", "webhookUrl", "scoreOrder", "strict200", "sendDelete")} == {
        "mode": "async", "poll": False, "webhookUrl": "https://chess.example/hook", "scoreOrder": "lower",
        "strict200": False, "sendDelete": False,
    }  # fmt: skip
    assert [one["clientId"] for one in game.api.get("/api/match-clients").json()["clients"]] == [
        game.client_id, "chess",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "settings, field",
    [
        ({"webhookUrl": "javascript:alert(1)"}, "webhookUrl"),
        ({"webhookUrl": "http://user:secret@127.0.0.1/"}, "webhookUrl"),
        ({"poll": False}, "webhookUrl"),
        ({"launchUrls": {"browser": "javascript://x"}}, "launchUrls"),
        ({"launchUrls": {"toaster": "https://kart.example/"}}, "launchUrls"),
        ({"feeBps": 10_001}, "feeBps"),
        ({"resultHours": 0}, "resultHours"),
    ],
)
def test_settings_that_can_not_work_are_refused_by_name(game, settings, field):
    answer = game.api.put(f"/api/match-clients/{game.client_id}", settings)
    assert (answer.status_code, list(answer.json()["error"]["details"]["fields"])) == (400, [field]), answer.json()
    assert game.create()["state"] == "live"


def test_a_change_of_the_client_touches_later_matches_only(game):
    before = game.create()["matchId"]
    game.set(feeBps=0, mode="async")
    post(game, before, "forfeit", {"teamId": "team_id_2"})
    assert game.state(before)["money"]["fee"] == "2.00"
