"""What finance does with payouts that an operator has to confirm, and with buy-ins that nobody knows about."""

import os
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from apps.core import clock
from apps.ledger.models import Payout
from apps.operators.models import Role
from apps.tournaments.models import BuyIn, EntryMode
from apps.tournaments.services import buyins, running
from tests.factories import OperatorFactory, staff
from tests.journeys.test_admin import sidebar, sign_in
from tests.receivers import Receiver, Reply
from tests.tournaments import world
from tests.tournaments.operator_rail import cash, paid_by_api, remit, spins, table, with_spins

pytestmark = pytest.mark.django_db(transaction=True)


def look(page: Page, name: str) -> None:
    """Keep a picture where somebody wants to see it."""
    if folder := os.environ.get("PODIUM_PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_finance_approves_payouts_sees_one_refused_and_retries_it(page, redis):
    operator = OperatorFactory(name="Nordspin")
    with_spins(operator)
    answers = {2: Reply(422, body=b'{"error": "player is closed"}')}
    with Receiver(lambda _, n: answers.get(n, Reply(200, body=b'{"transactionId": "tx-9"}'))) as receiver:
        prizes = table((1, 1, [cash(500), spins()]), (2, 3, [cash(120)]))
        wishes = paid_by_api(receiver.url, prizes=prizes, needs_approval=True, entry_fee=Decimal(0))
        tournament = world.played(operator=operator, name="March Sprint", **wishes)
        sign_in(page, staff(operator, Role.OWNER))
        sidebar(page, "Tournaments")
        page.get_by_role("link", name="March Sprint").click()

        page.get_by_role("link", name="Complete").click()
        dry_run = page.locator("#dry-run")
        expect(dry_run).to_contain_text("40 free rounds of ACME_LUCKY_FOX")
        expect(dry_run).to_contain_text("The operator's payout API")
        look(page, "dry-run")
        page.get_by_label("Reason").fill("played to its end")
        page.get_by_role("button", name="Complete").click()
        expect(page.locator("#board")).to_contain_text("Waiting for approval")

        page.get_by_role("link", name="Approve payouts").click()
        look(page, "approve")
        page.get_by_role("button", name="Approve payouts").click()
        remit(operator, at=clock.now())
        page.reload()
        board = page.locator("#board")
        expect(board).to_contain_text("Error, needs a person")
        look(page, "board")

        board.get_by_role("link", name="Error, needs a person").click()
        expect(page.get_by_text("player is closed").first).to_be_visible()
        expect(page.get_by_text("payoutRef").first).to_be_visible()
        look(page, "payout")
        page.get_by_role("link", name="Retry", exact=True).click()
        page.get_by_label("Reason").fill("the operator has opened the player again")
        page.get_by_role("button", name="Retry").click()
        expect(page.get_by_text("Back in the queue.")).to_be_visible()
        remit(operator, at=clock.now())
        page.reload()
        expect(page.get_by_text("tx-9").first).to_be_visible()
        look(page, "payout-paid")
        assert len({got.json["payoutRef"] for got in receiver.got}) == 4
        assert len(receiver.got) == 5
    sidebar(page, "Calls to operators")
    look(page, "calls")
    world.pay(tournament)
    assert set(Payout.objects.values_list("status", flat=True)) == {"PAID"}
    assert (world.state(tournament), world.escrow(tournament)) == ("CLOSED", 0)


def test_support_invites_by_file_and_finance_decides_a_buy_in_that_nobody_knows(page, redis, tmp_path):
    operator = OperatorFactory(name="Solplay")
    invited = world.make(operator=operator, name="VIP Night", entry_mode=EntryMode.INVITED)
    bought = world.make(
        operator=operator, name="Buy-in Cup", entry_mode=EntryMode.BUY_IN, debit_url="http://127.0.0.1:9/"
    )
    asked = buyins.ask(
        bought.pk, user_id="p-77", display_name="Mara", buy_in=None, payment_id="", brand_id=None, currency=None,
        actor=world.STAFF, at=world.AT,
    )  # fmt: skip
    asked.give_up(error="No whole answer within 10 seconds.")
    asked.save()
    people = tmp_path / "vips.csv"
    people.write_text(f"brandId,playerId\n{operator.slug},p-1\n{operator.slug},p-2\n")

    sign_in(page, staff(operator, Role.OWNER))
    look(page, "overview")
    expect(page.get_by_text("Buy-ins whose outcome nobody knows")).to_be_visible()
    page.goto(f"/admin/tournaments/tournament/{invited.pk}/change/")
    page.get_by_role("link", name="Invite players").click()
    page.get_by_label("CSV file").set_input_files(people)
    look(page, "invite")
    page.get_by_role("button", name="Invite players").click()
    expect(page.get_by_text("2 players are new on the list.")).to_be_visible()

    sidebar(page, "Buy-ins")
    look(page, "buy-ins")
    page.goto(f"/admin/tournaments/buyin/{asked.pk}/change/")
    look(page, "buy-in")
    page.get_by_role("link", name="Was paid: let in").click()
    page.get_by_label("Reason").fill("seen in the operator's log")
    page.get_by_role("button", name="Was paid: let in").click()
    expect(page.get_by_text("Decided as paid.")).to_be_visible()
    assert BuyIn.objects.get().status == "JOINED"
    assert (bought.entries.count(), invited.invitations.count()) == (1, 2)
    running.cancel(bought.pk, reason="test", actor=world.STAFF, at=world.AT)
