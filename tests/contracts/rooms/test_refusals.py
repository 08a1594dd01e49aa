"""rooms.md 3.0.6 and 5: what is refused, in which words, with which status; and that nothing moved."""

import json
from datetime import timedelta

import pytest

from apps.core import clock
from apps.rooms.models import Task
from tests.contracts.rooms.game import GameServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def game():
    game = GameServer()
    for name in ("ana-11", "bo-2222"):
        game.player(name)
    return game


@pytest.fixture
def room(game):
    return game.stake(ana_11=3)


def refusal(game, call, body):
    """A refused call: nothing moved, no task is left, and `error` is one string with all of `errors`."""
    before, queue = game.everything(), Task.objects.count()
    answer = game.post(call, body)
    assert answer.status_code >= 400, answer.content
    told = answer.json()
    assert told["error"] == "; ".join(told["errors"])
    assert told["hint"]
    assert "stack" not in told
    assert game.everything() == before
    assert Task.objects.count() == queue
    return answer.status_code, told["code"], told["error"]


TAKING = ("pay", "joinPay", "createJoinPay")
GIVING = ("earn", "earnLeave", "earnLeaveEnd")


@pytest.mark.parametrize("sync", [True, False])
@pytest.mark.parametrize("call", ["join", "leave", *TAKING])
@pytest.mark.parametrize("jwts", [None, []])
def test_no_sessions(game, room, call, jwts, sync):
    body = {"roomId": room, "sessionJwts": jwts, "tokens": ["gamr"], "amounts": [1], "sync": sync}
    assert refusal(game, call, body) == (400, "INVALID_PARAMS", "sessionJwts is empty")


@pytest.mark.parametrize("call", ["join", "leave", *TAKING])
def test_bad_sessions_are_named_with_their_reasons(game, room, call):
    jwts = [game.jwts["bo-2222"], "rubbish", game.log_in("ana-11") and game.jwts["ana-11"]]
    game.log_in("bo-2222")
    body = {"roomId": room, "sessionJwts": jwts, "tokens": ["gamr"] * 3, "amounts": [1] * 3}
    before = game.everything()
    answer = game.post(call, body)
    assert (answer.status_code, answer.json()["code"]) == (401, "SESSION_INVALID")
    assert answer.json()["error"] == "Invalid sessionJwts"
    assert answer.json()["invalidPlyrIds"] == {"bo-2222": "JWT nonce is expired", "unknown": "Invalid sessionJwt"}
    assert game.everything() == before


@pytest.mark.parametrize("call", TAKING)
@pytest.mark.parametrize("field", ["tokens", "amounts"])
def test_payments_need_tokens_and_amounts(game, room, call, field):
    body = {"roomId": room, **game.taking(ana_11=1), field: None}
    text = "Tokens and amounts and sessionJwts are required"
    assert refusal(game, call, body) == (400, "INVALID_PARAMS", text)


@pytest.mark.parametrize("call", GIVING)
def test_payouts_need_tokens_amounts_and_players(game, room, call):
    body = {"roomId": room, **game.giving(ana_11=1)}
    assert refusal(game, call, body | {"tokens": []}) == (401, "TOKEN_INVALID", "Token is required")
    assert refusal(game, call, body | {"amounts": []}) == (400, "INVALID_PARAMS", "amounts is required")
    assert refusal(game, call, body | {"plyrIds": []}) == (400, "INVALID_PARAMS", "plyrIds is required")


SAME, INCORRECT = "Tokens and amounts must be the same length", "Input params was incorrect."


@pytest.mark.parametrize(
    "call, changes, text",
    [
        *[(call, {"amounts": [1, 1]}, SAME) for call in TAKING],
        ("pay", {"sessionJwts": 2}, SAME),
        ("joinPay", {"sessionJwts": 2}, INCORRECT),
        ("createJoinPay", {"sessionJwts": 2}, INCORRECT),
        ("earn", {"plyrIds": ["ana-11", "bo-2222"]}, SAME),
        ("earn", {"amounts": [1, 1]}, SAME),
        ("earnLeave", {"plyrIds": ["ana-11", "bo-2222"]}, INCORRECT),
        ("earnLeaveEnd", {"tokens": ["gamr", "plyr"]}, INCORRECT),
    ],
)
def test_arrays_of_different_lengths(game, room, call, changes, text):
    arrays = game.taking(ana_11=1) if call in TAKING else game.giving(ana_11=1)
    if changes.get("sessionJwts"):
        changes = {"sessionJwts": [game.jwts["ana-11"], game.jwts["bo-2222"]]}
    assert refusal(game, call, {"roomId": room, **arrays, **changes}) == (400, "LENGTH_MISMATCH", text)


