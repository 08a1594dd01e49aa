"""Codes and tokens: how a player lets an application act for them (rumble.md 2.2, 2.3, 3.1, 3.29)."""

from datetime import datetime, timedelta

import jwt
import pytest

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.core.errors import DomainError
from apps.events.models import Fact
from apps.operators.services import players
from apps.operators.services.signing import ES256
from apps.rumble.models import Connection, ConnectionCode
from apps.rumble.services import applications, connections, tokens
from tests.contracts.rumble.client import App, refused
from tests.factories import OperatorFactory, PlayerFactory, api
from tests.racing import in_parallel
from tests.rumble import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def app():
    return App()


def told(kind):
    return [fact.data for fact in Fact.objects.filter(type=f"rumble.{kind}").order_by("pk")]


def test_a_code_has_ten_characters_and_ten_minutes(app):
    before = clock.now()
    made = app.post("/auth/otp/init")
    assert made.status_code == 201
    assert set(made.json()) == {"code", "expireAt"}
    assert connections.CODE.fullmatch(made.json()["code"])
    end = datetime.fromisoformat(made.json()["expireAt"])
    assert timedelta(minutes=9) < end - before < timedelta(minutes=11)


def test_the_token_goes_out_by_webhook_and_names_application_and_player(app):
    token = app.connect("racera")
    (data,) = told("AuthenticationSuccess")
    assert (data["appId"], data["userId"]) == (app.id, app.user("racera"))
    assert token not in str(data)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["appId"], claims["sub"]) == (app.id, app.user("racera"))
    profile = app.send("GET", "/user/profile", auth=f"Bearer {token}").json()
    assert (profile["id"], profile["eosId"], profile["networth"]) == (app.user("racera"), "racera", world.RICH)
    balances = app.send("GET", "/user/balances", auth=f"Bearer {token}")
    assert balances.json() == {"availableUpx": world.RICH, "availableSpark": 0, "stakedSpark": 0}


def test_what_is_held_for_a_payment_is_not_available(app):
    app.join(app.tournament(), "racera")
    balances = app.send("GET", "/user/balances", auth=app.bearer("racera"))
    assert balances.json()["availableUpx"] == world.RICH - 100


def test_a_player_without_an_eos_id_gets_one_and_keeps_it(app):
    player = PlayerFactory(operator=app.operator, external_id="ann", eos_id="")
    key = api(app.operator)
    for _ in range(2):
        code = app.post("/auth/otp/init").json()["code"]
        made = key.post("/api/players/ann/connections", {"code": code.lower()})
        assert made.status_code == 201
        player.refresh_from_db()
        assert made.json()["eosId"] == player.eos_id
        assert len(player.eos_id) == 12


def test_a_code_is_good_once(app):
    code = app.post("/auth/otp/init").json()["code"]
    key = api(app.operator)
    for name, status in (("racera", 201), ("racera", 409), ("racerb", 409)):
        world.player(app.row, name)
        assert key.post(f"/api/players/{name}/connections", {"code": code}).status_code == status
    assert key.post("/api/players/racera/connections", {"code": "AAAAAAAAAA"}).status_code == 404
    assert key.post("/api/players/racera/connections", {"code": "é\u0661"}).status_code == 404
    assert Connection.objects.count() == 1


def test_another_operators_players_cannot_use_a_code(app):
    code = app.post("/auth/otp/init").json()["code"]
    stranger = PlayerFactory(operator=OperatorFactory(), external_id="eve")
    answer = api(stranger.operator).post("/api/players/eve/connections", {"code": code})
    assert (answer.status_code, answer.json()["code"]) == (404, "CODE_NOT_FOUND")
    assert ConnectionCode.objects.get(code=code).used_at is None


def test_a_blocked_player_is_refused_and_the_code_stays_good(app, at):
    player = world.player(app.row, "racera")
    players.suspend(player.pk, reason="checks", until=None, actor=SYSTEM, at=at)
    code = app.post("/auth/otp/init").json()["code"]
    assert api(app.operator).post("/api/players/racera/connections", {"code": code}).status_code == 403
    players.reinstate(player.pk, reason="done", actor=SYSTEM, at=at)
    assert api(app.operator).post("/api/players/racera/connections", {"code": code}).status_code == 201


def test_an_expired_code_is_told_once(app, at):
    code = connections.make_code(app.row, actor=SYSTEM, at=at)
    late = at + timedelta(minutes=10)
    assert connections.expire_codes(actor=SYSTEM, at=late - timedelta(seconds=1)) == 0
    assert connections.expire_codes(actor=SYSTEM, at=late) == 1
    assert connections.expire_codes(actor=SYSTEM, at=late) == 0
    assert told("AuthenticationFailure") == [{"appId": app.id, "code": code.code, "message": "Connection code expired"}]
    with pytest.raises(connections.CodeExpired):
        connections.connect(world.player(app.row, "racera").pk, code.code, actor=SYSTEM, at=late)


