"""What a player does on their own pages, on a phone."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Page, expect

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.operators.services import otp
from apps.rumble.models import Connection
from tests.contracts.rumble.client import App, settle
from tests.factories import OperatorFactory, api
from tests.rumble import world
from tests.workers import eventually

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def app(redis) -> App:
    return App(OperatorFactory(name="Acme Play", slug="acme"), signing="player")


@pytest.fixture
def phone(page) -> Iterator[Page]:
    page.set_viewport_size(PHONE)
    yield page
    # Nothing may be cut off at the side.
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def picture(page: Page, name: str) -> None:
    """Keep a picture where somebody asked for it: JOURNEY_PICTURES=folder."""
    if folder := os.environ.get("JOURNEY_PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def arrive(page: Page, app: App, name: str = "racera") -> None:
    """Come in by a link of the operator's."""
    player = world.player(app.row, name)
    link = api(app.operator).post(f"/api/players/{player.external_id}/signin-link").json()["url"]
    page.goto("/play/enter/" + link.rpartition("/")[2])
    expect(page.get_by_role("heading", name="Hello")).to_be_visible()


def tab(page: Page, name: str) -> None:
    page.get_by_role("navigation").get_by_role("link", name=name).click()


def test_a_player_connects_an_application_and_signs_what_it_asks_for(phone, app):
    arrive(phone, app)
    picture(phone, "1-home")
    expect(phone.get_by_text("No payment is waiting for you.")).to_be_visible()
    phone.get_by_label("Connection code").fill("AAAAAAAAAA")
    phone.get_by_role("button", name="Connect").click()
    expect(phone.get_by_role("alert")).to_contain_text("There is no such connection code.")
    picture(phone, "2-wrong-code")

    code = app.post("/auth/otp/init").json()["code"]
    phone.get_by_label("Connection code").fill(code.lower())
    phone.get_by_role("button", name="Connect").click()
    expect(phone.get_by_role("status")).to_contain_text("Connected.")
    assert Connection.objects.get().player.external_id == "racera"

    # What an application asks for appears by itself.
    tournament = app.tournament(registrationFeeInUpx=120)
    app.tokens["racera"] = token_of(app)
    app.join(tournament, "racera")
    ask = phone.locator(".ask")
    expect(ask).to_contain_text("120 UPX")
    expect(ask).to_contain_text("Drag Races")
    picture(phone, "3-payment")
    ask.get_by_role("button", name="Sign").click()
    expect(phone.get_by_role("status")).to_contain_text("Signed.")
    expect(phone.get_by_text("On its way", exact=True)).to_be_visible()
    picture(phone, "4-signed")
    settle()
    expect(phone.get_by_text("On its way", exact=True)).to_have_count(0)
    expect(phone.locator(".balance")).to_contain_text("880 UPX")


def test_a_player_watches_their_tournament_to_its_end_and_disconnects(phone, app):
    tournament = app.tournament()
    app.join(tournament, *world.names(4))
    sign_for(app, *world.names(4))
    settle()
    arrive(phone, app)
    tab(phone, "Tournaments")
    picture(phone, "5-tournaments")
    phone.get_by_role("link", name="Drag Races").click()
    expect(phone.get_by_text("You are in")).to_be_visible()
    app.patch(f"/rumble-tournaments/{tournament}/start")
    expect(phone.get_by_text("Live")).to_be_visible()
    app.score(tournament, racera=640.5, racerb=812, racerc=3, racerd=1)
    rows = phone.locator(".board tbody tr")
    expect(rows.nth(0)).to_contain_text("812")
    expect(rows.nth(1)).to_contain_text("you")
    expect(rows.nth(1)).to_contain_text("640.5")
    picture(phone, "6-board")
    app.post(f"/rumble-tournaments/{tournament}/resolve")
    settle(60)
    expect(phone.get_by_text("Finished")).to_be_visible()
    picture(phone, "7-finished")

    tab(phone, "Applications")
    picture(phone, "8-applications")
    phone.get_by_role("link", name="Disconnect").click()
    expect(phone.get_by_role("heading", name="Disconnect Drag Races?")).to_be_visible()
    picture(phone, "9-disconnect")
    phone.get_by_role("button", name="Disconnect").click()
    expect(phone.get_by_text("No application is connected.")).to_be_visible()
    assert not Connection.objects.filter(player__external_id="racera", disconnected_at=None).exists()

    phone.get_by_role("button", name="Sign out").click()
    expect(phone.get_by_role("heading", name="Sign in")).to_be_visible()
    phone.goto("/play/")
    expect(phone.get_by_role("heading", name="Sign in")).to_be_visible()


def token_of(app: App) -> str:
    """The token of the connection that was made on the page."""
    from apps.rumble.services import tokens  # noqa: PLC0415 - only here

    return tokens.make(Connection.objects.select_related("application").get(), at=clock.now())


def sign_for(app: App, *names: str) -> None:
    """Have the operator sign for players."""
    key = api(app.operator)
    for name in names:
        for payment in key.get(f"/api/players/{name}/payments").json()["payments"]:
            key.post(f"/api/players/{name}/payments/{payment['transactionId']}/sign")


def test_a_payment_is_refused_and_nothing_is_paid(phone, app):
    tournament = app.tournament()
    app.join(tournament, "racera")
    phone.emulate_media(color_scheme="dark")
    arrive(phone, app)
    picture(phone, "10-dark")
    phone.get_by_role("button", name="Refuse").click()
    expect(phone.get_by_role("status")).to_contain_text("Nothing was paid.")
    expect(phone.locator(".balance")).to_contain_text("1,000 UPX")
    assert app.get(f"/rumble-tournaments/{tournament}/participants").json()["results"][0]["status"] == "REMOVED"


def test_a_player_comes_in_with_their_authenticator(phone, app):
    player = world.player(app.row, "racera")
    secret = otp.enrol(player.pk, actor=SYSTEM, at=clock.now()).secret
    phone.goto("/play/sign-in?operator=acme")
    expect(phone.get_by_label("Operator")).to_have_value("acme")
    phone.get_by_label("Your PLYR[ID]").fill("RacerA")
    phone.get_by_label("Code of your authenticator").fill("000000")
    phone.get_by_role("button", name="Sign in").click()
    expect(phone.get_by_role("alert")).to_contain_text("That name and that code don't belong together.")
    picture(phone, "11-sign-in")
    phone.get_by_label("Code of your authenticator").fill(pyotp.TOTP(secret).now())
    phone.get_by_role("button", name="Sign in").click()
    expect(phone.get_by_role("heading", name="Hello")).to_be_visible()
    (cookie,) = [one for one in phone.context.cookies() if one["name"] == "podium_player"]
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Lax", "/play/")


def test_what_changes_does_so_without_loading_the_page_again(phone, app):
    arrive(phone, app)
    phone.evaluate("window.here = true")
    app.join(app.tournament(), "racera")
    expect(phone.locator(".ask")).to_be_visible()
    assert phone.evaluate("window.here")
    later = clock.now() + timedelta(minutes=11)
    world.chain(later)
    expect(phone.locator(".ask")).to_have_count(0)
    eventually(lambda: "REMOVED" in set(world.seats(app.row.tournaments.get()).values()))
