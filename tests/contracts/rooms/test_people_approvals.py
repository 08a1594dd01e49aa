"""What players let games take: approvals, allowances, revoking (rooms.md 3.30)."""

from datetime import timedelta

import pytest

from apps.events.models import Fact
from apps.ledger.models import Asset
from apps.ledger.services import transfers
from apps.operators.models import Player
from apps.rooms.models import Activity, Allowance
from tests.contracts.rooms.game import GameServer
from tests.contracts.rooms.people import NOON, Lobby, at_moment
from tests.rooms.floor import GAME

pytestmark = pytest.mark.django_db

STEP = timedelta(seconds=30)


@pytest.fixture
def clock():
    with at_moment() as traveller:
        yield traveller


@pytest.fixture
def lobby(clock):
    lobby = Lobby(game_id="mygame")
    lobby.enrol("ana-11")
    lobby.clock = clock
    lobby.at = NOON
    return lobby


def with_code(lobby, call, **body):
    """A call with the player's next code."""
    lobby.at += STEP
    lobby.clock.move_to(lobby.at)
    return lobby.post(call, {"plyrId": "ana-11", "otp": lobby.code("ana-11", lobby.at), **body})


def approve(lobby, amount=100, asset="gamr", game="mygame", **more):
    answer = with_code(lobby, "approve", gameId=game, token=asset, amount=amount, **more)
    assert (answer.status_code, answer.json()) == (200, {"message": "Approved", "success": True})


def left(lobby, asset="gamr", game="mygame"):
    answer = lobby.get(f"/game/allowance/ana-11/{game}/{asset}")
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert body.pop("data") == body
    return body["allowance"], body["expiresAt"]


def refused(answer):
    body = answer.json()
    return answer.status_code, body["error"], body["code"]


def test_an_approval_is_what_is_left_until_it_ends(lobby, clock):
    assert left(lobby) == ("0", None)
    approve(lobby, "97.5", expiresIn=3600)
    assert left(lobby) == ("97.5", "2026-03-01T13:00:30.000Z")
    assert left(lobby, "GAMR", "MYGAME")[0] == "97.5"
    clock.move_to(NOON + timedelta(hours=1, seconds=29))
    assert left(lobby)[0] == "97.5"
    clock.shift(timedelta(seconds=1))
    assert left(lobby) == ("0", None)


def test_both_forms_are_one_call(lobby):
    body = {"gameId": "mygame", "tokens": ["gamr", "upx"], "amounts": [3, "4"]}
    assert with_code(lobby, "approve", **body).status_code == 200
    assert (left(lobby)[0], left(lobby, "upx")[0]) == ("3", "4")


def test_without_a_lifetime_it_holds_for_a_year(lobby):
    approve(lobby)
    assert left(lobby) == ("100", "2027-03-01T12:00:30.000Z")


def test_a_new_approval_replaces_the_old_and_starts_the_clock_anew(lobby):
    approve(lobby, 100, expiresIn=60)
    approve(lobby, 5, expiresIn=120)
    assert left(lobby) == ("5", "2026-03-01T12:03:00.000Z")
    assert Allowance.objects.count() == 1


def test_an_address_is_as_good_as_a_name(lobby):
    listed = {token["apiId"]: token["address"] for token in lobby.get("/tokenlist").json()["tokens"]}
    assert listed["plyr"] == "0x" + "0" * 40
    approve(lobby, 7, asset=listed["gamr"].upper().replace("0X", "0x"))
    approve(lobby, 8, asset=listed["plyr"])
    assert (left(lobby)[0], left(lobby, "plyr")[0], left(lobby, listed["gamr"])[0]) == ("7", "8", "7")