def test_a_new_connection_replaces_the_token(app):
    first, second = app.connect("racera"), app.connect("racera")
    assert first != second
    refused(app.send("GET", "/user/profile", auth=f"Bearer {first}"), 401)
    assert app.send("GET", "/user/profile", auth=f"Bearer {second}").status_code == 200
    assert Connection.objects.count() == 1


def test_disconnecting_ends_the_token_and_tells_the_application():
    app = App(signing="player")
    token, tournament = app.connect("racera"), app.tournament()
    app.join(tournament, "racera")
    key = api(app.operator)
    assert key.delete(f"/api/players/racera/connections/{app.id}").status_code == 204
    assert told("UserDisconnectedApplication") == [{"appId": app.id, "userId": app.user("racera")}]
    refused(app.post(f"/rumble-tournaments/{tournament}/join", auth=f"Bearer {token}"), 401)
    # What was not signed is withdrawn.
    assert app.get(f"/rumble-tournaments/{tournament}/participants").json()["results"][0]["status"] == "REMOVED"
    assert key.delete(f"/api/players/racera/connections/{app.id}").status_code == 404
    assert key.delete("/api/players/racera/connections/77").status_code == 404
    assert len(told("UserDisconnectedApplication")) == 1


def test_who_is_in_stays_in_after_disconnecting(app):
    tournament = app.running(4)
    api(app.operator).delete(f"/api/players/racera/connections/{app.id}")
    assert app.score(tournament, racera=9, racerb=3, racerc=2, racerd=1).status_code == 204
    board = app.post(f"/rumble-tournaments/{tournament}/resolve").json()
    assert board["prizeDistributions"][0]["userId"] == app.user("racera")


def test_no_other_token_opens_anything(app, at):
    good = app.connect("racera")
    claims = jwt.decode(good, options={"verify_signature": False})
    kid = jwt.get_unverified_header(good)["kid"]
    forged = [
        jwt.encode(claims, "secret" * 8, algorithm="HS256", headers={"kid": kid}),
        jwt.encode(claims, None, algorithm="none", headers={"kid": kid}),
        jwt.encode(claims, "secret" * 8, algorithm="HS256"),
        good[:-2] + ("A" if good[-2] != "A" else "B") + good[-1],
        good + "x" * 3000,
        "é",
    ]
    for token in forged:
        assert tokens.read(token) is None
        with pytest.raises(DomainError):
            connections.authenticate(token)
    other = App(app.operator)
    connection = Connection.objects.select_related("application").get()
    connection.application = other.row  # a genuine token of ours, for an application that the row does not name
    with pytest.raises(DomainError):
        connections.authenticate(tokens.make(connection, at=at))
    assert jwt.get_unverified_header(good)["alg"] == ES256


def test_inactivation_ends_keys_and_tokens_and_refunds(app):
    tournament = app.tournament()
    app.join(tournament, "racera")
    world.settle(clock.now() + timedelta(seconds=30))
    token, at = app.tokens["racera"], clock.now()
    applications.inactivate(app.row.pk, reason="fraud", actor=SYSTEM, at=at)
    refused(app.get(f"/rumble-tournaments/{tournament}"), 401)
    refused(app.send("GET", "/user/profile", auth=f"Bearer {token}"), 401)
    world.beat(clock.now())
    world.settle(clock.now() + timedelta(seconds=60))
    assert world.wallets(app.operator) == {"racera": world.RICH}
    old, keyed = app.secret, applications.reactivate(app.row.pk, actor=SYSTEM, at=clock.now())
    refused(app.get("/rumble-tournament-settings"), 401)
    app.secret = keyed.issued.key
    assert app.secret != old
    assert app.status(tournament) == "CANCELED"
    refused(app.send("GET", "/user/profile", auth=f"Bearer {token}"), 401)


def test_a_second_key_works_beside_the_first_for_the_overlap(app):
    fresh = applications.new_key(app.row.pk, overlap_seconds=3600, actor=SYSTEM, at=clock.now()).issued.key
    assert app.get("/rumble-tournament-settings").status_code == 200
    app.secret, old = fresh, app.secret
    assert app.get("/rumble-tournament-settings").status_code == 200
    app.secret = applications.new_key(app.row.pk, overlap_seconds=0, actor=SYSTEM, at=clock.now()).issued.key
    assert app.get("/rumble-tournament-settings").status_code == 200
    for dead in (old, fresh):
        app.secret = dead
        refused(app.get("/rumble-tournament-settings"), 401)


@pytest.mark.django_db(transaction=True)
def test_of_many_who_enter_one_code_one_is_connected():
    app = App()
    people = [world.player(app.row, name) for name in world.names(4)]
    code, turns = app.post("/auth/otp/init").json()["code"], iter(people)
    at = clock.now()

    def enter():
        try:
            connections.connect(next(turns).pk, code, actor=SYSTEM, at=at)
        except connections.CodeUsed:
            return "used"
        return "connected"

    assert sorted(in_parallel(4, enter)) == ["connected", "used", "used", "used"]
    assert Connection.objects.count() == len(told("AuthenticationSuccess")) == 1
