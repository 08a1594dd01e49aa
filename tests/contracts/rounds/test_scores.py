"""What clients see of scores: boards, why somebody stands where they stand, resets, voids (podium.md 3)."""

from datetime import timedelta

import pytest

from apps.core import clock
from apps.rounds.services.scoring import scorer
from tests.contracts.casino import Casino
from tests.factories import GAME, OperatorFactory
from tests.rounds.world import ROUND_GAME, Integration, a_round

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme():
    return Integration(OperatorFactory(), watched=False)


@pytest.fixture
def casino(acme):
    return Casino(acme.operator)


def opened(casino, **scoring):
    """A tournament that began a moment ago."""
    start = clock.now() - timedelta(minutes=1)
    body = {
        "name": "March Sprint",
        "game": GAME,
        "scheduled_start": start.isoformat(),
        "endTime": (start + timedelta(hours=1)).isoformat(),
        "entry_fee": 0,
        "currency": "EUR",
        "prize_pool": {"total": 1000, "distribution": {"1": 50, "2": 30, "3": 20}},
        "scoring": {"source": "rounds", "method": "WAGERED_AMOUNT", "games": [ROUND_GAME]} | scoring,
    }
    answer = casino.post("/api/tournaments", body)
    assert answer.status_code == 201, answer.content
    return answer.json()["tournament"]["id"]


def play(acme, *rounds):
    moment = clock.now().isoformat()
    assert acme.batch([a_round(timestamp=moment, **one) for one in rounds]).status_code == 202
    scorer.drain()


def test_the_board_names_users_and_the_rounds_they_have_left(acme, casino):
    made = opened(casino, limitRounds=3)
    play(acme, {"playerId": "ann", "betAmount": 2}, {"playerId": "bob", "betAmount": 3}, {"playerId": "ann"})
    rows = casino.get(f"/api/tournaments/{made}/leaderboard").json()["leaderboard"]
    told = [(row["position"], row["userId"], row["points"], row["roundsLeft"]) for row in rows]
    assert told == [(1, "ann", 4.5, 1), (2, "bob", 3, 2)]
    near = casino.get(f"/api/tournaments/{made}/leaderboard?around=bob").json()["leaderboard"]
    assert [row["userId"] for row in near] == ["ann", "bob"]


def test_equal_points_have_one_rank_where_the_policy_says_so(acme, casino):
    made = opened(casino, tieBreak="SHARE_RANK")
    play(acme, *[{"playerId": name, "betAmount": bet} for name, bet in [("a", 5), ("b", 3), ("c", 3), ("d", 1)]])
    rows = casino.get(f"/api/tournaments/{made}/leaderboard").json()["leaderboard"]
    assert [row["position"] for row in rows] == [1, 2, 2, 4]
    rows = casino.get(f"/api/tournaments/{made}/leaderboard?offset=2").json()["leaderboard"]
    assert [row["position"] for row in rows] == [2, 4]


def test_why_this_rank_tells_every_round(acme, casino):
    made = opened(casino, minBet=2)
    rounds = [
        {"playerId": "ann", "roundId": "r-a", "betAmount": 2, "winAmount": 7},
        {"playerId": "ann", "roundId": "r-b", "betAmount": 1},
        {"playerId": "ann", "roundId": "r-c", "roundType": "BONUS_BUY", "betAmount": 100},
    ]
    play(acme, *rounds)
    told = casino.get(f"/api/tournaments/{made}/players/ann/score").json()
    assert (told["score"], told["position"]) == (2, 1)
    assert told["rule"] == {"method": "WAGERED_AMOUNT", "version": 1}
    assert {one["roundId"]: (one["counted"], one.get("reason")) for one in told["rounds"]} == {
        "r-a": (True, None),
        "r-b": (False, "BELOW_MINIMUM_BET"),
        "r-c": (False, "OTHER_ROUND_TYPE"),
    }
    assert [one["points"] for one in told["rounds"] if one["counted"]] == [2]


def test_a_score_is_reset_only_where_that_is_allowed(acme, casino):
    strict, kind = opened(casino), opened(casino, allowReset=True)
    play(acme, {"playerId": "ann"})
    assert casino.post(f"/api/tournaments/{strict}/players/ann/reset-score", {}).status_code == 409
    answer = casino.post(f"/api/tournaments/{kind}/players/ann/reset-score", {"reason": "again"})
    assert (answer.status_code, answer.json()["points"]) == (200, "0")
    assert casino.get(f"/api/tournaments/{strict}/players/ann/score").json()["score"] == 2.5


def test_a_round_is_taken_back_and_the_answer_says_how_the_player_moved(acme, casino):
    made = opened(casino)
    play(acme, {"playerId": "ann", "roundId": "r-x", "betAmount": 9}, {"playerId": "bob", "betAmount": 5})
    answer = acme.send("/gamerounds/{id}/void", {"roundId": "r-x", "reason": "rolled back"})
    assert answer.status_code == 200
    assert answer.json()["tournaments"] == [
        {"tournamentId": made, "pointsBefore": "9", "pointsAfter": "0", "rankBefore": 1, "rankAfter": 2}
    ]
    again = acme.send("/gamerounds/{id}/void", {"roundId": "r-x", "reason": "again"})
    assert again.json() == answer.json()
    assert casino.get(f"/api/tournaments/{made}/players/ann/score").json()["rounds"][0]["reason"] == "VOIDED"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"roundId": "nobody-knows", "reason": "x"}, 404),
        ({"roundId": "r-1"}, 400),
        ({"roundId": "r-1", "reason": ""}, 400),
        ({"roundId": "r\x00", "reason": "x"}, 400),
        ([], 400),
        ("{", 400),
    ],
)
def test_a_void_that_makes_no_sense_is_refused(acme, body, status):
    assert acme.send("/gamerounds/{id}/void", body).status_code == status


BAD = [
    {"method": "COIN"},
    {"method": None},
    {"games": []},
    {"games": ["nobody-has-it"]},
    {"brands": ["nobody-has-it"]},
    {"method": "CONSECUTIVE_ROUNDS"},
    {"window": 3},
    {"minBet": -1},
    {"limitRounds": 0},
    {"limitRounds": 2, "minRounds": 3},
    {"optIn": "INVITED"},
    {"optIn": "SOMETIMES"},
    {"tieBreak": "COIN"},
    {"graceSeconds": -1},
    {"rail": "chain"},
    {"ratio": "RATIO_OF_SUMS"},
    {"factor": 0},
    {"payoutUrl": "ftp://x"},
]


@pytest.mark.parametrize("asked", BAD)
def test_a_policy_that_makes_no_sense_is_refused_by_the_name_of_its_field(casino, asked):
    start = clock.now()
    body = {
        "name": "March Sprint",
        "game": GAME,
        "scheduled_start": start.isoformat(),
        "entry_fee": 0,
        "scoring": {"source": "rounds", "method": "WAGERED_AMOUNT", "games": [ROUND_GAME]} | asked,
    }
    answer = casino.post("/api/tournaments", body)
    assert answer.status_code == 400, answer.content
    assert "scoring" in str(answer.json()["error"]["details"]["fields"])
