"""Logins, sessions and handed-over answers (rooms.md 3.20 to 3.24, 3.40)."""

import base64
from datetime import timedelta

import jwt
import pytest

from apps.operators.models import PlayerSecret
from apps.rooms.models import Allowance, GameSession, HandOver
from tests.contracts.rooms.game import GameServer
from tests.contracts.rooms.people import NOON, Lobby, at_moment
from tests.factories import OperatorFactory
from tests.racing import in_parallel

pytestmark = pytest.mark.django_db

STEP = timedelta(seconds=30)


@pytest.fixture
def clock():
    with at_moment() as traveller:
        yield traveller


@pytest.fixture
def lobby(clock, settings):
    settings.PUBLIC_URL = "https://podium.example"
    lobby = Lobby(game_id="mygame")
    lobby.enrol("ana-11")
    return lobby


def refused(answer):
    body = answer.json()
    return answer.status_code, body["error"], body["code"]


def test_three_calls_bring_a_player_to_life(clock):
    lobby = Lobby(game_id="mygame")
    assert lobby.api.post("/api/players", {"userId": "Ana-11"}).json()["plyrId"] == "ana-11"
    made = lobby.api.post("/api/players/ana-11/totp", {}).json()
    assert made["plyrId"] == "ana-11"
    assert made["otpauthUrl"].startswith("otpauth://totp/Podium:ana-11?secret=" + made["secret"])
    lobby.secrets["ana-11"] = made["secret"]
    assert lobby.login().status_code == 200


def test_a_login_answers_what_is_documented_and_what_is_observed(lobby):
    answer = lobby.login(gameId="mygame", expiresIn=3600)
    body = answer.json()
    assert answer.status_code == 200
    claims = jwt.decode(body["sessionJwt"], options={"verify_signature": False})
    assert claims["iat"] == 1772366400
    assert claims["exp"] == 1772370000
    assert claims["nonce"] == 1
    assert body == {
        "sessionJwt": body["sessionJwt"],
        "plyrId": "ana-11",
        "nonce": "1",
        "gameId": "mygame",
        "primaryAddress": claims["primaryAddress"],
        "mirrorAddress": claims["mirrorAddress"],
        "avatar": "https://podium.example/api/user/avatar/picture/ana-11.svg",
        "ippClaimed": False,
        "isIPP": False,
    }


@pytest.mark.parametrize("seconds", [{}, {"expiresIn": None}, {"expiresIn": "86400"}, {"expiresIn": 86400}])
def test_a_session_lasts_a_day_unless_told_otherwise(lobby, seconds):
    body = lobby.login(**seconds).json()
    assert jwt.decode(body["sessionJwt"], options={"verify_signature": False})["exp"] == 1772366400 + 86400


def test_names_are_taken_in_any_case(lobby):
    now = {"otp": lobby.code("ana-11", NOON), "gameId": "MyGame"}
    assert lobby.post("/user/login", {"plyrId": "ANA-11", **now}).json()["plyrId"] == "ana-11"


def test_a_code_is_good_for_one_step_of_grace_either_way(lobby, clock):
    for steps, status in ((-2, 401), (-1, 200), (0, 200), (1, 200), (2, 401)):
        body = {"plyrId": "ana-11", "otp": lobby.code("ana-11", NOON, steps)}
        assert lobby.post("/user/login", body).status_code == status


def test_a_code_is_good_once_in_five_minutes(lobby, clock):
    assert lobby.login().status_code == 200
    assert refused(lobby.login()) == (401, "2FA token already used", "OTP_REUSED")
    clock.shift(STEP)
    again = {"plyrId": "ana-11", "otp": lobby.code("ana-11", NOON)}
    assert refused(lobby.post("/user/login", again)) == (401, "2FA token already used", "OTP_REUSED")
    assert lobby.login().status_code == 200


def test_a_code_that_failed_is_used_up_too(lobby, clock):
    ahead = {"plyrId": "ana-11", "otp": lobby.code("ana-11", NOON, 2)}
    assert refused(lobby.post("/user/login", ahead)) == (401, "Invalid 2fa token", "OTP_INVALID")
    clock.shift(2 * STEP)
    assert refused(lobby.post("/user/login", ahead)) == (401, "2FA token already used", "OTP_REUSED")