def test_paying_takes_from_the_approval_and_an_approval_after_it_starts_over(lobby):
    ana = Player.objects.get(handle="ana-11")
    transfers.deposit(ana.pk, asset_code="gamr", amount="50", reference="d1", actor=GAME, at=NOON)
    approve(lobby, 10, expiresIn=86400)
    jwt = lobby.login_now()
    paid = {"sessionJwts": [jwt], "tokens": ["gamr"], "amounts": [4], "sync": True}
    assert lobby.post("createJoinPay", paid).status_code == 200
    assert left(lobby)[0] == "6"
    approve(lobby, 10)
    assert left(lobby)[0] == "10"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, (401, "Game ID is required", "INVALID_PARAMS")),
        ({"gameId": "nosuchgame", "token": "gamr", "amount": 1}, (401, "Invalid game ID", "GAME_INVALID")),
        ({"gameId": "mygame"}, (401, "Token is required", "TOKEN_INVALID")),
        ({"gameId": "mygame", "token": "nix", "amount": 1}, (401, "Invalid token: nix", "TOKEN_INVALID")),
        ({"gameId": "mygame", "token": "gamr", "amount": 0}, (400, "Approve amount was incorrect.", "AMOUNT_INVALID")),
        ({"gameId": "mygame", "token": "gamr"}, (400, "Approve amount was incorrect.", "AMOUNT_INVALID")),
        (
            {"gameId": "mygame", "tokens": ["gamr"], "amounts": []},
            (400, "Input params was incorrect.", "LENGTH_MISMATCH"),
        ),
    ],
)
def test_a_bad_approval_changes_nothing_and_costs_no_code(lobby, body, expected):
    assert refused(with_code(lobby, "approve", **body)) == expected
    assert not Allowance.objects.exists()
    fine = {"gameId": "mygame", "token": "gamr", "amount": 1, "plyrId": "ana-11"}
    assert lobby.post("approve", {**fine, "otp": lobby.code("ana-11", lobby.at)}).status_code == 200


def test_a_token_that_was_switched_off_is_not_approved(lobby):
    approve(lobby, 5)
    Asset.objects.filter(operator=lobby.operator, code="gamr").update(enabled=False)
    answer = with_code(lobby, "approve", gameId="mygame", token="gamr", amount=1)
    assert refused(answer) == (401, "Invalid token: gamr", "TOKEN_INVALID")
    assert int(Allowance.objects.get().units) == 5 * 10**18


def test_a_wrong_code_approves_nothing(lobby):
    body = {"plyrId": "ana-11", "otp": lobby.wrong("ana-11", NOON), "gameId": "mygame", "token": "gamr", "amount": 1}
    assert refused(lobby.post("approve", body)) == (401, "Invalid 2fa token", "OTP_INVALID")
    assert not Allowance.objects.exists()


def test_approving_hands_its_answer_over(lobby):
    approve(lobby, uid="uid-7")
    assert lobby.get("/auth/read/uid-7").json() == {"data": {"message": "Approved", "success": True}}


# --- revoking ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def approved(lobby):
    """Two tokens in two games."""
    GameServer(operator=lobby.operator, game_id="othergame")
    for game in ("mygame", "othergame"):
        for token in ("gamr", "upx"):
            approve(lobby, 10, asset=token, game=game)
    return lobby


@pytest.mark.parametrize(
    ("game", "token", "kept"),
    [
        ("mygame", "gamr", {"mygame/upx", "othergame/gamr", "othergame/upx"}),
        ("mygame", "all", {"othergame/gamr", "othergame/upx"}),
        ("ALL", "gamr", {"mygame/upx", "othergame/upx"}),
        ("all", "All", set()),
    ],
)
def test_revoking_takes_back_one_or_all(approved, game, token, kept):
    answer = with_code(approved, "revoke", gameId=game, token=token)
    assert (answer.status_code, answer.json()) == (200, {"message": "Revoked"})
    listed = approved.get("/game/allowances/ana-11").json()["allowances"]
    assert {f"{line['gameId']}/{line['token']}" for line in listed} == kept


def test_allowances_are_listed_of_one_game_or_all(approved):
    listed = approved.get("/game/allowanceByGameId/ana-11/othergame").json()["allowances"]
    assert listed == [
        {
            "plyrId": "ana-11",
            "gameId": "othergame",
            "token": token,
            "amount": 10,
            "expiresIn": 31536000,
            "createdAt": f"2026-03-01T12:0{minute}.000Z",
        }
        for token, minute in (("gamr", "1:30"), ("upx", "2:00"))
    ]
    assert len(approved.get("/game/allowances/ana-11/").json()["allowances"]) == 4


