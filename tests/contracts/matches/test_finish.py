"""Folding, validation and idempotency of `finish` (matches.md 3.8 to 3.12)."""

import copy

import pytest

from tests.contracts.matches.game import two
from tests.contracts.matches.test_conformance import ALL_BACK, FIRST_WON, SECOND_WON
from tests.matches import world

pytestmark = pytest.mark.django_db


def changed(path, value):
    """The usual result with one thing changed; `path` is a list of steps, the last of which is set (or removed)."""

    def make(match):
        body = copy.deepcopy(two(match))
        target = body
        for step in path[:-1]:
            target = target[step]
        if value is None:
            del target[path[-1]]
        else:
            target[path[-1]] = value
        return body

    return make


def also(**more):
    return lambda match: two(match) | more


SHAPES = [
    ("no object", lambda _: [], 400, "validation_error"),
    ("no match", lambda _: {"participants": []}, 400, "invalid_report"),
    ("a number for a match", lambda _: {"match_id": 7, "error": {}}, 400, "invalid_report"),
    ("nothing to say", lambda match: {"match_id": match}, 400, "invalid_report"),
    ("empty lists", lambda match: {"match_id": match, "participants": [], "teams": []}, 400, "invalid_report"),
    ("an error and a result", also(error={"reason": "x"}), 400, "invalid_report"),
    ("an error that is a text", lambda match: {"match_id": match, "error": "x"}, 400, "invalid_report"),
    ("two spellings that differ", also(**{"match-id": "600f36a861246f889d381029"}), 400, "conflicting_keys"),
    ("participants that are a text", changed(["participants"], "x"), 400, "invalid_report"),
    ("a forfeit that is a word", changed(["teams", 0, "forfeit?"], "yes"), 400, "invalid_report"),
    ("an unknown match", lambda _: two("600f36a861246f889d381029"), 404, "match_not_found"),
    ("broken JSON", lambda _: "{", 400, "validation_error"),
    (
        "NaN",
        lambda match: f'{{"match_id": "{match}", "participants": [{{"id": "x", "score": NaN}}]}}',
        400,
        "validation_error",
    ),
    ("a player missing", changed(["participants", 1], None), 422, "incomplete_result"),
    ("a team missing", changed(["teams", 1], None), 422, "incomplete_result"),
    ("a stranger", changed(["participants", 0, "id"], "eve"), 422, "incomplete_result"),
    ("a player twice", changed(["participants", 0, "id"], "user_id_2"), 422, "incomplete_result"),
    ("a team twice", changed(["teams", 0, "id"], "team_id_2"), 422, "incomplete_result"),
    ("a fraction", changed(["participants", 0, "score"], 300.5), 422, "invalid_result"),
    ("a negative score", changed(["participants", 0, "score"], -1), 422, "invalid_result"),
    ("a text for a score", changed(["participants", 0, "score"], "300"), 422, "invalid_result"),
    ("truth for a score", changed(["participants", 0, "score"], True), 422, "invalid_result"),
    ("a score beyond 2^53-1", changed(["participants", 0, "score"], 2**53), 422, "invalid_result"),
    ("no score", changed(["participants", 0, "score"], None), 422, "invalid_result"),
    ("no team score", changed(["teams", 0, "score"], None), 422, "invalid_result"),
    ("no ranking", changed(["teams", 0, "ranking"], None), 422, "invalid_result"),
    ("ranking 0", changed(["teams", 0, "ranking"], 0), 422, "invalid_result"),
    ("ranking 256", changed(["teams", 0, "ranking"], 256), 422, "invalid_result"),
    ("scores without teams", changed(["teams"], None), 422, "invalid_result"),
    ("teams without players", changed(["participants"], None), 422, "invalid_result"),
]


@pytest.mark.parametrize("name, body, status, code", SHAPES, ids=[shape[0] for shape in SHAPES])
def test_what_is_no_result_is_refused_and_may_be_sent_again(game, name, body, status, code):
    match = game.create()["matchId"]
    before = world.everything(game.operator)
    answer = game.finish(body(match))
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert set(answer.json()) == {"error"}
    assert world.everything(game.operator) == before
    assert game.finish(two(match)).json()["accepted"] is True


GOOD = [
    ("300.0", changed(["participants", 0, "score"], 300.0)),
    ("the largest score", changed(["participants", 0, "score"], 2**53 - 1)),
    ("score 0", changed(["participants", 0, "score"], 0)),
    ("numbering 1, 1, 3 aside: 1, 3", changed(["teams", 1, "ranking"], 3)),
    ("a team's score that is no sum", changed(["teams", 0, "score"], 7)),
    ("forfeit false", changed(["teams", 1, "forfeit?"], False)),
    ("both spellings that agree", lambda match: two(match) | {"match-id": match}),
    ("an error that is null", also(error=None)),
    ("unknown keys", also(season="spring", extra={"a": [1]})),
    ("a series", also(games=[{"winner": "team_id_1", "score": "3-1"}])),
    ("a lower score with the better rank", lambda match: two(match, first=88, second=91)),
]


