"""Instant Play Passes: guests, and how they become somebody (rooms.md 3.25)."""

import hashlib
import re
from datetime import timedelta

import jwt
import pyotp
import pytest

from apps.events.models import Fact
from apps.ledger.services import transfers
from apps.operators.models import Player, PlayerSecret
from apps.rooms.models import Allowance, GameSession, PlayPass, Task
from tests.contracts.rooms.game import GameServer
from tests.contracts.rooms.people import NOON, Lobby, at_moment
from tests.racing import in_parallel
from tests.rooms.floor import GAME

pytestmark = pytest.mark.django_db

CODE = re.compile(r"([0-9A-F]{4}-){3}[0-9A-F]{4}")


@pytest.fixture
def lobby(settings):
    settings.PUBLIC_URL = "https://podium.example"
    with at_moment():
        yield Lobby(game_id="mygame")


@pytest.fixture
def guest(lobby):
    return lobby.post("/instantPlayPass/register", {"tokens": ["plyr", "gamr"], "sync": True}).json()


def reveal(lobby, guest):
    answer = lobby.post("/instantPlayPass/reveal/claimingCode", {"sessionJwt": guest["sessionJwt"]})
    assert answer.status_code == 200, answer.content
    return answer.json()["claimingCode"]


def refused(answer):
    body = answer.json()
    return answer.status_code, body["error"], body["code"]


def test_a_guest_is_let_in_without_a_name(lobby, guest):
    assert re.fullmatch(r"[a-z]+-[a-z]+-[0-9a-f]{6}", guest["plyrId"])
    claims = jwt.decode(guest["sessionJwt"], options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 100 * 365 * 86400
    assert guest == {
        "sessionJwt": guest["sessionJwt"],
        "plyrId": guest["plyrId"],
        "nonce": "1",
        "gameId": "mygame",
        "primaryAddress": claims["primaryAddress"],
        "mirrorAddress": claims["mirrorAddress"],
        "avatar": f"https://podium.example/api/user/avatar/picture/{guest['plyrId']}.svg",
        "ippClaimed": False,
        "isIPP": True,
        "task": {"id": guest["task"]["id"], "status": "SUCCESS"},
    }
    task = lobby.task(guest["task"]["id"]).json()
    assert (task["status"], task["result"]["plyrId"]) == ("SUCCESS", guest["plyrId"])


def test_a_guest_has_approved_a_lot_of_the_tokens_that_were_named(lobby, guest):
    assert lobby.get(f"/game/allowance/{guest['plyrId']}/mygame/gamr").json()["allowance"] == "100000000"
    assert lobby.get(f"/game/allowance/{guest['plyrId']}/mygame/plyr").json()["allowance"] == "100000000"
    assert lobby.get(f"/game/allowance/{guest['plyrId']}/mygame/upx").json()["allowance"] == "0"


def test_a_guest_plays_like_anybody(lobby, guest):
    player = Player.objects.get(handle=guest["plyrId"])
    transfers.deposit(player.pk, asset_code="gamr", amount="50", reference="d1", actor=GAME, at=NOON)
    body = {"sessionJwts": [guest["sessionJwt"]], "tokens": ["gamr"], "amounts": [4]}
    assert lobby.done("createJoinPay", **body)["plyrIds"] == [guest["plyrId"]]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, (400, "tokens is required", "INVALID_PARAMS")),
        ({"tokens": []}, (400, "tokens is required", "INVALID_PARAMS")),
        ({"tokens": "gamr"}, (400, "tokens must be an array", "INVALID_PARAMS")),
        ({"tokens": ["gamr", "nix"]}, (401, "Invalid token: nix", "TOKEN_INVALID")),
    ],
)
def test_a_bad_registration_makes_nobody(lobby, body, expected):
    assert refused(lobby.post("/instantPlayPass/register", body)) == expected
    assert not Player.objects.filter(is_guest=True).exists()
    assert [model.objects.count() for model in (PlayPass, Allowance, Task)] == [0, 0, 0]


def test_a_repeated_registration_is_one_guest(lobby):
    more = {"headers": {"Idempotency-Key": "k1"}}
    first, again = (lobby.post("/instantPlayPass/register", {"tokens": ["gamr"]}, **more).json() for _ in "ab")
    assert first == again
    assert PlayPass.objects.count() == 1


# --- codes ------------------------------------------------------------------------------------------------------------


def test_a_code_is_shown_and_stored_as_a_hash(lobby, guest):
    answer = lobby.post("/instantPlayPass/reveal/claimingCode", {"sessionJwt": guest["sessionJwt"]}).json()
    assert CODE.fullmatch(answer["claimingCode"])
    digits = answer["claimingCode"].replace("-", "")
    assert PlayPass.objects.get().code_digest == hashlib.sha256(digits.encode()).hexdigest()
    assert answer == {
        "claimingCode": answer["claimingCode"],
        "plyrId": guest["plyrId"],
        "gameId": "mygame",
        "primaryAddress": guest["primaryAddress"],
        "mirrorAddress": guest["mirrorAddress"],
        "claimingUrl": f"https://podium.example/api/user/register/{answer['claimingCode']}",
    }