def test_every_fifth_wrong_code_locks_for_a_minute(lobby, clock):
    def guess(place):
        return lobby.post("/user/login", {"plyrId": "ana-11", "otp": lobby.wrong("ana-11", NOON, place)})

    for place in range(5):
        assert refused(guess(place)) == (401, "Invalid 2fa token", "OTP_INVALID")
    assert refused(lobby.login()) == (403, "User is temporary locked", "USER_LOCKED")
    clock.shift(timedelta(seconds=59))
    assert refused(lobby.login()) == (403, "User is temporary locked", "USER_LOCKED")
    clock.shift(timedelta(seconds=1))
    assert lobby.login().status_code == 200
    for place in range(5, 9):
        assert refused(guess(place))[2] == "OTP_INVALID"
    clock.shift(STEP)
    assert lobby.login().status_code == 200


def test_an_idempotency_key_does_not_undo_the_count_of_a_guess(lobby):
    for place in range(5):
        body = {"plyrId": "ana-11", "otp": lobby.wrong("ana-11", NOON, place)}
        assert lobby.post("/user/login", body, headers={"Idempotency-Key": f"k{place}"}).status_code == 401
    assert refused(lobby.login()) == (403, "User is temporary locked", "USER_LOCKED")


@pytest.mark.parametrize(
    "odd", ["１２３４５６", "12345", "abcdef", "1234567", " ", 123456789, 1.5, [1], {"a": 1}, True]
)
def test_what_is_no_code_is_refused(lobby, odd):
    answer = lobby.post("/user/login", {"plyrId": "ana-11", "otp": odd})
    assert answer.status_code in {400, 401}
    assert not GameSession.objects.exists()


def test_digits_of_another_script_are_not_the_same_code(lobby):
    code = "".join(chr(0xFF10 + int(digit)) for digit in lobby.code("ana-11", NOON))
    answer = lobby.post("/user/login", {"plyrId": "ana-11", "otp": code})
    assert refused(answer) == (401, "Invalid 2fa token", "OTP_INVALID")


def test_a_code_that_was_sent_as_a_number_gets_its_zeros_back(lobby, clock):
    for step in range(400):
        code = lobby.code("ana-11", NOON, step)
        if code.startswith("0"):
            clock.shift(STEP * step)
            break
    assert lobby.post("/user/login", {"plyrId": "ana-11", "otp": int(code)}).status_code == 200


def test_who_can_not_log_in(lobby):
    lobby.api.post("/api/players", {"userId": "bo-2222"})
    for plyr_id, expected in (
        ("nobody-1", (404, "User not found", "USER_NOT_FOUND")),
        ("bo-2222", (401, "Invalid 2fa token", "OTP_INVALID")),
    ):
        assert refused(lobby.post("/user/login", {"plyrId": plyr_id, "otp": "123456"})) == expected
    stranger = Lobby(operator=OperatorFactory(), game_id="mygame")
    stranger.secrets = lobby.secrets
    assert refused(stranger.login()) == (404, "User not found", "USER_NOT_FOUND")


def test_a_guest_has_no_codes(lobby):
    guest = lobby.post("/instantPlayPass/register", {"tokens": ["gamr"]}).json()["plyrId"]
    answer = lobby.post("/user/login", {"plyrId": guest, "otp": "123456"})
    assert refused(answer) == (403, "User is instant play pass, can not use 2fa to login", "IPP_NO_OTP")


def test_a_suspended_player_is_not_let_in(lobby, clock):
    lobby.api.post("/api/players/ana-11/suspend", {"reason": "chargeback"})
    answer = lobby.login()
    assert (answer.status_code, answer.json()["code"]) == (403, "PLAYER_BLOCKED")
    assert not GameSession.objects.exists()


def test_another_games_session_is_not_this_keys_to_open(lobby):
    answer = lobby.login(gameId="othergame")
    assert (answer.status_code, answer.json()["code"]) == (400, "GAME_MISMATCH")
    assert PlayerSecret.objects.get().spent == []


