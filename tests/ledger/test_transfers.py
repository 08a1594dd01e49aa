"""Deposits and withdrawals where they are easy to get wrong: references, repeats, retries, tenants."""

import pytest

from apps.events.models import Fact
from apps.ledger.models import Asset, Journal, Transfer
from apps.ledger.services import accounts, transfers
from apps.ledger.services.journals import InsufficientFunds
from tests.factories import OperatorFactory, PlayerFactory, api
from tests.ledger.factories import AT, TESTER
from tests.racing import race

pytestmark = pytest.mark.django_db
WHO = {"actor": TESTER, "at": AT}


def deposit(player, amount="5.00", reference="r", asset="USD"):
    return transfers.deposit(player.pk, asset_code=asset, amount=amount, reference=reference, **WHO)


def withdraw(player, amount="5.00", reference="r", asset="USD"):
    return transfers.withdraw(player.pk, asset_code=asset, amount=amount, reference=reference, **WHO)


def has(player, asset="USD"):
    return accounts.total_of_player(player.pk, Asset.objects.get(operator=player.operator, code=asset))


def test_a_deposit_comes_from_clearing_and_is_told():
    player = PlayerFactory()
    moved = deposit(player, "125.50", "bank-1")
    clearing = accounts.clearing(moved.transfer.asset)
    assert (has(player), accounts.balance(clearing.pk)) == (12550, -12550)
    journal = moved.transfer.journal
    assert (journal.key, journal.kind, journal.subject) == (
        "transfer:bank-1",
        "wallet.deposit",
        f"player:{player.pk}",
    )
    fact = Fact.objects.get()
    assert (fact.type, fact.subject, fact.actor) == ("wallet.deposited", f"player:{player.pk}", "staff:tester")
    assert fact.data == {
        "userId": player.external_id,
        "asset": "USD",
        "amount": "125.50",
        "balance": "125.50",
        "reference": "bank-1",
    }


@pytest.mark.parametrize("other", ["amount", "player", "direction", "asset"])
def test_a_reference_is_one_transfer(other):
    player = PlayerFactory()
    deposit(player)
    before = Journal.objects.count(), Fact.objects.count()
    another = PlayerFactory(operator=player.operator)
    again = {
        "amount": lambda: deposit(player, "5.01"),
        "player": lambda: deposit(another),
        "direction": lambda: withdraw(player),
        "asset": lambda: deposit(player, asset="EUR"),
    }[other]
    with pytest.raises(transfers.ReferenceReused):
        again()
    assert (Journal.objects.count(), Fact.objects.count()) == before
    assert (has(player), has(player, "EUR"), has(another)) == (500, 0, 0)


def test_two_operators_may_use_the_same_reference():
    one, other = PlayerFactory(), PlayerFactory()
    assert (deposit(one).new, deposit(other).new) == (True, True)
    assert (has(one), has(other)) == (500, 500)


def test_a_repeat_gets_the_first_balance_even_after_more_has_moved():
    player = PlayerFactory()
    first = deposit(player)
    deposit(player, "7.00", "later")
    again = deposit(player, 5)
    assert (again.new, again.transfer.pk, again.transfer.balance_after) == (False, first.transfer.pk, 500)
    assert has(player) == 1200


def test_a_refused_withdrawal_may_be_tried_again_under_its_reference():
    player = PlayerFactory()
    with pytest.raises(InsufficientFunds):
        withdraw(player, reference="w")
    assert not Transfer.objects.exists()
    assert not Fact.objects.exists()
    deposit(player)
    assert withdraw(player, reference="w").new is True
    assert withdraw(player, reference="w").new is False
    assert has(player) == 0


def test_of_an_asset_that_is_switched_off_a_player_can_only_take_out():
    player = PlayerFactory()
    deposit(player)
    Asset.objects.update(enabled=False)
    with pytest.raises(transfers.UnknownAsset):
        deposit(player, reference="more")
    assert deposit(player).new is False
    assert withdraw(player, reference="out").new is True
    assert has(player) == 0


@pytest.mark.parametrize(
    ("amount", "units"),
    [(5, 500), (5.25, 525), ("5.2500", 525), ("0.01", 1), (1e3, 100_000), ("12345678901234", 1234567890123400)],
)
def test_amounts_come_as_numbers_or_text(amount, units):
    player = PlayerFactory()
    body = {"asset": "USD", "amount": amount, "reference": "r"}
    answer = api(player.operator).post(f"/api/players/{player.external_id}/deposits", body)
    assert answer.status_code == 201
    assert has(player) == units


@pytest.mark.parametrize("mount", ["/api", "/api/api"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_every_mount_answers_with_and_without_a_slash(mount, slash):
    player = PlayerFactory()
    client, base = api(player.operator), f"{mount}/players/{player.external_id}"
    body = {"asset": "USD", "amount": "1", "reference": "d"}
    assert client.post(f"{base}/deposits{slash}", body).status_code == 201
    assert client.post(f"{base}/withdrawals{slash}", body | {"reference": "w"}).json()["balance"] == "0.00"
    assert client.get(f"{base}/wallets{slash}").status_code == 200
    assert [p["amount"] for p in client.get(f"{base}/ledger{slash}").json()["postings"]] == ["-1.00", "1.00"]


def test_a_player_nobody_knows_and_a_player_of_another_operator_are_the_same_404():
    player, stranger = PlayerFactory(), OperatorFactory()
    client = api(stranger)
    body = {"asset": "USD", "amount": "1", "reference": "r"}
    for user_id in (player.external_id, "nobody"):
        for path, method in (("wallets", "get"), ("ledger", "get"), ("deposits", "post"), ("withdrawals", "post")):
            answer = getattr(client, method)(f"/api/players/{user_id}/{path}", *([body] if method == "post" else []))
            assert answer.status_code == 404, (user_id, path)
    assert not Journal.objects.exists()


def test_the_statement_shows_no_posting_of_anybody_else():
    player = PlayerFactory()
    deposit(player)
    deposit(PlayerFactory(operator=player.operator), reference="other")
    found = api(player.operator).get(f"/api/players/{player.external_id}/ledger").json()
    assert [(p["amount"], p["account"], p["kind"]) for p in found["postings"]] == [("5.00", "wallet", "wallet.deposit")]
    assert found["nextCursor"] is None


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "cursor=0", "cursor=-1", "cursor=" + "9" * 30])
def test_a_page_of_the_statement_has_its_bounds(query):
    player = PlayerFactory()
    assert api(player.operator).get(f"/api/players/{player.external_id}/ledger?{query}").status_code == 400


@pytest.mark.django_db(transaction=True)
def test_of_one_reference_with_two_amounts_at_once_one_wins_whole():
    player = PlayerFactory()
    outcomes = race(*[lambda: deposit(player, "5"), lambda: deposit(player, "7")] * 4)
    winners = {int(outcome.transfer.units) for outcome in outcomes if isinstance(outcome, transfers.Moved)}
    assert winners in ({500}, {700})
    assert sum(isinstance(outcome, transfers.ReferenceReused) for outcome in outcomes) == 4
    assert {has(player)} == winners
    assert Fact.objects.count() == 1