@pytest.mark.parametrize("name, body", GOOD, ids=[good[0] for good in GOOD])
def test_what_is_a_result_in_any_spelling_counts(game, name, body):
    match = game.create()["matchId"]
    assert game.finish(body(match)).json() == {
        "match_id": match, "match_status": "finished", "accepted": True, "duplicate": False,
    }  # fmt: skip
    assert game.wallets() == FIRST_WON


def test_a_body_beyond_a_megabyte_is_too_large(game):
    answer = game.finish({"match_id": "x" * 2**20})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_too_large")


def test_a_repeat_in_another_spelling_and_order_is_a_repeat(game):
    match = game.create()["matchId"]
    game.finish(two(match))
    body = two(match)
    again = {
        "match-id": match,
        "participants": [{"id": line["id"], "score": float(line["score"])} for line in reversed(body["participants"])],
        "teams": [line | {"forfeit": False} for line in reversed(body["teams"])],
    }
    assert game.finish(again).json()["accepted"] is True


def test_a_body_that_would_be_refused_is_answered_once_the_match_is_decided(game):
    match = game.create()["matchId"]
    game.finish(two(match))
    for body in (changed(["participants", 0, "score"], -1)(match), changed(["teams"], None)(match)):
        answer = game.finish(body)
        assert (answer.status_code, answer.json()["accepted"], answer.json()["match_status"]) == (
            200,
            False,
            "finished",
        )
    assert game.wallets() == FIRST_WON


def test_an_abort_after_a_result_and_a_result_after_an_abort_change_nothing(game):
    done, lost = game.create()["matchId"], game.create()["matchId"]
    game.finish(two(done))
    abort = {"match_id": done, "error": {"reason": "late"}}
    assert game.finish(abort).json() == {
        "match_id": done, "match_status": "finished", "accepted": False, "duplicate": True,
    }  # fmt: skip
    game.finish({"match_id": lost, "error": {}})
    assert game.finish({"match_id": lost, "error": {"reason": "other words"}}).json()["accepted"] is True
    late = game.finish(two(lost))
    assert (late.status_code, late.json()["accepted"], late.json()["match_status"]) == (200, False, "aborted")
    assert game.wallets() == FIRST_WON


def test_a_structured_abort_keeps_code_and_who_was_missing(game):
    match = game.create()["matchId"]
    error = {"reason": "x" * 2000, "code": "players_missing", "afk": ["user_id_2", "nobody"]}
    game.finish({"match_id": match, "error": error})
    told = game.send("GET", f"/api/game/v1/matches/{match}").json()["error"]
    assert told == {"reason": "x" * 1000, "code": "players_missing", "afk": ["user_id_2"]}


def test_before_the_match_is_live_a_report_comes_too_early(game):
    match = game.create(confirmed=False)["matchId"]
    answer = game.finish(two(match))
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "match_not_live")


def test_a_notice_of_a_forfeit_alone_ends_the_match(game):
    match = game.create()["matchId"]
    body = {"match_id": match, "teams": [{"id": "team_id_1", "forfeit?": True}]}
    assert game.finish(body).json()["match_status"] == "finished"
    assert game.finish(body).json() == {
        "match_id": match, "match_status": "finished", "accepted": True, "duplicate": True,
    }  # fmt: skip
    assert game.wallets() == SECOND_WON


def test_an_async_forfeit_is_that_teams_submission(game):
    match = game.create(mode="async")["matchId"]
    game.finish({"match_id": match, "participants": [{"id": "user_id_2", "score": 1}]})
    body = {"match_id": match, "teams": [{"id": "team_id_1", "forfeit?": True}]}
    assert game.finish(body).json()["match_status"] == "finished"
    assert game.wallets() == SECOND_WON


@pytest.mark.parametrize("order", ["higher", "lower"])
def test_who_is_left_alone_wins_an_async_match_before_any_score_came(game, order):
    told, given_up = (game.create(mode="async", scoreOrder=order)["matchId"] for _ in range(2))
    body = {"match_id": told, "teams": [{"id": "team_id_2", "forfeit?": True}]}
    assert game.finish(body).json()["match_status"] == "finished"
    assert game.wallets() == {"user_id_1": 9800, "user_id_2": 8000, "ESCROW": 2000, "REVENUE": 200}
    game.api.post(f"/api/matches/{given_up}/forfeit", {"teamId": "team_id_2"})
    assert game.state(given_up)["result"] == {"outcome": "won", "leaders": ["team_id_1"]}


