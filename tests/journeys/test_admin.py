"""What a person does in the admin, from the login page on."""

import re
from decimal import Decimal

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from apps.core.actors import SYSTEM
from apps.jobs import services as jobs
from apps.ledger.models import Payout
from apps.operators.models import Role, User
from apps.tournaments.models import Entry, Tournament
from apps.tournaments.services import running
from tests.factories import OperatorFactory, staff
from tests.tournaments import world

pytestmark = pytest.mark.django_db(transaction=True)

PLAYERS = ["ann", "bob", "cid", "dan", "eve", "fay"]


@pytest.fixture
def operator(redis):
    return OperatorFactory(name="Acme Casino")


@pytest.fixture
def tournament(operator) -> Tournament:
    """A running tournament of six players who paid ten dollars each."""
    return world.played(
        operator=operator, name="Friday Sprint", points={name: 100 - place for place, name in enumerate(PLAYERS)}
    )


def sign_in(page: Page, user: User) -> None:
    page.goto("/admin/")
    page.get_by_label("E-mail address").fill(user.email)
    page.get_by_label("Password").fill("podium-password")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def sidebar(page: Page, name: str) -> None:
    page.locator("nav a", has_text=re.compile(rf"{name}\s*$")).click()


def test_a_newcomer_cancels_a_tournament_and_sees_every_refund(page, operator, tournament):
    sign_in(page, staff(operator, Role.MANAGER))
    sidebar(page, "Tournaments")
    page.get_by_role("link", name="Friday Sprint").click()
    expect(page.locator("#board")).to_contain_text("Ann")
    expect(page.locator("#money")).to_contain_text("60.00 USD")

    page.get_by_role("link", name="Cancel and refund").click()
    dry_run = page.locator("#dry-run")
    expect(dry_run).to_contain_text("Nothing has happened yet.")
    expect(dry_run).to_contain_text("60.00 USD")
    for name in PLAYERS:
        expect(dry_run.get_by_role("row", name=name.title())).to_contain_text("10.00 USD")
    assert world.state(tournament) == "RUNNING"

    page.get_by_role("button", name="Cancel and refund").click()
    expect(page.get_by_text("This field is required.")).to_be_visible()
    assert world.state(tournament) == "RUNNING"
    page.get_by_label("Reason").fill("The venue is closed.")
    page.get_by_role("button", name="Cancel and refund").click()
    expect(page.get_by_text("The refunds are on their way")).to_be_visible()
    expect(page.locator("#jobs")).to_contain_text("0 of 6")

    world.pay(tournament, at=timezone.now())
    expect(page.locator("#story")).to_contain_text("everyone has their money back")
    expect(page.locator("#story")).to_contain_text("The venue is closed.")
    page.locator("#payouts").get_by_role("link", name="6", exact=True).click()
    rows = page.locator("#result_list tbody tr")
    expect(rows).to_have_count(len(PLAYERS))
    for name in PLAYERS:
        row = rows.filter(has_text=name.title())
        expect(row).to_contain_text("10.00 USD")
        expect(row).to_contain_text("Paid")
    assert world.escrow(tournament) == 0


def test_finance_approves_the_payouts_after_a_look_at_them(page, operator):
    high_roller = world.played(operator=operator, name="High Roller", needs_approval=True, entry_fee=Decimal(250))
    running.complete(high_roller.pk, actor=world.STAFF, at=world.START)
    sign_in(page, staff(operator, Role.FINANCE))
    panel = page.locator(".pd-panel", has_text="Payouts that need somebody")
    expect(panel).to_contain_text("Waiting for approval")
    panel.get_by_role("link", name="3", exact=True).click()
    page.locator("#result_list").get_by_role("link", name=re.compile("^tournament")).first.click()

    page.get_by_role("link", name="Approve payouts").click()
    for amount in ("375.00 USD", "225.00 USD", "150.00 USD", "750.00 USD"):
        expect(page.locator("#dry-run")).to_contain_text(amount)
    page.get_by_role("button", name="Approve payouts").click()
    expect(page.get_by_text("3 payouts approved. Their bar is below.")).to_be_visible()
    assert {payout.status for payout in Payout.objects.all()} == {"PROCESSING"}

    world.pay(high_roller, at=timezone.now())
    expect(page.locator("#story")).to_contain_text("everyone is paid")
    assert world.state(high_roller) == "CLOSED"