@pytest.mark.parametrize("call", [*TAKING, *GIVING])
def test_all_unknown_tokens_are_named(game, room, call):
    arrays = game.taking if call in TAKING else game.giving
    body = {"roomId": room, **arrays(ana_11=1, bo_2222=1), "tokens": ["Doge", "0x" + "1" * 40]}
    text = f"Invalid token: Doge; Invalid token: 0x{'1' * 40}"
    assert refusal(game, call, body) == (401, "TOKEN_INVALID", text)


def test_a_token_that_was_switched_off_takes_nothing_more_and_can_be_paid_out(game, room):
    game.operator.assets.filter(code="gamr").update(enabled=False)
    for call in ("pay", "createJoinPay"):
        body = {"roomId": room, **game.taking(ana_11=1)}
        assert refusal(game, call, body) == (401, "TOKEN_INVALID", "Invalid token: gamr")
    assert game.done("earnLeaveEnd", roomId=room, **game.giving(ana_11=3))["status"] == "SUCCESS"
    assert game.wallet("ana-11") == 100


BAD_AMOUNTS = [
    (-1, "-1"),
    ("-0.5", "-0.5"),
    ("NaN", "NaN"),
    ("1,5", "1,5"),
    ("0x10", "0x10"),
    ("", ""),
    (True, "not a number"),
    ([], "not a number"),
    ("1e999", "1e999"),
    ("0.0000000000000000001", "0.0000000000000000001"),
    ("1e-19", "1e-19"),
    ("9" * 40, "9" * 40),
    ("\u0661", "\u0661"),
]


@pytest.mark.parametrize("call", ["pay", "earn", "earnLeaveEnd"])
@pytest.mark.parametrize("amount, said", BAD_AMOUNTS)
def test_amounts_that_are_none(game, room, call, amount, said):
    arrays = game.taking(ana_11=amount) if call == "pay" else game.giving(ana_11=amount)
    assert refusal(game, call, {"roomId": room, **arrays}) == (400, "AMOUNT_INVALID", f"Invalid amount: {said}")


def test_surplus_decimals_are_refused_by_the_tokens_own_scale(game):
    game.player("ana-11", USD=10)
    body = game.taking("usd", ana_11="1.005")
    assert refusal(game, "createJoinPay", body) == (400, "AMOUNT_INVALID", "Invalid amount: 1.005")
    game.done("createJoinPay", **game.taking("usd", ana_11="1.0500"))


@pytest.mark.parametrize("sync", [True, False])
@pytest.mark.parametrize("call", TAKING)
def test_everyone_without_an_allowance_is_named(game, call, sync):
    room = game.stake(ana_11=3, bo_2222=3)
    game.player("cy-33333", approved=None)
    game.done("join", roomId=room, sessionJwts=[game.jwts["cy-33333"]])
    game.approve("bo-2222", 1)
    arrays = game.taking(cy_33333=1, bo_2222=2, ana_11=1)
    text = "User not approved: cy-33333; Insufficient allowance: bo-2222"
    assert refusal(game, call, {"roomId": room, **arrays, "sync": sync}) == (401, "NOT_APPROVED", text)


@pytest.mark.parametrize("sync", [True, False])
def test_an_allowance_is_counted_over_all_entries_of_a_player_and_may_have_ended(game, room, sync):
    game.approve("ana-11", 5)
    arrays = game.taking(ana_11=3)
    twice = {name: value * 2 for name, value in arrays.items()} | {"roomId": room, "sync": sync}
    assert refusal(game, "pay", twice) == (401, "ALLOWANCE_INSUFFICIENT", "Insufficient allowance: ana-11")
    game.approve("ana-11", 50, hours=-1)
    assert refusal(game, "pay", twice) == (401, "NOT_APPROVED", "User not approved: ana-11")


@pytest.mark.parametrize("sync", [True, False])
def test_everyone_who_is_not_in_the_room_is_named(game, room, sync):
    game.player("cy-33333")
    arrays = game.taking(cy_33333=1, ana_11=1, bo_2222=1)
    text = "Player is not joined: cy-33333; Player is not joined: bo-2222"
    body = {"roomId": room, "sync": sync}
    assert refusal(game, "pay", arrays | body) == (401, "NOT_JOINED", text)
    assert refusal(game, "leave", {"sessionJwts": arrays["sessionJwts"]} | body) == (401, "NOT_JOINED", text)
    for call in GIVING:
        giving = game.giving(cy_33333=1, bo_2222=1)
        assert refusal(game, call, giving | body) == (401, "NOT_JOINED", text)


def test_unknown_players_are_named(game, room):
    body = {"roomId": room, **game.giving(nobody_1=1, ana_11=1, nobody_2=1)}
    text = "User not found: nobody-1; User not found: nobody-2"
    for call in GIVING:
        assert refusal(game, call, body) == (404, "USER_NOT_FOUND", text)