def test_an_async_body_of_teams_that_play_on_is_no_result(game):
    match = game.create(mode="async")["matchId"]
    before = world.everything(game.operator)
    answer = game.finish({"match_id": match, "teams": [{"id": "team_id_1", "score": 300, "ranking": 1}]})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid_result")
    assert world.everything(game.operator) == before


def test_several_async_scores_in_one_body_are_each_their_own(game):
    match = game.create(mode="async")["matchId"]
    players = [{"id": "user_id_1", "score": 3}, {"id": "user_id_2", "score": 3}]
    told = game.finish({"match_id": match, "participants": players}).json()
    assert (told["match_status"], [line["accepted"] for line in told["participants"]]) == ("tied", [True, True])
    assert game.wallets() == ALL_BACK


def test_lower_wins_where_the_client_says_so(game):
    match = game.create(mode="async", scoreOrder="lower")["matchId"]
    players = [{"id": "user_id_1", "score": 61}, {"id": "user_id_2", "score": 59}]
    game.finish({"match_id": match, "participants": players})
    assert game.wallets() == SECOND_WON


def test_a_launch_opens_an_attempt_and_the_best_score_counts(game):
    game.set(launchUrl="https://kart.example/play?token={match-token}")
    match = game.create(mode="async", submissions=2)["matchId"]

    def play(name, score):
        return game.finish({"match_id": match, "participants": [{"id": name, "score": score}]}).json()

    def launch(name):
        return game.api.post(f"/api/matches/{match}/launch", {"participantId": name}).json()["token"]

    token = launch("user_id_1")
    assert play("user_id_1", 50)["submissions_left"] == 1
    assert (play("user_id_1", 50)["duplicate"], play("user_id_1", 70)["accepted"]) == (True, False)
    launch("user_id_1")
    assert play("user_id_1", 40) | {"submissions_left": 0} == play("user_id_1", 40) | {"duplicate": False}
    info = game.send("POST", "/api/game/v1/token-info", {"token": token}).json()
    assert (info["submissions_total"], info["submissions_left"]) == (2, 0)
    play("user_id_2", 45)
    launch("user_id_2")
    assert play("user_id_2", 49)["match_status"] == "finished"
    assert game.wallets() == FIRST_WON


def test_a_linked_id_is_what_the_game_sees_and_either_id_is_taken(game):
    world.rich(game.operator, "user_id_1", "user_id_2")
    teams = [
        {"id": "team_id_1", "participants": [{"id": "user_id_1", "linkedId": "steam-1"}]},
        {"id": "team_id_2", "participants": [{"id": "user_id_2", "linkedId": "steam-2"}]},
    ]
    body = {"clientId": game.client_id, "teams": teams, "entryFee": 10, "currency": "USD", "confirmed": True}
    match = game.api.post("/api/matches", body).json()["matchId"]
    listed = game.send("GET", "/api/game/v1/matches").json()["matches"][0]
    assert [one["id"] for one in listed["participants"]] == ["steam-1", "steam-2"]
    result = two(match)
    result["participants"][1]["id"] = "steam-2"
    assert game.finish(result).json()["accepted"] is True


def test_a_conflict_is_kept_for_staff(game):
    match = game.create()["matchId"]
    game.finish(two(match))
    game.finish(two(match, ranks=(2, 1)))
    game.finish(two(match, ranks=(2, 1)))
    kept = list(game.row(match).reports.order_by("pk").values_list("kind", "accepted"))
    assert kept == [("RESULT", True), ("RESULT", False)]
    assert world.facts(game.row(match)).count("match.report.conflict") == 1


def test_read_back_tells_what_stood(game):
    match = game.create()["matchId"]
    game.finish(two(match) | {"games": [{"winner": "team_id_1"}]})
    told = game.send("GET", f"/api/game/v1/matches/{match}").json()
    assert (told["match_status"], told["result"]["outcome"], told["result"]["leaders"]) == (
        "finished", "won", ["team_id_1"],
    )  # fmt: skip
    assert told["reported"]["games"] == [{"winner": "team_id_1"}]
    assert told["teams"][0] == {"id": "team_id_1", "score": 300, "ranking": 1}


@pytest.mark.parametrize("path", ["nothing", "finish/again", "matches/abc/else"])
def test_elsewhere_there_is_nothing_in_the_same_words(game, path):
    answer = game.send("GET", f"/api/game/v1/{path}")
    assert (answer.status_code, set(answer.json()["error"])) == (404, {"code", "message"})