# --- login and approve ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "form", [{"tokens": ["gamr", "PLYR"], "amounts": [100, "0.5"]}, {"token": "gamr", "amount": 100}]
)
def test_login_and_approve_does_both(lobby, form):
    now = {"plyrId": "ana-11", "otp": lobby.code("ana-11", NOON), "gameId": "mygame", "expiresIn": 3600}
    answer = lobby.post("/user/loginAndApprove", now | form)
    assert answer.status_code == 200, answer.content
    assert answer.json()["sessionJwt"]
    found = Allowance.objects.order_by("asset__code").values_list("asset__code", "units", "expires_at")
    until = NOON + timedelta(hours=1)
    gamr = ("gamr", 100 * 10**18, until)
    assert list(found) == ([gamr, ("plyr", 5 * 10**17, until)] if "tokens" in form else [gamr])


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({}, (401, "Token is required", "TOKEN_INVALID")),
        ({"tokens": ["nix"], "amounts": [1]}, (401, "Invalid token: nix", "TOKEN_INVALID")),
        ({"tokens": ["gamr"], "amounts": [0]}, (400, "Approve amount was incorrect.", "AMOUNT_INVALID")),
        ({"tokens": ["gamr"], "amounts": [-1]}, (400, "Approve amount was incorrect.", "AMOUNT_INVALID")),
        ({"tokens": ["gamr"], "amounts": ["x"]}, (400, "Approve amount was incorrect.", "AMOUNT_INVALID")),
        ({"tokens": ["gamr"], "amounts": [None]}, (400, "Approve amount was incorrect.", "AMOUNT_INVALID")),
        ({"tokens": ["gamr"], "amounts": ["1e-19"]}, (400, "Approve amount was incorrect.", "AMOUNT_INVALID")),
        ({"tokens": ["gamr"], "amounts": [1e60]}, (400, "Approve amount was incorrect.", "AMOUNT_INVALID")),
        ({"tokens": ["gamr"], "amounts": [1, 2]}, (400, "Input params was incorrect.", "LENGTH_MISMATCH")),
        ({"token": "gamr"}, (400, "Approve amount was incorrect.", "AMOUNT_INVALID")),
    ],
)
def test_a_bad_approval_costs_neither_session_nor_code(lobby, clock, form, expected):
    first = lobby.login().json()["sessionJwt"]
    clock.shift(STEP)
    now = {"plyrId": "ana-11", "otp": lobby.code("ana-11", NOON + STEP), "gameId": "mygame"}
    assert refused(lobby.post("/user/loginAndApprove", now | form)) == expected
    assert not Allowance.objects.exists()
    assert lobby.post("/user/session/verify", {"sessionJwt": first}).status_code == 200
    fine = {"tokens": ["gamr"], "amounts": [1]}
    assert lobby.post("/user/loginAndApprove", now | fine).status_code == 200


def test_login_and_approve_names_its_game(lobby):
    body = {"plyrId": "ana-11", "otp": lobby.code("ana-11", NOON), "tokens": ["gamr"], "amounts": [1]}
    assert refused(lobby.post("/user/loginAndApprove", body)) == (401, "Game ID is required", "INVALID_PARAMS")


# --- the life of a session --------------------------------------------------------------------------------------------


def test_a_session_is_verified_with_all_that_clients_look_for(lobby):
    made = lobby.login(expiresIn=3600).json()
    answer = lobby.post("/user/session/verify", {"sessionJwt": made["sessionJwt"]})
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "isValid": True,
            "plyrId": "ana-11",
            "walletAddress": made["primaryAddress"],
            "success": True,
            "payload": {
                "plyrId": "ana-11",
                "nonce": 1,
                "gameId": "mygame",
                "primaryAddress": made["primaryAddress"],
                "mirrorAddress": made["mirrorAddress"],
                "iat": 1772366400,
                "exp": 1772370000,
                "avatar": made["avatar"],
                "ippClaimed": False,
                "isIPP": False,
            },
        },
    )


def test_a_dead_session_is_not_valid(lobby, clock):
    first = lobby.login(expiresIn=60).json()["sessionJwt"]
    clock.shift(STEP)
    second = lobby.login(expiresIn=60).json()["sessionJwt"]
    other = GameServer(operator=lobby.operator, game_id="othergame")

    def verdict(server, token):
        answer = server.post("/user/session/verify", {"sessionJwt": token})
        body = answer.json()
        assert (body.get("isValid"), body.get("success"), body["code"]) == (False, False, "SESSION_INVALID")
        return answer.status_code, body["error"]

    assert verdict(lobby, first) == (401, "JWT nonce is expired")
    assert verdict(lobby, "rubbish") == (401, "Invalid sessionJwt")
    assert verdict(other, second) == (401, "JWT and API key mismatch")
    clock.shift(timedelta(seconds=61))
    assert verdict(lobby, second) == (401, "JWT deadline is expired")


def test_a_logout_ends_the_session_once(lobby):
    token = lobby.login().json()["sessionJwt"]
    answer = lobby.post("/user/logout", {"sessionJwt": token})
    assert (answer.status_code, answer.json()) == (200, {"message": "Logout success"})
    again = lobby.post("/user/logout", {"sessionJwt": token})
    assert refused(again) == (401, "JWT nonce is expired", "SESSION_INVALID")
    assert again.json()["message"] == "JWT nonce is expired"
    assert refused(lobby.post("/user/logout", {"sessionJwt": "x"})) == (401, "Invalid sessionJwt", "SESSION_INVALID")