@pytest.mark.parametrize("room_id", ["999999999", 999999999, "seven", "07x", "-1", "1" * 50, "\u0667", 7.5])
@pytest.mark.parametrize("sync", [True, False])
def test_unknown_rooms(game, room_id, sync):
    for call in ("join", "pay", "leave", "end", "joinPay"):
        body = {"roomId": room_id, **game.taking(ana_11=1), "sync": sync}
        answer = game.post(call, body)
        assert (answer.status_code, answer.json()["code"]) == (400, "ROOM_NOT_FOUND"), call
        assert answer.json()["error"].startswith("Room not found: ")
    assert game.wallet("ana-11") == 100


@pytest.mark.parametrize("value", [True, [], {}, ["7"]])
def test_a_room_id_is_a_text_or_a_number(game, value):
    assert refusal(game, "end", {"roomId": value}) == (400, "INVALID_PARAMS", "roomId must be a text")


@pytest.mark.parametrize("value", [None, ""])
def test_a_room_id_is_required(game, value):
    assert refusal(game, "end", {"roomId": value}) == (400, "INVALID_PARAMS", "roomId is required")


@pytest.mark.parametrize("call", ["create", "createJoinPay"])
@pytest.mark.parametrize("value", [0, -1, 1.5, "soon", "", True, [], 10**10, "1e400", 315360001])
def test_a_lifetime_is_whole_seconds_within_ten_years(game, call, value):
    body = {**game.taking(ana_11=1), "expiresIn": value}
    text = "expiresIn must be a whole number from 1 to 315360000"
    assert refusal(game, call, body) == (400, "INVALID_PARAMS", text)


@pytest.mark.parametrize("value, seconds", [(None, 86400), ("3600", 3600), (3600.0, 3600), ("3.6e3", 3600), (1, 1)])
def test_a_lifetime_in_any_spelling(game, value, seconds):
    before = clock.now()
    room = game.done("create", expiresIn=value)
    assert room["taskData"]["1"]["expiresIn"] == seconds
    room_row = Task.objects.latest("pk").room
    assert before + timedelta(seconds=seconds) <= room_row.expires_at <= clock.now() + timedelta(seconds=seconds)


@pytest.mark.parametrize("value", [-1, 0.5, "many", True, 2**31])
def test_a_capacity_is_a_whole_number(game, value):
    text = "maxPlayers must be a whole number from 0 to 2147483647"
    assert refusal(game, "create", {"maxPlayers": value}) == (400, "INVALID_PARAMS", text)


@pytest.mark.parametrize("value", ["yes", 1, [], {}])
def test_sync_is_a_truth(game, value):
    assert refusal(game, "create", {"sync": value}) == (400, "INVALID_PARAMS", "sync must be true or false")


@pytest.mark.parametrize("call", ["create", "joinPay", "end"])
@pytest.mark.parametrize("named", ["other", "", 7, [], {}])
def test_a_game_id_in_the_body_is_the_keys(game, room, call, named):
    status, code, _ = refusal(game, call, {"roomId": room, **game.taking(ana_11=1), "gameId": named})
    assert (status, code) == (400, "GAME_MISMATCH")
    game.done("create", gameId=game.game_id.upper())


@pytest.mark.parametrize("sync", [True, False])
def test_rooms_that_ended_expired_or_can_not_pay(game, room, sync):
    body = {"roomId": room, "sync": sync}

    def code(call, more):
        before = game.everything()
        answer = game.post(call, body | more)
        assert game.everything() == before
        return answer.status_code, answer.json()["code"]

    assert code("earn", game.giving(ana_11=4)) == (400, "INSUFFICIENT_ROOM_BALANCE")
    assert code("earnLeaveEnd", game.giving(ana_11=2)) == (400, "ROOM_NOT_EMPTY")
    game.approve("ana-11", 1000)
    assert code("pay", game.taking(ana_11=98)) == (400, "INSUFFICIENT_BALANCE")
    game.floor.settings()
    Task.objects.first().room.__class__.objects.filter(pk=room).update(expires_at=clock.now())
    assert code("pay", game.taking(ana_11=1)) == (400, "ROOM_EXPIRED")
    assert code("join", {"sessionJwts": [game.jwts["bo-2222"]]}) == (400, "ROOM_EXPIRED")
    game.done("earnLeaveEnd", roomId=room, **game.giving(ana_11=3))
    for call, more in (
        ("join", game.taking(bo_2222=1)),
        ("pay", game.taking(ana_11=1)),
        ("leave", game.taking(ana_11=1)),
        ("earn", game.giving(ana_11=0)),
        ("joinPay", game.taking(bo_2222=1)),
    ):
        assert code(call, more) == (400, "ROOM_ENDED"), call


