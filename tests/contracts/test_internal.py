"""The game platform's API (operators.md 11): each call's sample, at each mount, in each spelling."""

from decimal import Decimal

import pytest
from drf_spectacular.generators import SchemaGenerator

from apps.events.models import Fact
from apps.operators.services import tenants
from apps.tournaments.api.casino.schemas import Shape
from apps.tournaments.api.internal import schemas
from apps.tournaments.models import Entry, GameEvent, Tournament
from apps.tournaments.services import running, tally, tokens
from tests.contracts.casino import NOW, Casino, an_operator, at_time, everything
from tests.factories import Api, internal_api, internal_key
from tests.racing import race
from tests.tournaments import world
from tests.tournaments.world import STAFF

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_that_day")]

MOUNTS = ["/internal", "/api/internal", "/api/api/internal"]
T0 = "2031-04-30T09:00:00Z"


@pytest.fixture
def casino():
    """The operator's side."""
    return Casino()


@pytest.fixture
def platform(casino):
    """The game platform's side."""
    return internal_api(casino.operator)


def event(kind, number=1, *, timestamp=T0, **data):
    return {"eventType": kind, "eventId": f"evt_{number}", "timestamp": timestamp, "data": data}


# --- 11.1 -------------------------------------------------------------------------------------------------------------


def test_a_valid_token_tells_who_plays_what(casino, platform):
    tid = casino.running("u-9", rebuy_enabled=True, max_entries_per_player=2, config={"maxRounds": 5})
    entry = Entry.objects.select_related("player").get()
    token = tokens.issue_token(entry, at=NOW)
    answer = platform.post("/internal/auth/validate-token", {"token": token})
    assert answer.status_code == 200
    internal = f"TP_{tid}_{entry.player_id}_1"
    room = f"tournament_{tid}_crash-classic"
    owner = casino.operator.public_id
    assert answer.json() == {
        "valid": True,
        "error": None,
        "tournament_id": tid,
        "tournamentId": tid,
        "internal_player_id": internal,
        "internalPlayerId": internal,
        "playerId": internal,
        "player_id": internal,
        "display_name": "U-9",
        "displayName": "U-9",
        "external_user_id": "u-9",
        "externalUserId": "u-9",
        "operator_id": owner,
        "operatorId": owner,
        "permissions": ["play", "rebuy"],
        "room_assignment": room,
        "roomAssignment": room,
        "roomId": room,
        "room_id": room,
        "game_slug": "crash-classic",
        "gameSlug": "crash-classic",
        "tournament_context": {
            "name": "Friday Sprint",
            "status": "active",
            "game_config": {"maxRounds": 5},
            "current_round": 0,
        },
        "player_context": {"entry_count": 1, "total_paid": 7.5, "points": 0, "status": "active"},
        "token_expires_at": "2031-05-01T09:00:00Z",
        "tokenExpiresAt": "2031-05-01T09:00:00Z",
    }


def test_the_token_of_a_registration_opens_the_door(casino, platform):
    tid = casino.create()
    registered = casino.register(tid, "u-9", display_name="Mara")
    answer = platform.post("/internal/auth/validate-token", {"token": registered["jwt"]}).json()
    assert (answer["valid"], answer["display_name"]) == (True, "Mara")
    assert answer["internal_player_id"] == registered["internal_player_id"]
    assert answer["tournament_context"]["status"] == "scheduled"
    assert answer["player_context"]["status"] == "registered"


@pytest.mark.parametrize(
    "body", [{}, {"token": None}, {"token": ""}, {"token": 5}, {"token": ["x"]}, [], "x", {"jwt": "x"}]
)
def test_without_a_token_there_is_nothing_to_judge(platform, body):
    answer = platform.post("/internal/auth/validate-token", body)
    assert answer.status_code == 400
    assert answer.json()["code"] == "VALIDATION_ERROR"


def test_an_invalid_token_is_an_answer(casino, platform):
    tid = casino.create()
    token = casino.register(tid, "u-9")["jwt"]
    for given, error in (("x", "malformed"), (token[:-8] + "AAAAAAAA", "invalid_signature")):
        answer = platform.post("/internal/auth/validate-token", {"token": given})
        assert (answer.status_code, answer.json()) == (200, {"valid": False, "error": error})
    with at_time(NOW.replace(year=2032)):
        answer = platform.post("/internal/auth/validate-token", {"token": token})
        assert answer.json() == {"valid": False, "error": "token_expired"}
    casino.delete(f"/api/tournaments/{tid}/players/u-9", {"reason": "voluntary_exit"})
    answer = platform.post("/internal/auth/validate-token", {"token": token})
    assert answer.json() == {"valid": False, "error": "player_removed"}
    other = casino.create()
    token = casino.register(other, "u-9")["jwt"]
    casino.delete(f"/api/tournaments/{other}", {"reason": "storm"})
    answer = platform.post("/internal/auth/validate-token", {"token": token})
    assert answer.json() == {"valid": False, "error": "tournament_cancelled"}


