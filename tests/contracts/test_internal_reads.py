"""What a game platform asks: whose token it is, how a tournament is played, who plays (operators.md 11.1 to 11.4)."""

import pytest
from drf_spectacular.generators import SchemaGenerator

from apps.operators.services import tenants
from apps.tournaments.api.casino.schemas import Shape
from apps.tournaments.api.internal import schemas
from apps.tournaments.models import Entry
from apps.tournaments.services import tokens
from tests.contracts.casino import NOW, at_time
from tests.contracts.internal import LOBBY, T0, event
from tests.tournaments.world import STAFF

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_that_day")]


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