@pytest.mark.parametrize("field", ["sessionJwts", "tokens", "amounts", "plyrIds"])
@pytest.mark.parametrize("value", ["text", 7, {"0": "a"}, True])
def test_arrays_are_arrays(game, room, field, value):
    calls = {"sessionJwts": TAKING, "plyrIds": GIVING}.get(field, TAKING + GIVING)
    for call in calls:
        arrays = game.taking(ana_11=1) if call in TAKING else game.giving(ana_11=1)
        status, code, text = refusal(game, call, {"roomId": room, **arrays, field: value})
        assert (status, code, text) == (400, "INVALID_PARAMS", f"{field} must be an array")


@pytest.mark.parametrize("field", ["sessionJwts", "tokens", "plyrIds"])
@pytest.mark.parametrize("value", [7, None, {}, [], "", " ", "x" * 5000])
def test_arrays_of_texts_hold_texts(game, room, field, value):
    call = "earn" if field == "plyrIds" else "pay"
    arrays = game.giving(ana_11=1) if field == "plyrIds" else game.taking(ana_11=1)
    status, code, text = refusal(game, call, {"roomId": room, **arrays, field: [value]})
    assert (status, code, text) == (400, "INVALID_PARAMS", f"{field} must be an array of texts")


def test_at_most_a_thousand_entries(game, room):
    arrays = {name: value * 1001 for name, value in game.giving(ana_11=0).items()}
    assert refusal(game, "earn", {"roomId": room, **arrays})[1] == "INVALID_PARAMS"
    assert len(game.done("earn", roomId=room, **{n: v[:1000] for n, v in arrays.items()})["distributions"]) == 1


@pytest.mark.parametrize(
    "query, text",
    [
        ("roomId=1", "plyrId is required"),
        ("plyrId=ana-11", "roomId is required"),
        ("plyrId=&roomId=1", "plyrId is required"),
        ("plyrId=ana-11&roomId=", "roomId is required"),
    ],
)
def test_is_joined_needs_both(game, query, text):
    answer = game.get(f"/game/isJoined?{query}")
    assert (answer.status_code, answer.json()["error"], answer.json()["code"]) == (400, text, "INVALID_PARAMS")


def test_is_joined(game, room):
    def joined(room_id, plyr_id):
        answer = game.get(f"/game/isJoined?roomId={room_id}&plyrId={plyr_id}").json()
        assert answer["data"] == {"isJoined": answer["isJoined"]}
        return answer["isJoined"]

    assert joined(room, "ana-11")
    assert joined(room, "ANA-11")
    assert not joined(room, "bo-2222")
    assert not joined(room, "nobody")
    assert not joined("999999", "ana-11")
    assert not joined("seven", "ana-11")
    assert joined(room, game.game_id)
    game.done("leave", roomId=room, sessionJwts=[game.jwts["ana-11"]])
    assert not joined(room, "ana-11")


MALFORMED = [
    b"{",
    b"[]",
    b"null",
    b'"text"',
    b"7",
    b"\xff",
    b"{'a':1}",
    b'{"a":NaN}',
    b'{"roomId":"\\u0000"}',
    b'{"\\u0000":1}',
    b'{"roomId":"\\ud800"}',
    b'{"expiresIn":1e999999}',
    b'{"expiresIn":' + b"9" * 5000 + b"}",
    b'{"roomId":' + b"[" * 5000 + b"]" * 5000 + b"}",
    b'{"roomId":' + b"[" * 100_000,
]


@pytest.mark.parametrize("raw", MALFORMED)
@pytest.mark.parametrize("call", ["create", "pay", "earnLeaveEnd"])
def test_malformed_bodies(game, raw, call):
    before = game.everything()
    answer = game.send("POST", f"/api/game/{call}", raw)
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_PARAMS")
    assert answer.json()["error"]
    assert game.everything() == before


@pytest.mark.parametrize(
    "path", ["/game/room/%00", "/game/room/a%2F", "/task/status/%00", "/task/status/%F0%9F%98%80", "/game/room/%FF"]
)
def test_strange_ids_are_only_unknown(game, path):
    assert game.get(path).status_code in {400, 404}


def test_a_nul_in_a_query(game):
    answer = game.get("/game/isJoined?roomId=%00&plyrId=a")
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_PARAMS")


def test_a_bug_shows_nothing_of_itself(game, monkeypatch):
    from apps.rooms.services import tasks  # noqa: PLC0415

    def broken(*_, **__):
        raise RuntimeError("secret")

    monkeypatch.setattr(tasks, "submit", broken)
    quiet = GameServer(game.operator, crashes=False)
    answer = quiet.post("create")
    assert answer.status_code == 500
    assert answer.json()["code"] == "INTERNAL"
    assert "secret" not in json.dumps(answer.json())
