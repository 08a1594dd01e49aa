"""Launch links and match tokens (matches.md 3.6, 3.7)."""

import re
from datetime import timedelta

import pytest
import time_machine

from apps.core import clock
from apps.matches.models import MatchToken
from tests.contracts.matches.game import Game, two

pytestmark = pytest.mark.django_db

TEMPLATES = {
    "browser": "https://kart.example/play?token={match-token}",
    "android": "kart://play?token={match-token}",
    "steam": "steam://run/480//-token {match-token}",
}


@pytest.fixture
def match(game):
    return game.create()["matchId"]


def launch(game, match, name="user_id_1", **more):
    return game.api.post(f"/api/matches/{match}/launch", {"participantId": name, **more})


def look_up(game, token):
    return game.send("POST", "/api/game/v1/token-info", {"token": token})


def test_the_placeholder_is_filled_in_for_the_platform_that_is_asked_for(game, match):
    game.set(launchUrls=TEMPLATES)
    for platform, template in TEMPLATES.items():
        found = launch(game, match, platform=platform).json()
        assert found["launchUrl"] == template.replace("{match-token}", found["token"])
    # Unless told otherwise: the browser's.
    assert launch(game, match).json()["launchUrl"].startswith("https://kart.example/play?token=")
    refused = launch(game, match, platform="ios")
    assert (refused.status_code, refused.json()["code"]) == (400, "VALIDATION_ERROR")


def test_a_game_that_needs_no_token_gets_its_plain_link_and_none_is_no_link(game, match):
    assert launch(game, match).json()["launchUrl"] is None
    game.set(launchUrl="https://kart.example/play")
    assert launch(game, match).json()["launchUrl"] == "https://kart.example/play"


def test_a_token_survives_a_command_line_and_is_stored_hashed(game, match):
    token = launch(game, match).json()["token"]
    assert re.fullmatch(r"[A-Za-z0-9_-]{22,128}", token)
    assert not MatchToken.objects.filter(digest__contains=token).exists()


def test_a_token_is_looked_up_as_often_as_the_page_is_loaded_and_uses_nothing_up(game, match):
    token = launch(game, match).json()["token"]
    first, again = look_up(game, token).json(), look_up(game, token).json()
    assert first == again
    assert (first["user_id"], first["submissions_left"]) == ("user_id_1", 1)


def test_after_the_end_a_token_tells_so_for_an_hour(game, match):
    token = launch(game, match).json()["token"]
    game.finish(two(match))
    ended = look_up(game, token)
    assert (ended.status_code, ended.json()["match_status"], ended.json()["submissions_left"]) == (200, "finished", 0)
    with time_machine.travel(clock.now() + timedelta(hours=1, seconds=1)):
        game._token = ""
        gone = look_up(game, token)
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "token_not_found")


def test_a_token_ends_after_a_day_and_that_is_no_401(game, match):
    game.set(resultHours=100)
    long = game.create()["matchId"]
    token = launch(game, long).json()["token"]
    with time_machine.travel(clock.now() + timedelta(hours=24, seconds=1)):
        game._token = ""
        assert look_up(game, token).status_code == 404


def test_another_games_token_is_unknown(game, match):
    token = launch(game, match).json()["token"]
    assert look_up(Game("Other"), token).status_code == 404


@pytest.mark.parametrize("token", [None, "", 7, ["x"], {"a": 1}])
def test_what_is_no_token_is_400(game, token):
    assert look_up(game, token).status_code == 400


@pytest.mark.parametrize("token", ["x" * 5000, "é", "../../etc/passwd", "' OR 1=1 --"])
def test_what_is_no_token_of_ours_is_404(game, token):
    assert look_up(game, token).status_code == 404


def test_only_a_live_match_is_launched(game, match):
    game.finish(two(match))
    for target in (match, game.create(confirmed=False)["matchId"]):
        refused = launch(game, target)
        assert (refused.status_code, refused.json()["code"]) == (409, "MATCH_NOT_LIVE")
    assert launch(game, match, name="eve").status_code == 404
    assert MatchToken.objects.count() == 0