# --- 11.2 to 11.4 -----------------------------------------------------------------------------------------------------


def test_the_configuration_has_both_documented_shapes(casino, platform):
    game_config = {
        "maxRounds": 10,
        "roundDuration": 300,
        "eliminationRate": 0.5,
        "gameRules": {"crashMultiplier": {"min": 1.0, "max": 100.0}, "autoPlayEnabled": True, "maxBetAmount": 50},
    }
    tenants.change_preferences(
        casino.operator.pk,
        {"branding": {"primaryColor": "#ff6600"}, "features": {"showTimer": False}},
        actor=STAFF,
        at=NOW,
    )
    tid = casino.running(
        "u-9",
        "u-10",
        config=game_config,
        max_players=40,
        min_players=4,
        prize_pool={"total": 500, "distribution": [60, 40]},
        rebuy_enabled=True,
        rebuy_fee=5,
        max_entries_per_player=3,
    )
    body = platform.get(f"/internal/tournaments/{tid}/config").json()
    prizes = {
        "type": "percentage",
        "totalAmount": 500,
        "currency": "USD",
        "guaranteedPrize": 500,
        "distribution": [60, 40],
    }
    both = {
        "tournament_id": tid,
        "operator_id": casino.operator.public_id,
        "name": "Friday Sprint",
        "game_slug": "crash-classic",
        "tournament_type": "points_based",
        "status": "active",
        "max_players": 40,
        "min_players": 4,
        "current_players": 2,
        "scheduled_start": "2031-05-02T18:30:00Z",
        "start_time": T0,
        "entry_fee": 7.5,
        "currency": "USD",
        "room_id": f"tournament_{tid}_crash-classic",
        "room_url": None,
    }
    expected = both | {
        "tournamentId": tid,
        "operatorId": casino.operator.public_id,
        "gameSlug": "crash-classic",
        "tournamentType": "points_based",
        "maxPlayers": 40,
        "minPlayers": 4,
        "currentPlayers": 2,
        "scheduledStart": "2031-05-02T18:30:00Z",
        "startTime": T0,
        "entryFee": 7.5,
        "roomId": f"tournament_{tid}_crash-classic",
        "roomUrl": None,
        "prize_pool_config": prizes,
        "prizePool": prizes,
        "game_config": game_config,
        "gameConfig": game_config,
        "timing": {
            "scheduled_start": "2031-05-02T18:30:00Z",
            "actual_start": T0,
            "scheduled_end": None,
            "completed_at": None,
        },
        "entry_settings": {"max_entries_per_player": 3, "rebuy_enabled": True, "rebuy_fee": 5},
        "rebuyConfig": {"enabled": True, "fee": 5, "maxEntriesPerPlayer": 3, "deadline": "2031-04-30T09:30:00Z"},
        "operatorConfig": {
            "operatorId": casino.operator.public_id,
            "branding": {"primaryColor": "#ff6600", "logoUrl": None},
            "features": {"allowLateRegistration": False, "showTimer": False, "showLeaderboard": True},
        },
    }
    assert body == expected


def test_the_status_counts_players_and_entries(casino, platform):
    tid = casino.running("u-1", "u-2", "u-3", rebuy_enabled=True)
    casino.post(f"/api/tournaments/{tid}/players/u-1/rebuy")
    platform.post(f"/internal/tournaments/{tid}/events", [event("round.started", 1, round=2)])
    platform.post(f"/internal/tournaments/{tid}/events", [event("player.eliminated", 2, playerId="u-3")])
    body = platform.get(f"/internal/tournaments/{tid}/status").json()
    assert body == {
        "tournament_id": tid,
        "tournamentId": tid,
        "operator_id": casino.operator.public_id,
        "operatorId": casino.operator.public_id,
        "status": "active",
        "current_phase": "round_2",
        "currentPhase": "round_2",
        "player_counts": {"total_registered": 3, "active_players": 2, "eliminated_players": 1},
        "entry_statistics": {"total_players": 3, "total_entries": 4, "average_entries_per_player": 1.33},
        "timing": {
            "scheduled_start": "2031-05-02T18:30:00Z",
            "actual_start": T0,
            "scheduled_end": None,
            "completed_at": None,
        },
        "active_games": [{"slug": "crash-classic", "status": "active", "room_id": f"tournament_{tid}_crash-classic"}],
    }


