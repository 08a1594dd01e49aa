"""What goes beyond the base contract, over HTTP: disputes, events, read-back (matches.md 7)."""

import pytest

from apps.matches.services import disputing
from tests.contracts.matches.game import Game, two
from tests.matches import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def held(game):
    """A match whose result waits half an hour before it is paid."""
    match = game.create(holdMinutes=30)["matchId"]
    assert game.finish(two(match)).json()["match_status"] == "live"
    return match


def disputes(game, match, body=None, **more):
    return game.send("GET" if body is None else "POST", f"/api/game/v1/matches/{match}/disputes", body, **more)


def test_a_held_result_is_disputed_listed_and_decided(game, held):
    told = {
        "participant-id": "user_id_2",
        "type": "report",
        "note": "he lagged",
        "evidence": [{"url": "https://kart.example/replay/7", "speed?": 1.5}],
    }
    opened = disputes(game, held, told)
    assert opened.status_code == 201
    found = opened.json()
    assert {name: found[name] for name in ("participant_id", "type", "note", "state", "evidence", "decision")} == {
        "participant_id": "user_id_2", "type": "report", "note": "he lagged", "state": "open",
        "evidence": told["evidence"], "decision": None,
    }  # fmt: skip
    assert game.state(held)["state"] == "disputed"
    disputing.decide(
        game.row(held).pk, decision="other", leaders=["team_id_2"], reason="seen it", actor=world.ADA, at=world.AT
    )
    (decided,) = disputes(game, held).json()["disputes"]
    assert (decided["state"], decided["decision"]) == ("upheld", "seen it")
    assert game.wallets() == {"user_id_1": 9000, "user_id_2": 10_800, "REVENUE": 200}
    # Staff's word is final: the game's own is a repeat of what once counted, and changes nothing.
    assert game.finish(two(held)).json()["match_status"] == "finished"
    assert game.state(held)["result"]["leaders"] == ["team_id_2"]


def test_the_operator_disputes_for_a_player(game, held):
    opened = game.api.post(f"/api/matches/{held}/disputes", {"participantId": "user_id_2", "note": "lag"})
    assert (opened.status_code, opened.json()["state"]) == (201, "open")
    assert game.state(held)["matchStatus"] == "live"


@pytest.mark.parametrize(
    "change, status",
    [
        ({"participant_id": "eve"}, 404),
        ({"participant_id": None}, 400),
        ({"participant_id": 7}, 400),
        ({"type": "rant"}, 400),
        ({"note": "x" * 2001}, 400),
        ({"evidence": "a picture"}, 400),
        ({"evidence": [1] * 21}, 400),
    ],
)
def test_a_dispute_that_says_nothing_of_use_is_refused(game, held, change, status):
    before = world.everything(game.operator)
    assert disputes(game, held, {"participant_id": "user_id_2"} | change).status_code == status
    assert world.everything(game.operator) == before


def test_nothing_is_disputed_before_or_after_the_hold(game):
    live, done = game.create()["matchId"], game.create()["matchId"]
    game.finish(two(done))
    for match in (live, done):
        refused = disputes(game, match, {"participant_id": "user_id_2"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "invalid_state")


def test_another_games_disputes_are_out_of_sight(game, held):
    other = Game("Other")
    assert disputes(other, held).status_code == 404
    assert disputes(other, held, {"participant_id": "user_id_2"}).status_code == 404


def test_an_event_is_taken_once_by_its_id_and_moves_no_money(game):
    match = game.create()["matchId"]
    before = game.wallets()
    told = {
        "match_id": match,
        "event_type": "UPDATED",
        "event_id": "e-1",
        "timestamp": "2026-03-01T12:00:00+01:00",
        "data": {"score?": {"user_id_1": 12.5}},
    }
    first = game.send("POST", "/api/game/v1/events", told)
    assert (first.status_code, first.json()) == (
        200, {"match_id": match, "match_status": "live", "accepted": True, "duplicate": False},
    )  # fmt: skip
    assert game.send("POST", "/api/game/v1/events", told).json() == first.json() | {"duplicate": True}
    (kept,) = game.row(match).game_events.all()
    assert (kept.event_type, kept.payload) == ("UPDATED", told["data"])
    game.finish(two(match))
    late = game.send("POST", "/api/game/v1/events", {"match_id": match, "event_type": "STATS", "data": {"shots": 3}})
    assert late.json()["match_status"] == "finished"
    assert before["ESCROW"] == 2000


@pytest.mark.parametrize(
    "change, status",
    [
        ({"event_type": "PAUSED"}, 400),
        ({"event_type": None}, 400),
        ({"match_id": "600f36a861246f889d381029"}, 404),
        ({"match_id": 7}, 400),
        ({"timestamp": "yesterday"}, 400),
        ({"timestamp": "0001-01-01T00:00:00+14:00"}, 400),
        ({"data": [1]}, 400),
        ({"event_id": "x" * 129}, 400),
    ],
)
def test_an_event_that_is_none_is_refused(game, change, status):
    match = game.create()["matchId"]
    answer = game.send("POST", "/api/game/v1/events", {"match_id": match, "event_type": "READY"} | change)
    assert (answer.status_code, set(answer.json()["error"])) == (status, {"code", "message"})
    assert not game.row(match).game_events.exists()


def test_a_structured_abort_is_read_back_with_who_was_missing(game):
    for place, match in (("inside", game.create()["matchId"]), ("beside", game.create()["matchId"])):
        error = {"reason": "nobody came", "code": "players_missing"}
        afk = {"afk": ["user_id_2", "eve"]}
        body = (
            {"match_id": match, "error": error | afk}
            if place == "inside"
            else {"match_id": match, "error": error} | afk
        )
        assert game.finish(body).json()["match_status"] == "aborted"
        back = game.send("GET", f"/api/game/v1/matches/{match}").json()
        assert back["error"] == {"reason": "nobody came", "code": "players_missing", "afk": ["user_id_2"]}


def test_a_series_is_read_back_as_it_was_told(game):
    match = game.create()["matchId"]
    games = [{"winner": "team_id_1", "score": "3-1"}, {"winner": "team_id_2", "score": "0-3", "time": 61.25}]
    game.finish(two(match) | {"games": games})
    assert game.send("GET", f"/api/game/v1/matches/{match}").json()["reported"]["games"] == games
