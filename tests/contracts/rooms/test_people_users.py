"""Tokens, balances, users, pictures (rooms.md 3.31 and 3.32), and bodies that no client should send."""

from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest

from apps.ledger.models import Asset
from apps.ledger.services import holds, transfers
from apps.operators.models import Player
from tests.contracts.rooms.game import GameServer
from tests.contracts.rooms.people import NOON, Lobby, at_moment
from tests.rooms.floor import GAME

pytestmark = pytest.mark.django_db


@pytest.fixture
def lobby(settings):
    settings.PUBLIC_URL = "https://podium.example"
    with at_moment():
        lobby = Lobby(game_id="mygame", crashes=True)
        lobby.enrol("ana-11")
        yield lobby


def refused(answer):
    body = answer.json()
    return answer.status_code, body["error"], body["code"]


def deposit(lobby, amount, asset):
    ana = Player.objects.get(handle="ana-11")
    return transfers.deposit(ana.pk, asset_code=asset, amount=amount, reference=asset, actor=GAME, at=NOON)


# --- tokens -----------------------------------------------------------------------------------------------------------


def test_without_a_key_the_list_is_what_everybody_begins_with(lobby):
    body = lobby.client.get("/tokenlist").json()
    assert (body["name"], body["version"]) == ("Podium tokens", {"major": 1, "minor": 0, "patch": 0})
    assert body["timestamp"] == "2026-03-01T12:00:00.000Z"
    assert [(token["apiId"], token["decimals"]) for token in body["tokens"]] == [
        ("usd", 2),
        ("eur", 2),
        ("upx", 0),
        ("gamr", 18),
        ("plyr", 18),
    ]
    assert body["tokens"][3] == {
        "chainId": 16180,
        "address": body["tokens"][3]["address"],
        "name": "GAMR",
        "symbol": "GAMR",
        "decimals": 18,
        "logoURI": "",
        "apiId": "gamr",
        "cmcURL": "",
        "cmcId": "",
        "cgURL": "",
        "cgId": "",
        "website": "",
        "category": "token",
        "shortDescription": "",
        "nativeChainId": 16180,
        "nativeChainName": "Podium",
        "nativeChainLogoURI": "",
        "nativeContractAddress": body["tokens"][3]["address"],
        "isGameStake": False,
        "price": None,
        "updatedAt": "2026-03-01T12:00:00.000Z",
        "nextUpdatedAt": "2026-03-01T12:10:00.000Z",
    }


def test_with_a_key_the_list_is_the_operators_own(lobby):
    Asset.objects.create(operator=lobby.operator, code="GEM", scale=6)
    Asset.objects.filter(operator=lobby.operator, code="EUR").update(enabled=False)
    listed = lobby.get("/tokenlist").json()["tokens"]
    assert [token["apiId"] for token in listed] == ["usd", "upx", "gamr", "plyr", "gem"]
    assert "gem" not in str(GameServer().get("/tokenlist").json())
    assert len({token["address"] for token in listed}) == 5


def test_a_bad_key_is_refused_even_where_none_is_needed(lobby):
    answer = lobby.client.get("/tokenlist", headers={"apikey": "x", "signature": "y", "timestamp": "1"})
    assert refused(answer) == (401, "Invalid API key", "API_KEY_INVALID")


def test_one_token_is_listed_by_its_id(lobby):
    assert [token["apiId"] for token in lobby.get("/tokenlist/GAMR").json()["tokens"]] == ["gamr"]
    assert lobby.client.get("/api/tokenlist/nix/").status_code == 404


# --- balances ---------------------------------------------------------------------------------------------------------


def test_balances_are_what_can_be_spent_as_text(lobby):
    deposit(lobby, "12.5", "gamr")
    deposit(lobby, "300", "USD")
    usd = Asset.objects.get(operator=lobby.operator, code="USD")
    ana = Player.objects.get(handle="ana-11")
    holds.place(ana.pk, usd, units=10050, key="h", actor=GAME, at=NOON)
    shown = {"usd": "199.5", "eur": "0", "upx": "0", "gamr": "12.5", "plyr": "0"}
    assert lobby.get("/user/balance/ana-11").json() == {**shown, "balances": shown}


