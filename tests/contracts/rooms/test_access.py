"""rooms.md 1 and 2: who may call, in what order it is checked, under which addresses."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.operators.models import CredentialKind
from apps.operators.services import credentials, lookup
from apps.rooms.models import Room, Task
from tests.contracts.casino import an_operator
from tests.contracts.rooms.game import GameServer, compact
from tests.factories import issue, operator_key

pytestmark = pytest.mark.django_db

MOUNTS = ["/api", "", "/api/api"]
BODY = '{"sync":true,"expiresIn":60}'
CALLS = "create join pay earn leave end joinPay earnLeave createJoinPay earnLeaveEnd".split()


@pytest.fixture
def game():
    return GameServer()


def refused(answer, status, code, error):
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["error"] == error
    assert answer.json()["errors"] == [error]
    assert set(answer.json()) == {"error", "errors", "code", "hint"}
    assert answer["X-Request-Id"]
    assert not Room.objects.exists()
    assert not Task.objects.exists()


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("mount", MOUNTS)
@pytest.mark.parametrize("call", [*CALLS, "close"])
def test_every_call_answers_at_every_mount_with_and_without_a_slash(game, mount, call, slash):
    answer = game.post(f"{call}{slash}", {"expiresIn": "soon", "sync": True}, mount=mount)
    assert answer.status_code == 400
    assert answer.json()["code"] == "INVALID_PARAMS"
    assert Client().post(f"{mount}/game/{call}{slash}").json()["code"] == "AUTH_HEADERS_MISSING"
    assert game.get(f"/game/{call}{slash}", mount=mount).status_code == 405


def test_a_method_that_an_address_does_not_have_is_told_those_it_has(game):
    for answer, allowed in (
        (game.get("/game/create"), "POST"),
        (game.post("/tokenlist", {}), "GET, HEAD"),
        (game.send("OPTIONS", "/api/task/status/1"), "GET, HEAD"),
    ):
        assert (answer.status_code, answer.json()["code"], answer["Allow"]) == (405, "METHOD_NOT_ALLOWED", allowed)


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("mount", MOUNTS)
def test_every_read_answers_at_every_mount_with_and_without_a_slash(game, mount, slash):
    room = game.post(f"create{slash}", {"sync": True}, mount=mount).json()
    assert game.get(f"/game/room/{room['roomId']}{slash}", mount=mount).json()["roomId"] == room["roomId"]
    assert game.get(f"/task/status/{room['taskId']}{slash}", mount=mount).json()["status"] == "SUCCESS"
    query = f"/game/isJoined{slash}?roomId={room['roomId']}&plyrId=ana-11"
    assert game.get(query, mount=mount).json() == {"isJoined": False, "data": {"isJoined": False}}


@pytest.mark.parametrize("path", ["/game", "/game/", "/game/nothing", "/task/status/", "/game/room/", "/gamex/create"])
def test_nothing_else_below_a_mount_is_taken(game, path):
    assert game.get(path, mount="").headers["Content-Type"].startswith("text/html")
    answer = game.get(path, mount="/api")
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
    assert Client().get("/api/tournaments", headers={"Authorization": "Bearer x"}).json()["code"] == "UNAUTHORIZED"


@pytest.mark.parametrize("missing", ["apikey", "signature", "timestamp"])
@pytest.mark.parametrize("how", ["absent", "empty"])
def test_first_all_three_headers(game, missing, how):
    headers = game.headers(BODY)
    if how == "absent":
        del headers[missing]
    else:
        headers[missing] = ""
    answer = Client().generic("POST", "/api/game/create", BODY, content_type="application/json", headers=headers)
    refused(answer, 401, "AUTH_HEADERS_MISSING", "Missing authentication headers")


@pytest.mark.parametrize(
    "changes, status, code, error",
    [
        ({"apikey": "0" * 32, "signature": "0", "timestamp": "0"}, 401, "API_KEY_INVALID", "Invalid API key"),
        ({"apikey": "ü" * 500}, 401, "API_KEY_INVALID", "Invalid API key"),
        ({"signature": "0" * 64, "timestamp": "0"}, 401, "SIGNATURE_INVALID", "Invalid signature"),
        ({"signature": "x"}, 401, "SIGNATURE_INVALID", "Invalid signature"),
        ({"timestamp": "1735689600001"}, 401, "SIGNATURE_INVALID", "Invalid signature"),
    ],
)
def test_then_the_key_then_the_signature(game, changes, status, code, error):
    refused(game.send("POST", "/api/game/create", BODY, headers=changes), status, code, error)


@pytest.mark.parametrize("off, fine", [(-301, False), (-299, True), (299, True), (301, False)])
def test_then_the_time(game, off, fine):
    now = clock.now()
    stamp = str(int((now + timedelta(seconds=off)).timestamp() * 1000))
    with time_machine.travel(now, tick=False):
        answer = game.send("POST", "/api/game/create", BODY, headers=game.headers(BODY, stamp))
    if fine:
        assert answer.status_code == 200
    else:
        refused(answer, 401, "REQUEST_EXPIRED", "Request expired")


@pytest.mark.parametrize("timestamp", ["NaN", "soon", "-1", "1e12", "99999999999999999999"])
def test_a_signed_timestamp_that_is_no_number_has_expired(game, timestamp):
    answer = game.send("POST", "/api/game/create", BODY, headers=game.headers(BODY, timestamp))
    refused(answer, 401, "REQUEST_EXPIRED", "Request expired")


def test_then_the_role(game, monkeypatch):
    from apps.rooms.api.game.views import CreateView  # noqa: PLC0415

    monkeypatch.setattr(CreateView, "role", "admin")
    refused(game.post("create"), 403, "FORBIDDEN", "Insufficient permissions")


def test_only_then_the_body(game):
    answer = game.send("POST", "/api/game/create", "{", headers={"signature": "0"})
    refused(answer, 401, "SIGNATURE_INVALID", "Invalid signature")
    assert game.send("POST", "/api/game/create", "{").json()["code"] == "INVALID_PARAMS"


def test_header_names_in_any_case(game):
    headers = {name.upper(): value for name, value in game.headers(BODY).items()}
    answer = Client().generic("POST", "/api/game/create", BODY, content_type="application/json", headers=headers)
    assert answer.status_code == 200


@pytest.mark.parametrize("payload", ["{}", "null", ""])
def test_a_call_without_a_body_may_sign_any_of_three_texts(game, payload):
    path = "/game/isJoined?roomId=1&plyrId=ana-11"
    assert game.get(path, signed=payload).status_code == 200
    assert game.get(path, signed="[]").status_code == 401


def test_the_body_may_be_signed_as_sent_or_as_javascript_writes_it(game):
    sent = '{ "10": 1.0, "sync": true, "9": "\\u00fc", "expiresIn": 1e2 }'
    for signed in (sent, '{"9":"ü","10":1,"sync":true,"expiresIn":100}'):
        assert game.send("POST", "/api/game/create", sent, signed=signed).status_code == 200
    assert game.send("POST", "/api/game/create", sent, signed="{}").status_code == 401


def test_an_answer_says_how_long_it_is_and_brings_no_session(game):
    answer = game.post("create", {"sync": True})
    assert answer["Content-Length"] == str(len(answer.content))
    assert not answer.cookies
    assert answer["X-Request-Id"]


def test_one_signature_serves_every_poll(game):
    task = game.done("create")["taskId"]
    headers = game.headers("{}")
    for _ in range(3):
        assert Client().get(f"/api/task/status/{task}", headers=headers).json()["status"] == "SUCCESS"


def test_keys_that_do_not_open_this(game):
    other = GameServer(game.operator)
    told = {"operator_id": game.operator.pk, "actor": SYSTEM, "at": clock.now()}
    credentials.revoke(other.credential.pk, **told)
    refused(other.post("create"), 401, "API_KEY_INVALID", "Invalid API key")
    wrong_kind = GameServer(game.operator)
    wrong_kind.key = operator_key(game.operator)
    refused(wrong_kind.post("create"), 401, "API_KEY_INVALID", "Invalid API key")


def test_an_expired_key_a_suspended_operator_and_a_strange_address(game):
    expired = GameServer(game.operator)
    type(expired.credential).objects.filter(pk=expired.credential.pk).update(expires_at=clock.now())
    refused(expired.post("create"), 401, "API_KEY_INVALID", "Invalid API key")
    elsewhere = GameServer(game.operator)
    issued = issue(game.operator, CredentialKind.GAME, ref=elsewhere.game_id, allowed_ips=["192.0.2.0/24"])
    elsewhere.key, elsewhere.secret = issued.key, issued.secret
    answer = elsewhere.post("create")
    assert (answer.status_code, answer.json()["code"]) == (403, "ADDRESS_NOT_ALLOWED")
    suspended = GameServer(an_operator(suspended_at=clock.now()))
    answer = suspended.post("create")
    assert (answer.status_code, answer.json()["code"]) == (403, "OPERATOR_SUSPENDED")
    assert not Room.objects.exists()


def test_the_use_of_a_key_is_noted_and_its_secret_rotates(game):
    game.done("create")
    game.credential.refresh_from_db()
    assert game.credential.last_used_at is not None
    told = {"operator_id": game.operator.pk, "actor": SYSTEM, "at": clock.now()}
    fresh = credentials.rotate(game.credential.pk, overlap_seconds=60, **told)
    game.done("create")
    game.key, game.secret = fresh.key, fresh.secret
    game.done("create")


def test_a_key_is_looked_up_now_and_then_and_a_revoked_one_not_taken_for_longer(game, settings, monkeypatch):
    settings.GAME_KEYS_SECONDS = 1.0
    game.done("create")
    with CaptureQueriesContext(connection) as asked:
        game.done("create")
    assert not [query for query in asked.captured_queries if "operators_credential" in query["sql"]]
    credentials.revoke(game.credential.pk, operator_id=game.operator.pk, actor=SYSTEM, at=clock.now())
    game.done("create")
    now = lookup.time.monotonic()
    monkeypatch.setattr(lookup.time, "monotonic", lambda: now + 1.0)
    answer = game.post("create")
    assert (answer.status_code, answer.json()["code"]) == (401, "API_KEY_INVALID")


def test_what_is_kept_of_a_key_refuses_nobody(game, settings):
    settings.GAME_KEYS_SECONDS = 60.0
    game.done("create")
    kept = lookup.kept_by("digest", game.credential.digest, kind=CredentialKind.GAME)
    kept[0].allowed_ips = ["192.0.2.0/24"]  # as it was until a moment ago
    game.done("create")


def test_over_plain_http_production_sends_a_call_to_tls_before_anything_else(game, settings):
    settings.SECURE_SSL_REDIRECT = True
    plain, safe = (Client().post("/api/game/create", secure=secure) for secure in (False, True))
    assert (plain.status_code, plain["Location"]) == (301, "https://testserver/api/game/create")
    assert (safe.status_code, safe.json()["code"]) == (401, "AUTH_HEADERS_MISSING")


def test_the_room_of_another_game_of_the_same_operator_is_unknown(game):
    game.player("ana-11")
    room = game.stake(ana_11=3)
    task = Task.objects.latest("pk").public_id
    for nosy in (GameServer(game.operator), GameServer()):
        nosy.player("ana-11")
        assert nosy.get(f"/game/room/{room}").json()["code"] == "ROOM_NOT_FOUND"
        assert not nosy.get(f"/game/isJoined?roomId={room}&plyrId=ana-11").json()["isJoined"]
        answer = nosy.task(task)
        assert answer.status_code == 404
        assert (answer.json()["code"], answer.json()["status"]) == ("TASK_NOT_FOUND", "NOT_FOUND")
        before = nosy.everything()
        arrays = nosy.taking(ana_11=1) | nosy.giving(ana_11=1)
        for call in ("join", "pay", "earn", "leave", "end", "joinPay", "earnLeave", "earnLeaveEnd"):
            for sync in (True, False):
                answer = nosy.post(call, {"roomId": room, "sync": sync, **arrays})
                assert (answer.status_code, answer.json()["code"]) == (400, "ROOM_NOT_FOUND"), call
        assert nosy.everything() == before


def test_a_session_of_another_game_opens_nothing_here(game):
    other = GameServer(game.operator)
    other.player("ana-11")
    game.floor.people["ana-11"] = other.floor.people["ana-11"]
    game.approve("ana-11", 50)
    game.jwts["ana-11"] = other.jwts["ana-11"]
    before = game.everything()
    for body in (game.taking(ana_11=1), game.taking(ana_11=1) | {"gameId": game.game_id}):
        answer = game.post("createJoinPay", body)
        assert answer.status_code == 401
        assert answer.json()["error"] == "Invalid sessionJwts"
        assert answer.json()["code"] == "SESSION_INVALID"
        assert answer.json()["invalidPlyrIds"] == {"ana-11": "Invalid gameId"}
    answer = game.post("createJoinPay", game.taking(ana_11=1) | {"gameId": other.game_id})
    assert (answer.status_code, answer.json()["code"]) == (400, "GAME_MISMATCH")
    assert game.everything() == before


def test_an_operators_key_opens_no_room_and_a_games_key_no_tournament(game):
    key = operator_key(game.operator)
    answer = Client().post("/api/game/create", headers={"Authorization": f"Bearer {key}"})
    assert answer.json()["code"] == "AUTH_HEADERS_MISSING"
    assert Client().get("/api/tournaments", headers=game.headers("{}")).status_code == 401


def test_bodies_up_to_one_mebibyte(game):
    body = compact({"sync": True, "note": "x" * (1024 * 1024 - 40)})
    assert game.send("POST", "/api/game/create", body).status_code == 200
    for size in (1024 * 1024, 3 * 1024 * 1024):
        answer = game.send("POST", "/api/game/create", compact({"note": "x" * size}))
        assert (answer.status_code, answer.json()["code"]) == (413, "BODY_TOO_LARGE")
