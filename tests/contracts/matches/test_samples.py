"""The source text's own requests, byte for byte (only the ids of the match are ours)."""

import json

import pytest

from tests.contracts.matches.test_conformance import ALL_BACK, FIRST_WON

pytestmark = pytest.mark.django_db

THEIR_ID = "600f36a861246f889d381029"
SYNC = """{
    "match_id": "600f36a861246f889d381029",
    "participants": [
      {
        "id": "user_id_1",
        "score": 300
      },
      {
        "id": "user_id_2",
        "score": 100
      }
    ],
    "teams": [
      {
        "id": "team_id_1",
        "score": 300,
        "ranking": 1
      },
      {
        "id": "team_id_2",
        "score": 100,
        "ranking": 2
      }
    ]
  }"""
ASYNC_1 = """{
    "match_id": "600f36a861246f889d381029",
    "participants": [
      {
        "id": "user_id_1",
        "score": 300
      }
    ]
  }"""
ASYNC_2 = """{
    "match_id": "600f36a861246f889d381029",
    "participants": [
      {
        "id": "user_id_2",
        "score": 100
      }
    ]
  }"""
FORFEIT = """{
    "match_id": "600f36a861246f889d381029",
    "participants": [
      {
        "id": "user_id_1",
        "score": 300
      },
      {
        "id": "user_id_2",
        "score": 100
      }
    ],
    "teams": [
      {
        "id": "team_id_1",
        "score": 300,
        "ranking": 1
      },
      {
        "id": "team_id_2",
        "score": 100,
        "forfeit?": true
      }
    ]
  }"""
ABORT = """{
    "match-id": "600f36a861246f889d381029",
    "error": {
      "reason": "Something went wrong!"
    }
  }"""


@pytest.mark.parametrize(
    "mode, samples, status, money",
    [
        ("sync", [SYNC], "finished", FIRST_WON),
        ("async", [ASYNC_1, ASYNC_2], "finished", FIRST_WON),
        ("sync", [FORFEIT], "finished", FIRST_WON),
        ("sync", [ABORT], "aborted", ALL_BACK),
    ],
)
def test_the_sources_samples_do_what_the_source_says(game, mode, samples, status, money):
    match = game.create(mode=mode)["matchId"]
    for _ in range(2):
        for sample in samples:
            answer = game.finish(sample.replace(THEIR_ID, match))
            assert (answer.status_code, answer.json()["accepted"]) == (200, True)
    assert answer.json()["match_status"] == status
    assert game.wallets() == money


def test_the_address_takes_a_slash_at_its_end_and_the_scheme_in_any_case(game):
    match = game.create()["matchId"]
    answer = game.browser.post(
        "/api/game/v1/finish/",
        SYNC.replace(THEIR_ID, match),
        content_type="application/json; charset=utf-8",
        headers={"Authorization": f"bearer {game.token}"},
    )
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert answer["X-Request-Id"]


def test_a_match_id_is_24_hex_digits_and_the_same_everywhere(game):
    match = game.create()["matchId"]
    assert len(match) == 24
    assert int(match, 16) >= 0
    assert match == match.lower()
    assert json.loads(game.finish(SYNC.replace(THEIR_ID, match)).content)["match_id"] == match