def test_a_code_is_recognised_in_any_case_until_the_next_one(lobby, guest):
    first, shown = reveal(lobby, guest), {"valid": True, "status": "UNCLAIMED", "verified": True}
    for spelled in (first, first.lower(), first.replace("-", "")):
        answer = lobby.get(f"/instantPlayPass/verify/claimingCode/{spelled}")
        assert (answer.status_code, answer.json()) == (200, shown | {"plyrId": guest["plyrId"]})
    reveal(lobby, guest)
    gone = lobby.get(f"/instantPlayPass/verify/claimingCode/{first}")
    assert refused(gone) == (404, "Claiming code not found", "CLAIMING_CODE_NOT_FOUND")
    assert (gone.json()["valid"], gone.json()["status"]) == (False, "NOT_FOUND")


def test_another_operators_game_does_not_see_a_code(lobby, guest):
    assert GameServer().get(f"/instantPlayPass/verify/claimingCode/{reveal(lobby, guest)}").status_code == 404


def test_only_a_live_guest_has_a_code(lobby, guest):
    lobby.enrol("ana-11")
    somebody = lobby.login().json()["sessionJwt"]
    other = GameServer(operator=lobby.operator, game_id="othergame")

    def asked(token, server=lobby):
        return refused(server.post("/instantPlayPass/reveal/claimingCode", {"sessionJwt": token}))[:2]

    assert asked("") == (400, "sessionJwt is empty")
    assert asked("x") == (401, "Invalid sessionJwt")
    assert asked(somebody) == (401, "Only Instant Play Pass user can reveal claiming code")
    assert asked(guest["sessionJwt"], other) == (401, "JWT and API key mismatch")


# --- claiming ---------------------------------------------------------------------------------------------------------


def test_claiming_makes_the_guests_wallet_somebodys(lobby, guest):
    player = Player.objects.get(handle=guest["plyrId"])
    transfers.deposit(player.pk, asset_code="gamr", amount="50", reference="d1", actor=GAME, at=NOON)
    code = reveal(lobby, guest)
    claimed = lobby.post(f"/user/register/{code.lower()}", {"plyrId": "Mara-77"}).json()
    assert (claimed["plyrId"], claimed["ippClaimed"], claimed["isIPP"]) == ("mara-77", True, False)
    assert claimed["primaryAddress"] == guest["primaryAddress"]
    assert lobby.get("/user/balance/mara-77/gamr").json()["gamr"] == "50"
    assert lobby.get(f"/user/info/{guest['plyrId']}").status_code == 404
    assert lobby.get(f"/user/info/{guest['primaryAddress']}").json()["plyrId"] == "mara-77"
    old = lobby.post("/user/session/verify", {"sessionJwt": guest["sessionJwt"]})
    assert refused(old)[:2] == (401, "User not found")
    otp = pyotp.TOTP(claimed["secret"]).at(NOON)
    assert lobby.post("/user/login", {"plyrId": "mara-77", "otp": otp}).json()["ippClaimed"] is True
    assert lobby.api.get(f"/api/players/{guest['plyrId']}").json()["plyrId"] == "mara-77"
    assert list(Fact.objects.filter(type__startswith="player.guest").order_by("pk").values_list("type", flat=True)) == [
        "player.guest_registered",
        "player.guest_claimed",
    ]


def test_a_code_works_once(lobby, guest):
    code = reveal(lobby, guest)
    assert lobby.post(f"/user/register/{code}", {"plyrId": "mara-77"}).status_code == 200
    again = lobby.post(f"/user/register/{code}", {"plyrId": "mara-78"})
    assert refused(again) == (404, "Claiming code not found", "CLAIMING_CODE_NOT_FOUND")
    assert lobby.get(f"/instantPlayPass/verify/claimingCode/{code}").status_code == 404


@pytest.mark.parametrize(
    ("name", "code"),
    [("abc", "INVALID_PARAMS"), ("a--bcd", "INVALID_PARAMS"), ("12345", "INVALID_PARAMS"), ("ana-11", "PLYR_ID_TAKEN")],
)
def test_a_bad_name_leaves_the_guest_and_the_code(lobby, guest, name, code):
    lobby.enrol("ana-11")
    claiming = reveal(lobby, guest)
    answer = lobby.post(f"/user/register/{claiming}", {"plyrId": name})
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert Player.objects.get(handle=guest["plyrId"]).is_guest
    assert PlayerSecret.objects.count() == 1
    assert lobby.post("/user/session/verify", {"sessionJwt": guest["sessionJwt"]}).status_code == 200
    assert lobby.post(f"/user/register/{claiming}", {"plyrId": "mara-77"}).status_code == 200


def test_the_operator_can_not_enrol_a_guest(lobby, guest):
    answer = lobby.api.post(f"/api/players/{guest['plyrId']}/totp", {})
    assert (answer.status_code, answer.json()["code"]) == (409, "PLAYER_IS_GUEST")


@pytest.mark.django_db(transaction=True)
def test_of_many_who_claim_at_once_one_does(lobby, guest):
    code = reveal(lobby, guest)
    names = iter(f"mara-{n}" for n in range(6))
    answers = in_parallel(6, lambda: lobby.post(f"/user/register/{code}", {"plyrId": next(names)}))
    assert sorted(answer.status_code for answer in answers) == [200, 404, 404, 404, 404, 404]
    winner = next(answer.json()["plyrId"] for answer in answers if answer.status_code == 200)
    assert Player.objects.get(pk=PlayPass.objects.get().player_id).handle == winner
    assert GameSession.objects.get().deadline is None


def test_a_code_outlives_the_hour(lobby, guest):
    code = reveal(lobby, guest)
    with at_moment(NOON + timedelta(days=30)):
        assert lobby.get(f"/instantPlayPass/verify/claimingCode/{code}").status_code == 200