def test_what_was_revoked_can_be_paid_no_more(lobby):
    ana = Player.objects.get(handle="ana-11")
    transfers.deposit(ana.pk, asset_code="gamr", amount="50", reference="d1", actor=GAME, at=NOON)
    approve(lobby, 10, expiresIn=86400)
    jwt = lobby.login_now()
    with_code(lobby, "revoke", gameId="mygame", token="gamr")
    before = lobby.everything()
    paid = {"sessionJwts": [jwt], "tokens": ["gamr"], "amounts": [4], "sync": True}
    assert refused(lobby.post("createJoinPay", paid))[2] == "NOT_APPROVED"
    assert lobby.everything() == before


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"token": "gamr"}, (401, "Game ID is required", "INVALID_PARAMS")),
        ({"gameId": "mygame"}, (401, "Token is required", "TOKEN_INVALID")),
        ({"gameId": "nosuchgame", "token": "gamr"}, (401, "Invalid game ID", "GAME_INVALID")),
        ({"gameId": "mygame", "token": "nix"}, (401, "Invalid token: nix", "TOKEN_INVALID")),
    ],
)
def test_a_bad_revocation_changes_nothing(lobby, body, expected):
    approve(lobby)
    assert refused(with_code(lobby, "revoke", **body)) == expected
    assert left(lobby)[0] == "100"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"plyrId": "ana-11"}, (401, "Invalid signature", "WALLET_SIGNATURE_INVALID")),
        ({"plyrId": "nobody-1"}, (404, "User not found", "USER_NOT_FOUND")),
        ({}, (400, "plyrId is required", "INVALID_PARAMS")),
        (
            {"plyrId": "ana-11", "signature": 7},
            (400, "signature must be a text of 1 to 4096 characters", "INVALID_PARAMS"),
        ),
    ],
)
def test_no_wallets_signature_revokes_anything_and_the_hint_says_what_does(lobby, body, expected):
    approve(lobby)
    told = {"gameId": "all", "token": "all", "signature": "0x" + "ab" * 65}
    answer = lobby.post("/game/revokeBySignature", told | body)
    assert refused(answer) == expected
    assert left(lobby)[0] == "100"
    if answer.status_code == 401:
        assert "/game/revoke " in answer.json()["hint"]


def test_a_suspended_player_may_still_revoke(lobby):
    approve(lobby)
    lobby.api.post("/api/players/ana-11/suspend", {"reason": "asked for"})
    assert with_code(lobby, "approve", gameId="mygame", token="gamr", amount=5).json()["code"] == "PLAYER_BLOCKED"
    assert with_code(lobby, "revoke", gameId="mygame", token="all").status_code == 200
    assert left(lobby) == ("0", None)


def test_what_was_approved_and_revoked_is_told(lobby):
    approve(lobby, "2.5")
    with_code(lobby, "revoke", gameId="mygame", token="all")
    with_code(lobby, "revoke", gameId="mygame", token="all")
    ana = Player.objects.get(handle="ana-11")
    facts = Fact.objects.filter(subject=f"player:{ana.pk}").order_by("pk")
    assert [fact.type for fact in facts] == ["player.approved", "player.revoked"]
    assert Activity.objects.count() == 2
    logs = lobby.get("/activityLogs/ana-11").json()["logs"]
    assert logs == [
        {
            "timestamp": "2026-03-01T12:01:00.000Z",
            "action": "revoke",
            "details": {"gameId": "mygame", "entries": [{"token": "gamr"}]},
        },
        {
            "timestamp": "2026-03-01T12:00:30.000Z",
            "action": "approve",
            "details": {
                "gameId": "mygame",
                "entries": [{"token": "gamr", "amount": 2.5}],
                "expiresAt": "2027-03-01T12:00:30Z",
            },
        },
    ]
    since = lobby.get("/activityLogs/ana-11?startTime=1772366460000&limit=10").json()["logs"]
    assert [line["action"] for line in since] == ["revoke"]
    until = lobby.get("/activityLogs/ana-11?endTime=2026-03-01T12:00:59Z").json()["logs"]
    assert [line["action"] for line in until] == ["approve"]
    rows = lobby.get("/actionLog/ana-11?offset=1&limit=1").json()
    assert [(row["plyrId"], row["gameId"], row["action"]) for row in rows] == [("ana-11", "mygame", "approve")]


def test_players_of_other_operators_are_nobody(lobby):
    approve(lobby)
    stranger = GameServer(game_id="mygame")
    for path in (
        "/game/allowance/ana-11/mygame/gamr",
        "/game/allowances/ana-11",
        "/game/allowanceByGameId/ana-11/mygame",
        "/user/balance/ana-11",
        "/user/info/ana-11",
        "/user/avatar/ana-11",
        "/activityLogs/ana-11",
        "/actionLog/ana-11",
    ):
        answer = stranger.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "USER_NOT_FOUND"), path