def test_the_players_are_those_of_the_casino_with_what_a_room_needs(casino, platform):
    tid = casino.running("u-1", "u-2", rebuy_enabled=True)
    platform.post(
        f"/internal/tournaments/{tid}/events",
        [event("player.score.updated", 1, playerId="u-2", score=64.5), event("player.eliminated", 2, playerId="u-1")],
    )
    body = platform.get(f"/internal/tournaments/{tid}/players").json()
    casinos = casino.get(f"/api/tournaments/{tid}/players").json()
    assert (body["totalCount"], body["operatorId"], body["tournamentId"]) == (2, casino.operator.public_id, tid)
    first, second = body["players"]
    assert first == casinos["players"][0] | {
        "internal_player_id": first["internalPlayerId"],
        "external_user_id": "u-2",
        "permissions": ["play", "rebuy"],
    }
    assert (first["currentScore"], first["currentPosition"], first["status"]) == (64.5, 1, "active")
    assert (second["external_user_id"], second["status"], second["permissions"]) == (
        "u-1",
        "eliminated",
        ["spectate", "rebuy"],
    )
    page = platform.get(f"/internal/tournaments/{tid}/players?status=eliminated&limit=1").json()
    assert [one["userId"] for one in page["players"]] == ["u-1"]
    assert platform.get(f"/internal/tournaments/{tid}/players?status=lost").status_code == 400


# --- 11.5 -------------------------------------------------------------------------------------------------------------

LOBBY = {"name": "Lobby", "game": "crash-classic", "min_players": 2, "entry_fee": 7.5}
CAMEL_LOBBY = {"name": "Lobby", "gameSlug": "crash-classic", "minPlayers": 2, "entryFee": 7.5}


@pytest.mark.parametrize(
    "spelled",
    [
        lambda owner: LOBBY | {"operator_id": owner},
        lambda owner: CAMEL_LOBBY | {"operatorId": owner, "startCondition": "min_players_reached", "startTime": None},
        lambda owner: LOBBY | {"operator_id": owner, "start_condition": "min_players_reached", "max_players": None},
    ],
)
def test_a_lobby_opens_waits_and_starts_by_itself(casino, platform, spelled):
    answer = platform.post("/internal/tournaments", spelled(casino.operator.public_id))
    assert answer.status_code == 201
    body = answer.json()
    tid = body["tournament_id"]
    assert body == body | {
        "tournamentId": tid,
        "operatorId": casino.operator.public_id,
        "status": "scheduled",
        "startCondition": "min_players_reached",
        "start_condition": "min_players_reached",
        "scheduledStart": None,
        "estimated_prize_pool": 0,
    }
    assert (body["tournament"]["name"], body["tournament"]["entryFee"]) == ("Lobby", 7.5)
    casino.register(tid, "u-1")
    assert platform.get(f"/internal/tournaments/{tid}/status").json()["status"] == "scheduled"
    casino.register(tid, "u-2")
    assert platform.get(f"/internal/tournaments/{tid}/status").json()["status"] == "active"
    late = casino.post(f"/api/tournaments/{tid}/players", {"userId": "u-3", "displayName": "Late"})
    assert (late.status_code, late.json()["code"]) == (409, "REGISTRATION_CLOSED")
    fresh = platform.post("/internal/tournaments", spelled(casino.operator.public_id))
    assert fresh.status_code == 201
    assert fresh.json()["tournament_id"] != tid


def test_one_lobby_waits_per_game_and_fee(casino, platform):
    body = LOBBY | {"operator_id": casino.operator.public_id}
    first = platform.post("/internal/tournaments", body)
    again = platform.post("/internal/tournaments", body | {"name": "Another", "min_players": 5})
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["tournament_id"] == first.json()["tournament_id"]
    assert (again.json()["tournament"]["name"], again.json()["tournament"]["minPlayers"]) == ("Lobby", 2)
    dearer = platform.post("/internal/tournaments", body | {"entry_fee": 8})
    euros = platform.post("/internal/tournaments", body | {"currency": "EUR"})
    stranger = an_operator()
    theirs = platform.post("/internal/tournaments", body | {"operator_id": stranger.public_id})
    assert [one.status_code for one in (dearer, euros, theirs)] == [201, 201, 201]
    assert Tournament.objects.count() == 4
    assert Tournament.objects.filter(operator=stranger).count() == 1


