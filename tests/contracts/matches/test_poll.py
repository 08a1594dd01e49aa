"""The poll flow: the list, its ETag, its pages, its limit (matches.md 3.5)."""

from datetime import timedelta

import pytest
import time_machine

from apps.core import clock, redis
from apps.matches.api.game import views
from apps.operators import limits
from tests.contracts.matches.game import MATCHES, two

pytestmark = pytest.mark.django_db


def poll(game, query="", **headers):
    """Ask for the list as if the last time were long ago."""
    for key in redis.client().keys("rate:*"):
        redis.client().delete(key)
    return game.send("GET", f"{MATCHES}{query}", **headers)


def ids(answer):
    assert answer.status_code == 200, answer.content
    return [match["match_id"] for match in answer.json()["matches"]]


def test_a_live_match_is_listed_as_its_stub_and_leaves_with_its_end(game):
    match = game.create()["matchId"]
    assert poll(game).json() == {
        "matches": [
            {
                "match_id": match,
                "match_status": "live",
                "participants": [
                    {"id": "user_id_1", "team_id": "team_id_1"},
                    {"id": "user_id_2", "team_id": "team_id_2"},
                ],
                "teams": [{"id": "team_id_1"}, {"id": "team_id_2"}],
            }
        ],
        "next_cursor": None,
    }
    game.finish(two(match))
    assert ids(poll(game)) == []


def test_what_is_not_in_escrow_is_not_exposed(game):
    game.create(confirmed=False)
    assert ids(poll(game, "?status=live,pending")) == []


def test_a_match_that_the_game_is_being_told_of_is_pending(game):
    game.set(webhookUrl="http://127.0.0.1:59999/hooks")
    match = game.create()["matchId"]
    assert ids(poll(game)) == []
    assert ids(poll(game, "?status=pending")) == [match]


def test_an_end_is_served_by_updated_since_for_a_day_with_the_forfeit_on_it(game):
    since = clock.iso(clock.now() - timedelta(seconds=2))
    match = game.create()["matchId"]
    game.api.post(f"/api/matches/{match}/forfeit", {"teamId": "team_id_2"})
    (found,) = poll(game, f"?updated_since={since}").json()["matches"]
    assert (found["match_status"], found["teams"][1]) == ("finished", {"id": "team_id_2", "forfeit?": True})
    later = clock.iso(clock.now() + timedelta(hours=1))
    assert ids(poll(game, f"?updated_since={later}")) == []
    with time_machine.travel(clock.now() + timedelta(hours=25)):
        game._token = ""
        assert ids(poll(game, f"?updated_since={since}")) == []


def test_a_team_that_is_out_of_three_shows_to_those_who_ask_what_has_changed(game):
    match = game.create({"a": ["ann"], "b": ["bob"], "c": ["cid"]})["matchId"]
    since = clock.iso(clock.now() + timedelta(seconds=2))
    assert ids(poll(game, f"?updated_since={since}")) == []
    with time_machine.travel(clock.now() + timedelta(seconds=5)):
        game.api.post(f"/api/matches/{match}/forfeit", {"teamId": "c"})
    (found,) = poll(game, f"?updated_since={since}").json()["matches"]
    assert (found["match_status"], found["teams"]) == (
        "live",
        [{"id": "a"}, {"id": "b"}, {"id": "c", "forfeit?": True}],
    )


def test_an_unchanged_list_is_304_by_its_etag(game):
    game.create()
    first = poll(game)
    again = poll(game, **{"If-None-Match": f'W/"x", {first["ETag"]}'})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    game.create()
    assert poll(game, **{"If-None-Match": first["ETag"]}).status_code == 200


def test_pages_follow_by_cursor_and_by_player(game):
    made = [game.create()["matchId"] for _ in range(3)]
    other = game.create({"a": ["cid"], "b": ["dan"]})["matchId"]
    first = poll(game, "?limit=2")
    assert ids(first) == made[:2]
    second = poll(game, f"?limit=2&cursor={first.json()['next_cursor']}")
    assert (ids(second), second.json()["next_cursor"]) == ([made[2], other], None)
    assert ids(poll(game, "?user_id=dan")) == [other]


def test_the_same_question_twice_in_a_second_is_too_often(game, monkeypatch):
    assert views.QUESTION_SECONDS == 1
    monkeypatch.setattr(views, "QUESTION_SECONDS", 60)  # however slow the machine is
    first = game.send("GET", MATCHES)
    assert first.status_code == 200
    assert game.send("GET", MATCHES, **{"If-None-Match": first["ETag"]}).status_code == 304
    assert game.send("GET", f"{MATCHES}?status=pending").status_code == 200
    again = game.send("GET", MATCHES)
    assert (again.status_code, again.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert int(again["Retry-After"]) > 0


def test_all_questions_together_have_a_limit(game, monkeypatch):
    monkeypatch.setattr(views, "ALL_POLLS", limits.Window("polls", 3, 60))
    answers = [game.send("GET", f"{MATCHES}?user_id={number}").status_code for number in range(4)]
    assert answers == [200, 200, 200, 429]


@pytest.mark.parametrize(
    "query", ["?status=finished", "?limit=0", "?limit=201", "?cursor=x", "?updated_since=yesterday", "?user_id=%00"]
)
def test_a_bad_query_is_400(game, query):
    answer = poll(game, query)
    assert (answer.status_code, set(answer.json()["error"])) == (400, {"code", "message"})
