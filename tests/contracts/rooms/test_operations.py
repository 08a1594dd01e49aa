"""rooms.md 3.1 to 3.11: every call, asynchronous and synchronous, in the shapes of the documented examples."""

import re
from decimal import Decimal

import pytest

from apps.core import clock
from apps.rooms.models import Room, Task
from apps.rooms.services import tasks
from tests.contracts.rooms.game import GameServer

pytestmark = pytest.mark.django_db

HASH = re.compile(r"0x[0-9a-f]{64}")
ADDRESS = re.compile(r"0x[0-9a-f]{40}")
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture
def game():
    game = GameServer()
    for name in ("ana-11", "bo-2222"):
        game.player(name, gamr=100, plyr=10)
    return game


def is_done(answer, method, params):
    """The answer of a synchronous call carries the whole record of its task (rooms.md 3.0.2); return the rest."""
    rest = dict(answer)
    assert rest.pop("status") == "SUCCESS"
    assert HASH.fullmatch(rest.pop("hash"))
    assert ISO.fullmatch(rest.pop("completedAt"))
    assert re.fullmatch(r"\d{13}-\d+", rest.pop("taskId"))
    result, data = rest.pop("result"), rest.pop("taskData")
    assert data == {"0": method, "1": params, "method": method, "body": params, "result": result}
    assert {name: value for name, value in result.items() if name != "gameId"} == rest
    assert ADDRESS.fullmatch(rest.pop("roomAddress"))
    return rest


def test_create(game):
    answer = game.done("create", expiresIn=3600)
    rest = is_done(answer, "createGameRoom", {"gameId": game.game_id, "expiresIn": 3600})
    assert rest == {"roomId": answer["taskData"]["result"]["roomId"]}
    assert answer["taskData"]["result"]["gameId"] == game.game_id


def test_join(game):
    room = game.done("create")["roomId"]
    answer = game.done("join", roomId=room, sessionJwts=[game.jwts["ana-11"], game.jwts["bo-2222"]])
    players = ["ana-11", "bo-2222"]
    rest = is_done(answer, "joinGameRoom", {"gameId": game.game_id, "roomId": room, "plyrIds": players})
    assert rest == {"roomId": room, "plyrIds": players}


def test_pay_takes_entries_of_several_tokens_and_sums_those_of_one(game):
    room = game.done("create")["roomId"]
    jwts = [game.jwts[name] for name in ("ana-11", "ana-11", "bo-2222", "ana-11")]
    game.done("join", roomId=room, sessionJwts=jwts)
    before = game.wallet("ana-11"), game.wallet("ana-11", "plyr"), game.wallet("bo-2222")
    amounts, tokens = [3, 0.5, 3, "1.25"], ["gamr", "plyr", "gamr", "GAMR"]
    answer = game.done("pay", roomId=room, sessionJwts=jwts, tokens=tokens, amounts=amounts)
    players = ["ana-11", "ana-11", "bo-2222", "ana-11"]
    params = {"gameId": game.game_id, "roomId": room, "plyrIds": players, "tokens": ["gamr", "plyr", "gamr", "gamr"]}
    rest = is_done(answer, "batchPayGameRoom", params | {"amounts": [3, 0.5, 3, 1.25]})
    assert rest == {
        "roomId": room,
        "plyrIds": ["ana-11", "bo-2222"],
        "payments": [
            {"plyrId": "ana-11", "token": "gamr", "amount": 4.25},
            {"plyrId": "ana-11", "token": "plyr", "amount": 0.5},
            {"plyrId": "bo-2222", "token": "gamr", "amount": 3},
        ],
    }
    after = game.wallet("ana-11"), game.wallet("ana-11", "plyr"), game.wallet("bo-2222")
    assert [a - b for a, b in zip(before, after, strict=True)] == [Decimal("4.25"), Decimal("0.5"), 3]
    assert game.get(f"/game/room/{room}").json()["balances"] == {"gamr": "7.25", "plyr": "0.5"}