def test_a_free_lobby_needs_little(casino, platform):
    body = {"operator_id": casino.operator.public_id, "game": "crash-classic", "min_players": 2}
    made = platform.post("/internal/tournaments", body)
    assert made.status_code == 201
    assert (made.json()["tournament"]["name"], made.json()["tournament"]["entryFee"]) == ("crash-classic", 0)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"operator_id": None}, "operator_id"),
        ({"operator_id": {"a": 1}}, "operator_id"),
        ({"min_players": 1}, "min_players"),
        ({"min_players": None}, "min_players"),
        ({"min_players": "2"}, "min_players"),
        ({"min_players": 2.5}, "min_players"),
        ({"min_players": 5, "max_players": 4}, "min_players"),
        ({"game": "no-such-game"}, "game"),
        ({"game": None}, "game"),
        ({"entry_fee": -1}, "entry_fee"),
        ({"entry_fee": 0.001}, "entry_fee"),
        ({"entry_fee": 10**30}, "entry_fee"),
        ({"entryFee": 9}, "entry_fee"),
        ({"startCondition": "at_noon"}, "start_condition"),
        ({"prize_pool": {"distribution": [60, 60]}}, "prize_pool"),
        ({"config": {"tournament_type": "roulette"}}, "tournament_type"),
        ({"name": "x" * 201}, "name"),
    ],
)
def test_a_lobby_that_makes_no_sense_is_refused(casino, platform, change, field):
    answer = platform.post("/internal/tournaments", LOBBY | {"operator_id": casino.operator.public_id} | change)
    assert answer.status_code == 400, answer.content
    assert field in answer.json()["error"]["details"]["fields"]
    assert not Tournament.objects.exists()


