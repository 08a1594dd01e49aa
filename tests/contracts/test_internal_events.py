"""What a game platform reports: events and rooms (operators.md 11.8)."""

import pytest

from apps.tournaments.models import Entry, GameEvent, Tournament
from tests.contracts.casino import everything
from tests.contracts.internal import event

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_that_day")]


def test_one_event_or_an_array_is_accepted(casino, platform):
    tid = casino.running("u-1", "u-2")
    one = platform.post(
        f"/internal/tournaments/{tid}/events",
        event("player.score.updated", 1, playerId="u-1", score=640, position=1, round=2)
        | {"tournamentId": tid, "operatorId": casino.operator.public_id},
    )
    assert (one.status_code, one.json()) == (
        202,
        {
            "tournament_id": tid,
            "tournamentId": tid,
            "operator_id": casino.operator.public_id,
            "operatorId": casino.operator.public_id,
            "accepted": 1,
            "results": [{"eventId": "evt_1", "outcome": "accepted", "note": None}],
        },
    )
    several = platform.post(
        f"/internal/tournaments/{tid}/events",
        [
            event("player.score.updated", 1, playerId="u-1", score=1),
            event("player.score.updated", 2, playerId="u-2", score=650.25),
            event("player.score.updated", 3, playerId="u-1", score=1, timestamp="2031-04-30T08:59:59Z"),
            event("player.score.updated", 4, playerId="u-3", score=1),
            event("player.sneezed", 5),
        ],
    )
    assert several.status_code == 202
    assert several.json()["accepted"] == 1
    assert [one["outcome"] for one in several.json()["results"]] == [
        "duplicate",
        "accepted",
        "stale",
        "rejected",
        "ignored",
    ]
    board = casino.get(f"/api/tournaments/{tid}/leaderboard").json()["leaderboard"]
    assert [(row["userId"], row["points"]) for row in board] == [("u-2", 650.25), ("u-1", 640)]


def test_a_whole_tournament_is_played_over_this_api(casino, platform):
    tid = casino.running("u-1", "u-2", "u-3", config={"tournament_type": "elimination"})
    path = f"/internal/tournaments/{tid}/events"
    assert (
        platform.post(path, event("room.created", 1, roomId="room_1", roomUrl="https://g.example/1")).status_code == 202
    )
    assert platform.get(f"/internal/tournaments/{tid}/config").json()["roomUrl"] == "https://g.example/1"
    platform.post(path, [event("round.started", 2, round=1), event("player.eliminated", 3, playerId="u-1")])
    platform.post(path, [event("player.eliminated", 4, playerId="u-2")])
    assert platform.get(f"/internal/tournaments/{tid}/status").json()["status"] == "completed"
    winners = casino.get(f"/api/tournaments/{tid}/results").json()["winners"]
    assert (winners[0]["position"], winners[0]["displayName"]) == (1, "U-3")


HOSTILE = [
    b"",
    b"{}",
    b"[]",
    b"null",
    b"5",
    b'"x"',
    b"[[]]",
    b"[null]",
    b"{",
    b"NaN",
    b'{"eventType":"player.score.updated"}',
    b'{"eventType":"x","eventId":"\\u0000","timestamp":"2031-05-02T18:39:51Z"}',
    b'{"eventType":"x","eventId":"\\ud800","timestamp":"2031-05-02T18:39:51Z"}',
    b'{"eventType":"x","eventId":"a","timestamp":"2031-05-02T18:39:51Z","data":{"a":NaN}}',
    b'{"eventType":"x","eventId":"a","timestamp":"2031-05-02T18:39:51Z","data":{"a":1e999}}',
    b'{"eventType":"x","eventId":"a","timestamp":"2031-05-02T18:39:51Z","data":' + b"[" * 5000 + b"]" * 5000 + b"}",
    b'{"eventType":"x","eventId":"a","timestamp":"2031-05-02T18:39:51Z","data":"text"}',
    b'{"eventType":"x","eventId":"a","timestamp":"2031-05-02T18:39:51Z","tournamentId":"1"}',
    b"\xff\xfe",
]


@pytest.mark.parametrize("raw", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_bodies_are_refused_and_change_nothing(casino, platform, raw):
    tid = casino.running("u-1")
    good = b'{"eventType":"player.score.updated","eventId":"g","timestamp":"2031-05-02T18:39:51Z",'
    good += b'"data":{"playerId":"u-1","score":5}}'
    before = everything()
    for body in (raw, b"[" + good + b"," + raw + b"]"):
        answer = platform.post(f"/internal/tournaments/{tid}/events", body)
        assert answer.status_code == 400, answer.content
        assert answer.json()["code"] == "VALIDATION_ERROR"
    assert everything() == before
    assert not GameEvent.objects.exists()
    assert Entry.objects.get().points == 0


def test_too_many_events_at_once_are_refused(casino, platform):
    tid = casino.running("u-1")
    given = [event("player.score.updated", n, playerId="u-1", score=n) for n in range(1001)]
    assert platform.post(f"/internal/tournaments/{tid}/events", given).status_code == 400
    assert platform.post(f"/internal/tournaments/{tid}/events", given[:1000]).json()["accepted"] == 1000


@pytest.mark.parametrize(
    "spelled",
    [
        {"roomId": "room_1", "roomUrl": "https://g.example/r?a=1"},
        {"room_id": "room_1", "room_url": "https://g.example/r?a=1"},
    ],
)
def test_a_room_is_noted(casino, platform, spelled):
    tid = casino.create()
    answer = platform.post(f"/internal/tournaments/{tid}/room", spelled)
    assert answer.status_code == 200
    assert answer.json() == {
        "tournament_id": tid,
        "tournamentId": tid,
        "operator_id": casino.operator.public_id,
        "operatorId": casino.operator.public_id,
        "room_id": "room_1",
        "roomId": "room_1",
        "room_url": "https://g.example/r?a=1",
        "roomUrl": "https://g.example/r?a=1",
    }
    token = casino.register(tid, "u-9")["jwt"]
    assert platform.post("/internal/auth/validate-token", {"token": token}).json()["roomId"] == "room_1"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"roomId": None},
        {"roomId": ""},
        {"roomId": "x" * 201},
        {"roomId": "r", "roomUrl": "ftp://x"},
        [],
        {"roomId": []},
    ],
)
def test_a_malformed_room_is_refused(casino, platform, body):
    tid = casino.create()
    assert platform.post(f"/internal/tournaments/{tid}/room", body).status_code == 400
    assert Tournament.objects.get().room_id == ""


def test_an_ended_tournament_has_no_new_room(casino, platform):
    tid = casino.create()
    casino.delete(f"/api/tournaments/{tid}", {"reason": "storm"})
    answer = platform.post(f"/internal/tournaments/{tid}/room", {"roomId": "room_1"})
    assert (answer.status_code, answer.json()["code"]) == (409, "INVALID_STATE")