def test_earn_keeps_the_fee_back_and_shows_it(game):
    room = game.stake(ana_11=3, bo_2222=3)
    game.floor.settings(earn_fee_percent=2)
    before = game.wallet("ana-11")
    answer = game.done("earn", roomId=room, **game.giving(ana_11=6))
    params = {"gameId": game.game_id, "roomId": room, **game.giving(ana_11=6)}
    rest = is_done(answer, "batchEarnGameRoom", params)
    line = {"plyrId": "ana-11", "token": "gamr", "amount": 6, "fee": 0.12, "net": 5.88}
    assert rest == {"roomId": room, "plyrIds": ["ana-11"], "distributions": [line]}
    assert game.wallet("ana-11") - before == Decimal("5.88")


def test_leave(game):
    room = game.stake(ana_11=3, bo_2222=3)
    answer = game.done("leave", roomId=room, sessionJwts=[game.jwts["bo-2222"]])
    rest = is_done(answer, "leaveGameRoom", {"gameId": game.game_id, "roomId": room, "plyrIds": ["bo-2222"]})
    assert rest == {"roomId": room, "plyrIds": ["bo-2222"]}
    assert game.get(f"/game/room/{room}").json()["balances"] == {"gamr": "6"}


def test_end_twice(game):
    room = game.done("create")["roomId"]
    for _ in range(2):
        rest = is_done(game.done("end", roomId=room), "endGameRoom", {"gameId": game.game_id, "roomId": room})
        assert rest == {"roomId": room}


def test_join_pay(game):
    room = game.done("create")["roomId"]
    answer = game.done("joinPay", gameId=game.game_id, roomId=room, **game.taking(ana_11=3))
    params = {"gameId": game.game_id, "roomId": room, "plyrIds": ["ana-11"], "tokens": ["gamr"], "amounts": [3]}
    payment = {"plyrId": "ana-11", "token": "gamr", "amount": 3}
    rest = is_done(answer, "joinPayGameRoom", params)
    assert rest == {"roomId": room, "plyrIds": ["ana-11"], "payments": [payment]}


def test_earn_leave_may_give_nothing(game):
    room = game.stake(ana_11=3, bo_2222=3)
    answer = game.done("earnLeave", roomId=room, **game.giving(ana_11=4, bo_2222=None))
    params = {"gameId": game.game_id, "roomId": room, **game.giving(ana_11=4, bo_2222=0)}
    rest = is_done(answer, "earnLeaveGameRoom", params)
    assert rest == {
        "roomId": room,
        "plyrIds": ["ana-11", "bo-2222"],
        "distributions": [
            {"plyrId": "ana-11", "token": "gamr", "amount": 4, "fee": 0, "net": 4},
            {"plyrId": "bo-2222", "token": "gamr", "amount": 0, "fee": 0, "net": 0},
        ],
    }
    assert game.get(f"/game/room/{room}").json()["plyrIds"] == []


def test_create_join_pay(game):
    answer = game.done("createJoinPay", **game.taking(ana_11=3, bo_2222=3))
    params = {"expiresIn": 86400, "plyrIds": ["ana-11", "bo-2222"], "tokens": ["gamr"] * 2, "amounts": [3, 3]}
    rest = is_done(answer, "createJoinPayGameRoom", {"gameId": game.game_id} | params)
    assert rest == {
        "roomId": answer["roomId"],
        "plyrIds": ["ana-11", "bo-2222"],
        "payments": [{"plyrId": name, "token": "gamr", "amount": 3} for name in ("ana-11", "bo-2222")],
    }


def test_earn_leave_end(game):
    room = game.stake(ana_11=3, bo_2222=3)
    answer = game.done("earnLeaveEnd", roomId=room, **game.giving(ana_11=6, bo_2222=0))
    assert answer["taskData"]["0"] == "earnLeaveEndGameRoom"
    assert [line["amount"] for line in answer["distributions"]] == [6, 0]
    assert game.get(f"/game/room/{room}").json()["status"] == "ended"


def test_close_gives_the_game_what_an_expired_room_still_holds(game):
    room = game.stake(ana_11=3, bo_2222=3)
    before = game.everything()
    answer = game.post("close", {"roomId": room, "sync": True})
    assert (answer.status_code, answer.json()["code"]) == (400, "ROOM_NOT_EXPIRED")
    assert GameServer(game.operator).post("close", {"roomId": room}).json()["code"] == "ROOM_NOT_FOUND"
    assert game.everything() == before
    Room.objects.filter(pk=room).update(expires_at=clock.now())
    answer = game.done("close", gameId=game.game_id, roomId=room)
    assert (answer["roomId"], answer["taskData"]["0"]) == (room, "closeGameRoom")
    assert game.floor.house("gamr") == 6 * 10**18
    assert game.get(f"/game/room/{room}").json()["status"] == "ended"
    assert game.post("close", {"roomId": room}).json()["code"] == "ROOM_ENDED"


