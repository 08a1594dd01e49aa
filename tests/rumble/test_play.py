"""The player's pages without a browser: who gets in, what a stranger can do, what is said."""

import pytest
from django.test import Client

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.operators.models import Role
from apps.rumble.models import Connection, PlaySession
from apps.rumble.play.access import COOKIE
from apps.rumble.services import browsers
from tests.contracts.rumble.client import App, settle
from tests.factories import api, staff
from tests.rumble import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def app(redis):
    return App(signing="player")


def browser(app, name="racera", **more):
    client = Client(**more)
    link = browsers.issue_link(world.player(app.row, name).pk, actor=SYSTEM, at=clock.now()).token
    answer = client.get(f"/play/enter/{link}")
    assert (answer.status_code, answer["Location"]) == (303, "/play/")
    return client


def test_a_link_opens_once_and_a_look_at_it_does_not(app):
    token = browsers.issue_link(world.player(app.row, "racera").pk, actor=SYSTEM, at=clock.now()).token
    assert Client().head(f"/play/enter/{token}").status_code == 405
    first, second = Client(), Client()
    assert first.get(f"/play/enter/{token}").status_code == 303
    assert first.cookies[COOKIE]["httponly"]
    assert second.get(f"/play/enter/{token}").status_code == 403
    assert COOKIE not in second.cookies
    assert first.get(f"/play/enter/{token}").status_code == 302  # whoever is in already stays in
    assert PlaySession.objects.count() == 1


PAGES = ["/play/", "/play/tournaments", "/play/tournaments/x", "/play/applications", "/play/applications/1/disconnect"]


@pytest.mark.parametrize("path", PAGES)
def test_strangers_and_staff_are_led_to_the_way_in(app, path):
    client = Client()
    assert client.get(path)["Location"] == "/play/sign-in"
    client.force_login(staff(app.operator, Role.OWNER))
    assert client.get(path)["Location"] == "/play/sign-in"
    client.cookies[COOKIE] = "made-up"
    assert client.get(path)["Location"] == "/play/sign-in"
    assert client.get(path, {"fragment": 1}).status_code == 401


def test_a_session_ends_with_signing_out_and_opens_no_admin(app):
    client = browser(app)
    page = client.get("/play/")
    assert page.status_code == 200
    assert page["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
    assert client.get("/admin/").status_code == 302
    kept = client.cookies[COOKIE].value
    client.post("/play/sign-out")
    client.cookies[COOKIE] = kept
    assert client.get("/play/")["Location"] == "/play/sign-in"


def test_nothing_is_done_without_the_token_of_the_page(app):
    client = browser(app, enforce_csrf_checks=True)
    code = app.post("/auth/otp/init").json()["code"]
    assert client.post("/play/connect", {"code": code}).status_code == 403
    assert not Connection.objects.exists()


def test_a_player_signs_their_own_payments_only(app):
    tournament = app.tournament()
    app.join(tournament, "racera", "racerb")
    (mine,) = api(app.operator).get("/api/players/racera/payments").json()["payments"]
    stranger = browser(app, "racerb").post(f"/play/payments/{mine['transactionId']}/sign")
    assert "Payment not found." in stranger.content.decode()
    assert world.wallets(app.operator)["racera"] == world.RICH
    signed = browser(app, "racera").post(f"/play/payments/{mine['transactionId']}/sign")
    assert signed["Location"] == "/play/?said=signed"
    settle()
    assert world.wallets(app.operator)["racera"] == world.RICH - 100
    again = browser(app, "racera").post(f"/play/payments/{mine['transactionId']}/refuse")
    assert again.status_code == 200
    assert world.wallets(app.operator)["racera"] == world.RICH - 100


def test_another_players_tournament_is_none(app):
    tournament = app.tournament()
    app.join(tournament, "racera")
    assert browser(app, "racera").get(f"/play/tournaments/{tournament}").status_code == 200
    assert browser(app, "racerb").get(f"/play/tournaments/{tournament}").status_code == 404


def test_nothing_that_anybody_wrote_is_taken_for_markup(app):
    name = "<script>alert(1)</script>"
    wild = App(app.operator, name=name, signing="player")
    tournament = wild.tournament(name=name)
    wild.join(tournament, "racera")
    client = browser(wild)
    for path in ("/play/", "/play/tournaments", f"/play/tournaments/{tournament}", "/play/applications"):
        page = client.get(path).content.decode()
        assert "&lt;script&gt;" in page
        assert name not in page
    assert "evil" not in client.get("/play/", {"said": "evil"}).content.decode()


def test_guessing_ends_after_some_tries(app):
    client = Client(REMOTE_ADDR="203.0.113.7")
    said = {"operator": app.operator.slug, "name": "nobody", "code": "123456"}
    answers = [client.post("/play/sign-in", said).status_code for _ in range(22)]
    assert answers[:20] == [200] * 20
    assert answers[-1] == 429