def test_one_balance_by_name_or_address_of_player_and_token(lobby):
    deposit(lobby, "12.5", "gamr")
    info = lobby.get("/user/info/ana-11").json()
    gamr = lobby.get("/tokenlist/gamr").json()["tokens"][0]["address"]
    for who in ("ana-11", "ANA-11", info["primaryAddress"], info["mirrorAddress"].upper().replace("0X", "0x")):
        for token in ("gamr", "GAMR", gamr):
            answer = lobby.get(f"/user/balance/{who}/{token}/")
            assert (answer.status_code, answer.json()) == (200, {"gamr": "12.5", "balances": {"gamr": "12.5"}})


def test_all_balances_by_an_address_of_its_own(lobby):
    deposit(lobby, "12.5", "gamr")
    address = lobby.get("/user/info/ana-11").json()["primaryAddress"]
    for path in (f"/balance/{address}", f"/balance/{address}/"):
        for mount in ("/api", "", "/api/api"):
            answer = lobby.get(path, mount=mount)
            assert (answer.status_code, answer.json()) == (200, lobby.get("/user/balance/ana-11").json())
    unknown = lobby.get("/balance/0x" + "0" * 40)
    assert refused(unknown) == (404, "Primary address not found", "USER_NOT_FOUND")


def test_what_has_no_balance(lobby):
    assert refused(lobby.get("/user/balance/ana-11/nix")) == (401, "Invalid tokenName", "TOKEN_INVALID")
    assert lobby.get("/user/balance/nobody-1").status_code == 404
    assert lobby.get("/user/balance/0x" + "0" * 40).status_code == 404


# --- users ------------------------------------------------------------------------------------------------------------


def test_a_player_is_shown_under_every_name_of_a_field(lobby):
    body = lobby.get("/user/info/ana-11/").json()
    avatar = "https://podium.example/api/user/avatar/picture/ana-11.svg"
    assert body == {
        "plyrId": "ana-11",
        "username": "ana-11",
        "walletAddress": body["primaryAddress"],
        "avatarUrl": avatar,
        "mirrorAddress": body["mirrorAddress"],
        "primaryAddress": body["primaryAddress"],
        "chainId": 16180,
        "createdAt": "2026-03-01T12:00:00.000Z",
        "avatar": avatar,
        "ippClaimed": False,
        "isIPP": False,
    }
    assert lobby.get(f"/user/info/{body['primaryAddress']}").json() == body


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ("nobody-1", (404, "PLYR[ID] not found", "USER_NOT_FOUND")),
        ("0x" + "a" * 40, (404, "Primary address not found", "USER_NOT_FOUND")),
        ("abc", (400, "Invalid PLYR[ID]", "INVALID_PARAMS")),
        ("a--bcd", (400, "Invalid PLYR[ID]", "INVALID_PARAMS")),
    ],
)
def test_who_is_not_shown(lobby, identifier, expected):
    assert refused(lobby.get(f"/user/info/{identifier}")) == expected


def test_pictures_come_in_three_forms(lobby):
    url = "https://podium.example/api/user/avatar/picture/{}.svg".format
    body = {"plyrIds": ["ana-11", "BO-2222", "a", 7]}
    found = {"ana-11": url("ana-11"), "bo-2222": url("bo-2222")}
    assert lobby.post("/user/avatar", body).json() == {**found, "avatars": found}
    lines = [{"plyrId": name, "avatar": address} for name, address in found.items()]
    assert lobby.client.post("/api/user/avatars", body, content_type="application/json").json() == {"avatars": lines}
    assert lobby.get("/user/avatar/ana-11").json() == {"avatar": url("ana-11")}
    assert refused(lobby.post("/user/avatars", {"plyrIds": "ana-11"}))[:2] == (400, "plyrIds must be an array")


def test_a_picture_is_drawn_of_a_name(lobby):
    first, again, other = (
        lobby.client.get(f"/api/user/avatar/picture/{name}.svg") for name in ("ana-11", "ana-11", "bo-2222")
    )
    assert (first.status_code, first["Content-Type"]) == (200, "image/svg+xml")
    assert ET.fromstring(first.content).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 - our own
    assert first.content == again.content != other.content
    assert lobby.client.get("/api/user/avatar/picture/%3Cscript%3E.svg").status_code == 404