def test_a_lobby_of_nobody_or_of_a_suspended_operator_is_refused(casino, platform):
    unknown = platform.post("/internal/tournaments", LOBBY | {"operator_id": "op_nobody"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "NOT_FOUND")
    stranger = an_operator()
    tenants.suspend_operator(stranger.pk, reason="unpaid", actor=STAFF, at=NOW)
    refused = platform.post("/internal/tournaments", LOBBY | {"operator_id": stranger.public_id})
    assert refused.status_code == 403
    assert not Tournament.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_ten_lobby_servers_at_once_open_one():
    operator = an_operator()
    key = internal_key(operator)
    body = LOBBY | {"operator_id": operator.public_id}
    answers = race(*[lambda: Api(key).post("/internal/tournaments", body) for _ in range(10)])
    assert sorted(answer.status_code for answer in answers) == [200] * 9 + [201]
    assert len({answer.json()["tournament_id"] for answer in answers}) == 1 == Tournament.objects.count()


# --- 11.6 -------------------------------------------------------------------------------------------------------------


def test_who_leaves_before_the_start_gets_everything_back(casino, platform):
    tid = casino.create()
    casino.register(tid, "u-1")
    mara = casino.register(tid, "u-9", display_name="Mara")
    answer = platform.delete(f"/internal/tournaments/{tid}/players/{mara['internal_player_id']}", {"reason": "left"})
    assert answer.status_code == 200
    assert answer.json() == {
        "tournament_id": tid,
        "tournamentId": tid,
        "operator_id": casino.operator.public_id,
        "operatorId": casino.operator.public_id,
        "player_id": mara["player_id"],
        "internal_player_id": mara["internal_player_id"],
        "status": "withdrawn",
        "reason": "left",
        "refunded": True,
        "refund_amount": 7.5,
        "remaining_players": 1,
    }
    told = Fact.objects.get(type="player.removed").data
    assert (told["userId"], told["reason"], told["refundAmount"]) == ("u-9", "left", Decimal("7.5"))
    again = platform.delete(f"/internal/tournaments/{tid}/players/u-9?reason=left")
    assert (again.status_code, again.json()["code"]) == (409, "PLAYER_NOT_ACTIVE")


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("players/u-9", {}, 400, "VALIDATION_ERROR"),
        ("players/u-9", {"reason": ""}, 400, "VALIDATION_ERROR"),
        ("players/u-9", {"reason": 5}, 400, "VALIDATION_ERROR"),
        ("players/u-9", {"reason": "x" * 501}, 400, "VALIDATION_ERROR"),
        ("players/u-9", [], 400, "VALIDATION_ERROR"),
        ("players/nobody", {"reason": "left"}, 404, "PLAYER_NOT_FOUND"),
        ("players/0", {"reason": "left"}, 404, "PLAYER_NOT_FOUND"),
        ("players/u-9", {"reason": "left"}, 409, "INVALID_STATE"),
    ],
)
def test_nobody_is_refunded_after_the_start_or_without_a_reason(casino, platform, path, body, status, code):
    tid = casino.running("u-9")
    before = everything()
    answer = platform.delete(f"/internal/tournaments/{tid}/{path}", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert everything() == before


# --- 11.8 -------------------------------------------------------------------------------------------------------------


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


# --- the description --------------------------------------------------------------------------------------------------


def assert_described(body, shape):
    """Everything an answer holds is in its schema, and the other way round."""
    fields = shape().fields
    assert set(body) <= set(fields), set(body) - set(fields)
    assert {name for name, field in fields.items() if field.required} <= set(body)
    for name, field in fields.items():
        inner = getattr(field, "child", field)
        if isinstance(inner, Shape) and body.get(name):
            for one in body[name] if isinstance(body[name], list) else [body[name]]:
                assert_described(one, type(inner))


def test_the_answers_are_what_the_description_says(casino, platform):
    tid = casino.running("u-1", "u-2")
    token = tokens.issue_token(Entry.objects.first(), at=NOW)
    lobby = platform.post("/internal/tournaments", LOBBY | {"operator_id": casino.operator.public_id}).json()
    casino.register(lobby["tournament_id"], "u-9")
    for answer, shape in (
        (platform.post("/internal/auth/validate-token", {"token": token}), schemas.TokenVerdictOut),
        (platform.post("/internal/auth/validate-token", {"token": "x"}), schemas.TokenVerdictOut),
        (platform.get(f"/internal/tournaments/{tid}/config"), schemas.ConfigOut),
        (platform.get(f"/internal/tournaments/{tid}/status"), schemas.PlatformStatusOut),
        (platform.get(f"/internal/tournaments/{tid}/players"), schemas.PlatformPlayersOut),
        (platform.post(f"/internal/tournaments/{tid}/room", {"roomId": "r"}), schemas.RoomOut),
        (platform.post(f"/internal/tournaments/{tid}/events", event("x")), schemas.OutcomesOut),
        (
            platform.delete(f"/internal/tournaments/{lobby['tournament_id']}/players/u-9", {"reason": "left"}),
            schemas.RefundedOut,
        ),
    ):
        assert_described(answer.json(), shape)
    assert_described(lobby, schemas.LobbyOut)


def test_every_call_is_described_once():
    described = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    mine = {path: sorted(calls) for path, calls in described.items() if path.startswith("/internal")}
    assert mine == {
        "/internal/auth/validate-token": ["post"],
        "/internal/tournaments": ["post"],
        "/internal/tournaments/{id}/config": ["get"],
        "/internal/tournaments/{id}/status": ["get"],
        "/internal/tournaments/{id}/players": ["get"],
        "/internal/tournaments/{id}/players/{player}": ["delete"],
        "/internal/tournaments/{id}/events": ["post"],
        "/internal/tournaments/{id}/room": ["post"],
    }


# --- mounts, keys, tenants --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("mount", MOUNTS)
def test_every_call_answers_at_every_mount(casino, platform, mount, slash):
    tid = casino.create()
    casino.register(tid, "u-9")
    calls = [
        ("POST", "auth/validate-token", {"token": "x"}, 200),
        ("GET", f"tournaments/{tid}/config", None, 200),
        ("GET", f"tournaments/{tid}/status", None, 200),
        ("GET", f"tournaments/{tid}/players", None, 200),
        ("POST", "tournaments", LOBBY | {"operator_id": casino.operator.public_id}, 201),
        ("POST", f"tournaments/{tid}/events", event("x", tid), 202),
        ("POST", f"tournaments/{tid}/room", {"roomId": "r"}, 200),
        ("DELETE", f"tournaments/{tid}/players/u-9", {"reason": "left"}, 200),
    ]
    for method, path, body, status in calls:
        answer = platform.send(method, f"{mount}/{path}{slash}", body)
        assert answer.status_code == status, (path, answer.content)
        assert answer["Content-Type"] == "application/json"
    assert platform.get(f"{mount}/nothing{slash}").json()["code"] == "NOT_FOUND"
    assert platform.get(f"{mount}/tournaments{slash}").status_code == 405


def calls_on(tid):
    return [
        ("GET", f"/internal/tournaments/{tid}/config", None),
        ("GET", f"/internal/tournaments/{tid}/status", None),
        ("GET", f"/internal/tournaments/{tid}/players", None),
        ("DELETE", f"/internal/tournaments/{tid}/players/u-9", {"reason": "left"}),
        ("POST", f"/internal/tournaments/{tid}/events", event("x")),
        ("POST", f"/internal/tournaments/{tid}/events", event("round.started", round=1)),
        ("POST", f"/internal/tournaments/{tid}/room", {"roomId": "r"}),
    ]


def test_a_key_confined_to_an_operator_sees_no_other(casino):
    tid = casino.create()
    token = casino.register(tid, "u-9")["jwt"]
    stranger = internal_api(an_operator(), all_operators=False)
    own = internal_api(casino.operator, all_operators=False)
    before = everything()
    for method, path, body in calls_on(tid):
        answer = stranger.send(method, path, body)
        assert (answer.status_code, answer.json()["code"]) == (404, "TOURNAMENT_NOT_FOUND"), path
    answer = stranger.post("/internal/tournaments", LOBBY | {"operator_id": casino.operator.public_id})
    assert answer.status_code == 404
    answer = stranger.post("/internal/auth/validate-token", {"token": token})
    assert answer.json() == {"valid": False, "error": "invalid_signature"}
    assert everything() == before
    assert not GameEvent.objects.exists()
    assert own.post("/internal/auth/validate-token", {"token": token}).json()["valid"] is True
    assert own.get(f"/internal/tournaments/{tid}/config").json()["operatorId"] == casino.operator.public_id


def test_a_key_of_all_operators_crosses_and_every_answer_names_whose_it_is(casino):
    tid = casino.create()
    casino.register(tid, "u-9")
    platform = internal_api(an_operator(), all_operators=True)
    for method, path, body in calls_on(tid)[:-2] + calls_on(tid)[-1:]:
        answer = platform.send(method, path, body)
        assert answer.status_code in (200, 202), (path, answer.content)
        assert answer.json()["operatorId"] == casino.operator.public_id


@pytest.mark.parametrize("tid", ["0", "-1", "999999999", "9" * 30, "x", "1e3", "%00", "%D9%A1"])
def test_what_is_not_there_is_404(platform, tid):
    for method, path, body in calls_on(tid):
        assert platform.send(method, path, body).status_code == 404, path


def test_a_draft_is_not_there(casino, platform):
    draft = world.make(operator=casino.operator, draft=True)
    for method, path, body in calls_on(draft.pk):
        assert platform.send(method, path, body).status_code == 404, path


def test_keys_of_the_wrong_kind_are_refused(casino, platform):
    tid = casino.create()
    internal = internal_key(casino.operator)
    for method, path, body in calls_on(tid):
        assert casino.send(method, path, body).status_code == 401
        assert Api().send(method, path, body).status_code == 401
    for path in ("/api/tournaments", f"/api/tournaments/{tid}"):
        assert Api(internal).get(path).status_code == 401
    header = Api().get(f"/internal/tournaments/{tid}/status", headers={"X-Internal-Api-Key": internal})
    assert header.status_code == 200


def test_a_retry_with_the_same_key_gets_the_first_answer(casino, platform):
    tid = casino.create()
    casino.register(tid, "u-9")
    path, body = f"/internal/tournaments/{tid}/players/u-9", {"reason": "left"}
    first = platform.delete(path, body, headers={"Idempotency-Key": "k-1"})
    again = platform.delete(path, body, headers={"Idempotency-Key": "k-1"})
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    other = platform.delete(path, {"reason": "other"}, headers={"Idempotency-Key": "k-1"})
    assert (other.status_code, other.json()["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert Fact.objects.filter(type="player.removed").count() == 1


def test_a_completed_tournament_is_completed_here_too(casino, platform):
    tid = casino.running("u-1", "u-2")
    running.complete(int(tid), actor=STAFF, at=NOW)
    body = platform.get(f"/internal/tournaments/{tid}/status").json()
    assert (body["status"], body["current_phase"], body["timing"]["completed_at"]) == ("completed", "finished", T0)
    assert tally.totals(int(tid)).players == 2
    refused = platform.post(
        f"/internal/tournaments/{tid}/events", event("player.score.updated", playerId="u-1", score=5)
    )
    assert (refused.status_code, refused.json()["results"][0]["outcome"]) == (202, "rejected")