def test_a_guest_stays(lobby):
    guest = lobby.post("/instantPlayPass/register", {"tokens": ["gamr"]}).json()
    answer = lobby.post("/user/logout", {"sessionJwt": guest["sessionJwt"]})
    assert refused(answer)[:2] == (401, "Instant Play Pass user cannot logout")
    assert lobby.post("/user/session/verify", {"sessionJwt": guest["sessionJwt"]}).status_code == 200


@pytest.mark.parametrize("mount", ["", "/api", "/api/api"])
def test_the_public_key_is_everybodys_at_every_mount(lobby, mount):
    for answer in (lobby.client.get(f"{mount}/jwt/publicKey/"), lobby.get("/jwt/publicKey", mount=mount)):
        pem = base64.b64decode(answer.json()["publicKey"]).decode()
        assert pem.startswith("-----BEGIN PUBLIC KEY-----\n")
    token = lobby.post("/user/login", {"plyrId": "ana-11", "otp": lobby.code("ana-11", NOON)}, mount=mount).json()
    assert jwt.decode(token["sessionJwt"], pem, algorithms=["ES256"], options={"verify_exp": False})["nonce"] == 1


# --- handing over -----------------------------------------------------------------------------------------------------


def test_an_answer_is_handed_over_once_to_the_key_that_asked(lobby):
    made = lobby.login(uid="uid-0123456789abcdef").json()
    other = GameServer(operator=lobby.operator, game_id="othergame")
    assert refused(other.get("/auth/read/uid-0123456789abcdef")) == (404, "Auth not found", "AUTH_NOT_FOUND")
    answer = lobby.get("/auth/read/uid-0123456789abcdef/")
    assert (answer.status_code, answer.json()) == (200, {"data": made})
    assert refused(lobby.get("/auth/read/uid-0123456789abcdef")) == (404, "Auth not found", "AUTH_NOT_FOUND")
    assert not HandOver.objects.exists()


def test_an_answer_is_kept_for_ten_minutes_and_encrypted(lobby, clock):
    token = lobby.login(uid="uid-1").json()["sessionJwt"]
    kept = HandOver.objects.get()
    assert token not in kept.sealed_answer
    assert "uid-1" not in (kept.sealed_answer, kept.uid_digest)
    clock.shift(timedelta(minutes=10))
    assert refused(lobby.get("/auth/read/uid-1")) == (404, "Auth expired", "AUTH_EXPIRED")
    assert refused(lobby.get("/auth/read/uid-1")) == (404, "Auth not found", "AUTH_NOT_FOUND")


def test_a_kept_answer_can_be_revoked(lobby):
    lobby.login(uid="uid-1")
    answer = lobby.post("/auth/revoke/uid-1")
    assert (answer.status_code, answer.json()) == (200, {"message": "Auth data revoked"})
    assert lobby.get("/auth/read/uid-1").status_code == 404


def test_a_refused_login_hands_nothing_over(lobby):
    lobby.post("/user/login", {"plyrId": "ana-11", "otp": lobby.wrong("ana-11", NOON), "uid": "uid-1"})
    assert not HandOver.objects.exists()


# --- at once ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_the_same_code_sent_many_times_at_once_lets_in_once(lobby):
    body = {"plyrId": "ana-11", "otp": lobby.code("ana-11", NOON)}
    answers = in_parallel(6, lambda: lobby.post("/user/login", body))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401, 401, 401]
    assert {answer.json()["error"] for answer in answers if answer.status_code == 401} == {"2FA token already used"}
    assert GameSession.objects.get().nonce == 1


@pytest.mark.django_db(transaction=True)
def test_guesses_at_once_are_all_counted(lobby):
    guesses = iter([lobby.wrong("ana-11", NOON, place) for place in range(8)])
    answers = in_parallel(8, lambda: lobby.post("/user/login", {"plyrId": "ana-11", "otp": next(guesses)}))
    codes = sorted(answer.json()["code"] for answer in answers)
    assert codes == ["OTP_INVALID"] * 5 + ["USER_LOCKED"] * 3


@pytest.mark.django_db(transaction=True)
def test_of_many_who_read_a_kept_answer_one_gets_it(lobby):
    lobby.login(uid="uid-1")
    answers = in_parallel(6, lambda: lobby.get("/auth/read/uid-1"))
    assert sorted(answer.status_code for answer in answers) == [200, 404, 404, 404, 404, 404]