def test_a_bar_moves_by_itself_and_stops_when_its_job_has_ended(page, operator):
    jobs.ask(
        operator_id=operator.pk, kind="test", key="count", subject="", title="Count", total=40, actor=SYSTEM,
        at=timezone.now(),
    )  # fmt: skip
    sign_in(page, staff(operator, Role.AUDITOR))
    sidebar(page, "Jobs")
    page.get_by_role("link", name="Count", exact=True).click()
    bar = page.get_by_role("progressbar")
    expect(page.get_by_text("0 of 40")).to_be_visible()
    for done, percent in ((10, "25"), (30, "75")):
        jobs.report(operator.pk, "count", done=done, total=40, at=timezone.now())
        expect(bar).to_have_attribute("aria-valuenow", percent)
        expect(page.get_by_text(f"{done} of 40")).to_be_visible()
    jobs.report(operator.pk, "count", done=40, total=40, at=timezone.now(), finished=True)
    expect(bar).to_have_attribute("aria-valuenow", "100")
    expect(page.get_by_text("Succeeded")).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda sent: asked.append(sent.url))
    page.wait_for_load_state("networkidle")
    assert [url for url in asked if "progress" in url] == []


def test_a_double_click_rebuys_once(page, operator):
    lobby = world.make(operator, name="Lobby", rebuy_enabled=True, rebuy_fee=Decimal(5))
    entry = world.enter(lobby, "ann")[0]
    sign_in(page, staff(operator, Role.SUPPORT))
    page.goto(f"/admin/tournaments/entry/{entry.pk}/do/rebuy/")
    page.get_by_label("Reason").fill("Paid at the desk.")
    page.get_by_role("button", name="Rebuy").dblclick()
    expect(page.locator("body")).to_contain_text(re.compile("Bought in|it was done once"))
    entry = Entry.objects.get()
    assert (entry.entry_count, int(entry.paid_units)) == (2, 1500)


def test_a_draft_is_made_published_and_found_by_a_word_of_its_name(page, operator):
    sign_in(page, staff(operator, Role.MANAGER))
    sidebar(page, "Tournaments")
    page.goto("/admin/tournaments/tournament/add/")
    page.get_by_label("Name", exact=True).fill("Golden Spring Cup")
    page.get_by_label("Game", exact=True).select_option("crash-classic")
    page.get_by_label("Starts at").fill("2031-06-01T18:30")
    page.get_by_label("Entry fee").fill("12.50")
    page.get_by_role("button", name="Create draft").click()
    expect(page.get_by_text("The draft is there.")).to_be_visible()
    page.get_by_role("link", name="Publish", exact=True).click()
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Published.", exact=True)).to_be_visible()
    sidebar(page, "Tournaments")
    page.locator("#searchbar").fill("spri")
    page.keyboard.press("Enter")
    expect(page.locator("#result_list")).to_contain_text("Golden Spring Cup")
    expect(page.locator("#result_list")).to_contain_text("12.50 USD")


@pytest.mark.parametrize("width", [800, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_the_window(page, operator, tournament, width, scheme):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    sign_in(page, staff(operator, Role.OWNER))
    subject = f"/admin/tournaments/tournament/{tournament.pk}"
    for address in (
        "/admin/", "/admin/tournaments/tournament/", f"{subject}/change/", f"{subject}/do/cancel/",
        "/admin/tournaments/tournament/add/", "/admin/ledger/journal/", "/admin/operators/credential/add/",
    ):  # fmt: skip
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