def test_an_asynchronous_call_answers_a_task_that_ends(game):
    answer = game.post("createJoinPay", game.taking(ana_11=3, bo_2222=3))
    assert answer.status_code == 200
    assert set(answer.json()) == {"task"}
    task = answer.json()["task"]
    assert task == {"id": task["id"], "status": "PENDING"}
    pending = game.task(task["id"]).json()
    params = pending["taskData"]["1"]
    assert params["plyrIds"] == ["ana-11", "bo-2222"]
    data = {"0": "createJoinPayGameRoom", "1": params, "method": "createJoinPayGameRoom", "body": params}
    assert pending == {"taskId": task["id"], "status": "PENDING", "taskData": data}
    assert game.wallet("ana-11") == 100
    tasks.execute_all(0, at=clock.now())
    ended = game.task(task["id"]).json()
    assert (ended["status"], ended["taskId"]) == ("SUCCESS", task["id"])
    assert ended["taskData"]["result"] == ended["result"]
    assert game.get(f"/game/room/{ended['taskData']['result']['roomId']}").json()["balances"] == {"gamr": "6"}


def test_a_failed_task_says_why_to_who_polls_and_to_who_waits(game):
    room = game.stake(ana_11=3)
    late = game.post("earn", {"roomId": room, **game.giving(ana_11=3)}).json()["task"]["id"]
    # Queued behind the first, this can't be known to fail yet; whoever waits for it does both.
    answer = game.post("earn", {"roomId": room, **game.giving(ana_11=1), "sync": True})
    assert answer.status_code == 400
    body = answer.json()
    assert game.task(late).json()["status"] == "SUCCESS"
    text = "The room holds 0 gamr, and 1 would be paid out."
    assert body == {
        "error": text,
        "errors": [text],
        "errorMessage": text,
        "code": "INSUFFICIENT_ROOM_BALANCE",
        "hint": body["hint"],
        "taskId": body["taskId"],
        "status": "FAILED",
        "hash": None,
        "completedAt": body["completedAt"],
        "taskData": body["taskData"],
    }
    assert body["taskData"]["1"] == {"gameId": game.game_id, "roomId": room, **game.giving(ana_11=1)}
    polled = game.task(body["taskId"])
    assert (polled.status_code, polled.json()) == (200, body)


def test_end_of_a_room_that_holds_money_is_refused_with_its_task(game):
    room = game.stake(ana_11=3)
    before = game.everything()
    answer = game.post("end", {"roomId": room, "sync": True})
    assert answer.status_code == 400
    assert answer.json()["error"] == "Room still holds 3 gamr; pay it out before ending"
    assert (answer.json()["code"], answer.json()["status"]) == ("ROOM_NOT_EMPTY", "FAILED")
    assert game.task(answer.json()["taskId"]).json()["code"] == "ROOM_NOT_EMPTY"
    refused = game.post("end", {"roomId": room})
    assert (refused.status_code, refused.json()["code"]) == (400, "ROOM_NOT_EMPTY")
    assert "taskId" not in refused.json()
    assert game.everything() == before


@pytest.mark.parametrize("sync", [True, False])
def test_joining_again_succeeds_at_once(game, sync):
    room = game.stake(ana_11=3)
    body = {"roomId": room, "sessionJwts": [game.jwts["ana-11"]], "sync": sync}
    answer = game.post("join", body)
    assert answer.status_code == 200
    told = answer.json()
    assert told["message"] == "All players are already joined"
    assert (told["roomId"], told["plyrIds"]) == (room, ["ana-11"])
    task = told["taskId"] if sync else told["task"]["id"]
    assert (told["status"] if sync else told["task"]["status"]) == "SUCCESS"
    assert game.task(task).json()["status"] == "SUCCESS"


