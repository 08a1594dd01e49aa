"""Hop-on/off tournaments: opened by the game platform, left with a refund (operators.md 11.5, 11.6)."""

from decimal import Decimal

import pytest

from apps.events.models import Fact
from apps.operators.services import tenants
from apps.tournaments.models import Tournament
from tests.contracts.casino import NOW, an_operator, everything
from tests.contracts.internal import LOBBY
from tests.factories import Api, internal_key
from tests.racing import race
from tests.tournaments.world import STAFF

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_that_day")]


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
