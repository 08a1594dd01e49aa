"""What an operator does for its players and applications (podium.md 5)."""

import pytest

from apps.core import clock, crypto
from apps.events.models import Endpoint, Fact
from apps.rumble.models import Application, PlaySession
from apps.rumble.services import browsers
from tests.contracts.rumble.client import App, settle
from tests.factories import OperatorFactory, api, internal_api
from tests.rumble import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def app():
    return App(signing="player")


def test_an_application_is_changed_and_its_token_never_shown(app):
    key = api(app.operator)
    path = f"/api/applications/{app.id}"
    body = {
        "webhookUrl": "http://127.0.0.1:8099/hooks",
        "webhookToken": "hook-secret",
        "signing": "auto",
        "expirationHours": 48,
        "platformFeePercentage": 2.5,
    }
    changed = key.put(path, body)
    assert changed.status_code == 200, changed.content
    told = changed.json()
    assert {name: told[name] for name in body if name != "webhookToken"} == {
        name: value for name, value in body.items() if name != "webhookToken"
    }
    assert (told["appId"], told["hasWebhookToken"]) == (app.id, True)
    assert "hook-secret" not in changed.content.decode()
    endpoint = Endpoint.objects.get()
    assert (endpoint.format, endpoint.holds, endpoint.events) == ("RUMBLE", {"appId": app.id}, ["rumble.*"])
    assert crypto.decrypt(endpoint.token) == "hook-secret"
    assert key.get(path).json() == told
    assert key.get("/api/applications").json()["applications"][0] == told

    again = key.put(path, {"webhookUrl": "http://127.0.0.1:8099/other"}).json()
    assert (again["webhookUrl"], again["expirationHours"]) == ("http://127.0.0.1:8099/other", 48)
    assert Endpoint.objects.get().pk == endpoint.pk
    assert key.put(path, {"webhookUrl": None}).json()["webhookUrl"] is None
    assert not Endpoint.objects.get().enabled
    assert (
        key.put(path, {"webhookUrl": "http://127.0.0.1:8099/back"}).json()["webhookUrl"] == "http://127.0.0.1:8099/back"
    )


@pytest.mark.parametrize(
    "body, field",
    [
        ({"webhookUrl": "ftp://x"}, "webhookUrl"),
        ({"webhookUrl": "http://169.254.169.254/"}, "webhookUrl"),
        ({"webhookToken": "two words"}, "webhookToken"),
        ({"signing": "never"}, "signing"),
        ({"expirationHours": 0}, "expirationHours"),
        ({"platformFeePercentage": 76}, "platformFeePercentage"),
        ({"platformFeePercentage": 1.234}, "platformFeePercentage"),
    ],
)
def test_what_an_application_cannot_be_is_refused_whole(app, body, field):
    answer = api(app.operator).put(f"/api/applications/{app.id}", {"expirationHours": 7} | body)
    assert answer.status_code == 400
    assert field in answer.json()["error"]["details"]["fields"]
    assert Application.objects.get().expiration_hours == 24
    assert not Endpoint.objects.exists()


def test_applications_belong_to_their_operator(app):
    stranger = api(OperatorFactory())
    for app_id in (app.id, "0", "x", "9" * 30):
        assert stranger.put(f"/api/applications/{app_id}", {"expirationHours": 5}).status_code == 404
    assert api(app.operator, ["settings.read"]).put(f"/api/applications/{app.id}", {}).status_code == 403
    assert stranger.get("/api/applications").json() == {"applications": []}


def test_a_payment_is_signed_or_refused_for_a_player(app):
    tournament = app.tournament()
    app.join(tournament, "racera", "racerb")
    key, here = api(app.operator), f"/rumble-tournaments/{tournament}/participants"
    (asked,) = key.get("/api/players/racera/payments").json()["payments"]
    assert (asked["upx"], asked["appId"], asked["tournamentId"]) == (100, app.id, tournament)
    path = f"/api/players/racera/payments/{asked['transactionId']}"
    assert key.post(f"/api/players/racerb/payments/{asked['transactionId']}/sign").status_code == 404
    signed = key.post(f"{path}/sign")
    assert (signed.status_code, signed.json()["status"]) == (200, "signed")
    assert app.get(f"{here}/{app.user('racera')}").json()["status"] == "PROCESSING_PAYMENT"
    assert key.post(f"{path}/reject").status_code == 409
    settle()
    assert app.get(f"{here}/{app.user('racera')}").json()["status"] == "ACTIVE"

    (other,) = key.get(f"/api/players/{app.user('racerb')}/payments").json()["payments"]
    refused = key.post(f"/api/players/racerb/payments/{other['transactionId']}/reject")
    assert (refused.status_code, refused.json()["status"]) == (200, "rejected")
    assert app.get(f"{here}/{app.user('racerb')}").json()["status"] == "REMOVED"
    assert key.post("/api/players/racerb/payments/nothing/sign").status_code == 404
    assert world.wallets(app.operator)["racerb"] == world.RICH


def test_a_player_is_found_by_their_uuid(app):
    app.connect("racera")
    found = api(app.operator).get(f"/api/players/{app.user('racera')}/connections").json()["connections"]
    assert [(one["appId"], one["userId"]) for one in found] == [(app.id, app.user("racera"))]
    assert api(OperatorFactory()).get(f"/api/players/{app.user('racera')}").status_code == 404


def test_a_sign_in_link_is_made_for_one_use(app):
    world.player(app.row, "racera")
    made = api(app.operator).post("/api/players/racera/signin-link")
    assert made.status_code == 201
    token = made.json()["url"].rpartition("/play/enter/")[2]
    session = browsers.enter_by_link(token, at=clock.now())
    player = browsers.player_behind(session.token, at=clock.now())
    assert player.external_id == "racera"
    with pytest.raises(browsers.LinkSpent):
        browsers.enter_by_link(token, at=clock.now())
    assert token not in str(list(PlaySession.objects.values()))
    assert api(app.operator, ["players.read"]).post("/api/players/racera/signin-link").status_code == 403


def test_the_chain_is_made_to_wait_and_to_fail(app):
    key = internal_api(app.operator)
    body = {"finalitySeconds": 60, "hold": True}
    told = key.put("/api/chain", body)
    assert (told.status_code, told.json()["hold"], told.json()["finalitySeconds"]) == (200, True, 60)
    tournament = app.tournament()
    app.join(tournament, "racera")
    (asked,) = api(app.operator).get("/api/players/racera/payments").json()["payments"]
    api(app.operator).post(f"/api/players/racera/payments/{asked['transactionId']}/sign")
    here = f"/rumble-tournaments/{tournament}/participants/{app.user('racera')}"
    settle(600)
    assert app.get(here).json()["status"] == "PROCESSING_PAYMENT"
    key.put("/api/chain", {"hold": False, "failNext": 1, "finalitySeconds": 0})
    settle(1200)
    assert app.get(here).json()["status"] in {"ACTIVE", "REMOVED"}
    assert api(app.operator).put("/api/chain", {"hold": True}).status_code == 401
    assert key.put("/api/chain", {"failNext": -1}).status_code == 400


def test_there_is_no_chain_to_control_where_it_is_not_simulated(app, settings):
    settings.CHAIN = ""
    assert internal_api(app.operator).put("/api/chain", {"hold": True}).status_code == 403
    assert not Fact.objects.filter(type="chain.controlled").exists()