def test_long_amounts_are_text_and_no_digit_is_lost(game):
    game.player("cy-33333", gamr="12345.678901234567890123", approved="99999")
    answer = game.done("createJoinPay", **game.taking(cy_33333="12345.678901234567890123"))
    assert answer["payments"][0]["amount"] == "12345.678901234567890123"
    assert answer["taskData"]["1"]["amounts"] == ["12345.678901234567890123"]
    room = game.get(f"/game/room/{answer['roomId']}").json()
    assert room["balances"] == {"gamr": "12345.678901234567890123"}
    assert game.wallet("cy-33333") == 0


@pytest.mark.parametrize(
    "written, units",
    [
        ("1e-7", 10**11),
        ("0.0000001", 10**11),
        ('"1e-7"', 10**11),
        ("1E0", 10**18),
        ("1.0", 10**18),
        ('".5"', 5 * 10**17),
    ],
)
def test_amounts_in_any_spelling(game, written, units):
    taking = game.taking(ana_11=7)
    payload = f'{{"sessionJwts":["{taking["sessionJwts"][0]}"],"tokens":["gamr"],"amounts":[{written}],"sync":true}}'
    answer = game.send("POST", "/api/game/createJoinPay", payload)
    assert answer.status_code == 200, answer.content
    assert game.floor.balance("ESCROW", f"room:{answer.json()['roomId']}", "gamr") == units


def test_tokens_by_address_and_ids_in_any_case(game):
    token = game.floor.asset("gamr")
    from apps.rooms.services.tokens import address_of  # noqa: PLC0415

    address = address_of("gamr", token.pk)
    taking = game.taking(ana_11=3) | {"tokens": [address.upper().replace("0X", "0x")]}
    answer = game.done("createJoinPay", **taking)
    assert answer["payments"] == [{"plyrId": "ana-11", "token": address, "amount": 3}]
    room = answer["roomId"]
    giving = {"plyrIds": [" ANA-11 "], "tokens": ["Gamr"], "amounts": [3]}
    assert game.done("earnLeaveEnd", roomId=int(room), **giving)["plyrIds"] == ["ana-11"]


def test_the_native_token_is_the_zero_address(game):
    answer = game.done("createJoinPay", **game.taking("0x" + "0" * 40, ana_11=1))
    assert game.get(f"/game/room/{answer['roomId']}").json()["balances"] == {"plyr": "1"}


def test_the_game_takes_its_share_under_its_own_id(game):
    room = game.stake(ana_11=10)
    giving = {"plyrIds": ["ana-11", game.game_id], "tokens": ["gamr"] * 2, "amounts": [9, 1]}
    answer = game.done("earn", roomId=room, **giving)
    assert answer["plyrIds"] == ["ana-11", game.game_id]
    assert game.floor.house("gamr") == 10**18


def test_capacity(game):
    room = game.done("create", maxPlayers=1)["roomId"]
    assert game.get(f"/game/room/{room}").json()["maxPlayers"] == 1
    game.done("join", roomId=room, sessionJwts=[game.jwts["ana-11"]])
    answer = game.post("join", {"roomId": room, "sessionJwts": [game.jwts["bo-2222"]], "sync": True})
    assert (answer.status_code, answer.json()["code"]) == (400, "ROOM_FULL")
    full = game.post("createJoinPay", game.taking(ana_11=1, bo_2222=1) | {"maxPlayers": 1})
    assert (full.status_code, full.json()["code"]) == (400, "ROOM_FULL")


def test_forms_are_read_too(game):
    room = game.done("create")["roomId"]
    jwts = [game.jwts["ana-11"], game.jwts["bo-2222"]]
    form = f"roomId={room}&sessionJwts[]={jwts[0]}&sessionJwts[]={jwts[1]}&sync=true"
    answer = game.send("POST", "/api/game/join", form, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 200, answer.content
    assert answer.json()["plyrIds"] == ["ana-11", "bo-2222"]


def test_other_content_types_are_an_empty_object(game):
    body = '{"expiresIn":60,"sync":true}'
    for content_type, lifetime in (("text/plain", 86400), ("multipart/form-data; boundary=x", 86400), ("", 60)):
        answer = game.send("POST", "/api/game/create", body, content_type=content_type)
        assert answer.status_code == 200, answer.content
        assert Task.objects.latest("pk").params["expiresIn"] == lifetime