# --- what no client should send ---------------------------------------------------------------------------------------

FINE = {
    "plyrId": "ana-11",
    "otp": "000000",
    "gameId": "mygame",
    "tokens": ["gamr"],
    "amounts": [1],
    "sessionJwt": "a.b.c",
    "chips": ["GOLD"],
    "plyrIds": ["ana-11"],
    "fromPlyrIds": ["ana-11"],
    "toPlyrIds": ["ana-11"],
    "name": "Gold",
    "symbol": "GLD",
}
POSTS = {
    "/user/login": "plyrId otp gameId expiresIn uid",
    "/user/loginAndApprove": "tokens amounts token amount expiresIn",
    "/user/logout": "sessionJwt",
    "/user/session/verify": "sessionJwt",
    "/instantPlayPass/register": "tokens",
    "/instantPlayPass/reveal/claimingCode": "sessionJwt",
    "/user/register/0000-0000-0000-0000": "plyrId",
    "/game/approve": "plyrId otp gameId tokens amounts token amount expiresIn uid",
    "/game/revoke": "plyrId otp gameId token",
    "/user/avatar": "plyrIds",
    "/user/avatars": "plyrIds",
    "/auth/revoke/x": "",
    "/game/chip/create": "name symbol image",
    "/game/chip/mint": "chips plyrIds amounts",
    "/game/chip/burn": "chips plyrIds amounts",
    "/game/chip/transfer": "chips fromPlyrIds toPlyrIds amounts",
}
ODD = (None, "", " ", -1, 1.5, True, [], {}, [None], [[]], {"a": []}, "x" * 5000, "١٢٣", 10**40)
RAW = (b"[]", b"null", b'"x"', b"{", b"\xff", b"", b'{"plyrId":"\\ud800"}', b'{"plyrId":"\\u0000"}')


@pytest.mark.parametrize("call", POSTS)
def test_odd_bodies_are_refused_and_never_crash(lobby, call):
    lobby.post("/game/chip/create", {"name": "Gold", "symbol": "GOLD"})
    for name in POSTS[call].split():
        for odd in ODD:
            answer = lobby.post(call, {**FINE, name: odd})
            assert answer.status_code < 500, (name, odd)
    for raw in RAW:
        assert lobby.send("POST", f"/api{call}", raw).status_code < 500, raw


@pytest.mark.parametrize(
    "path",
    [
        "/user/balance/{}",
        "/user/balance/ana-11/{}",
        "/user/info/{}",
        "/user/avatar/{}",
        "/game/allowance/{}/mygame/gamr",
        "/game/allowance/ana-11/{}/gamr",
        "/game/allowance/ana-11/mygame/{}",
        "/game/allowances/{}",
        "/tokenlist/{}",
        "/auth/read/{}",
        "/instantPlayPass/verify/claimingCode/{}",
        "/activityLogs/ana-11?startTime={}",
        "/activityLogs/ana-11?endTime={}&limit={}",
        "/actionLog/ana-11?offset={}",
        "/game/chip/balance?plyrId={}",
        "/game/chip/balance?plyrId=ana-11&chip={}",
        "/game/chip/info?chip={}",
    ],
)
def test_odd_addresses_are_refused_and_never_crash(lobby, path):
    for odd in ("%00", "%ED%A0%80", "0x", "0x" + "f" * 40, "-1", "9" * 30, "%D9%A1", "a" * 300, "NaN", "1e400", "null"):
        assert lobby.get(path.replace("{}", odd)).status_code < 500, odd


def test_a_session_does_not_outlive_ten_years(lobby):
    for seconds in (0, -1, 315_360_001, "1e30", "soon"):
        assert lobby.login(expiresIn=seconds).json()["code"] == "INVALID_PARAMS"
    assert lobby.login(expiresIn=315_360_000).status_code == 200
    with at_moment(NOON + timedelta(days=1)):
        assert lobby.login(expiresIn=10**30).status_code == 400
