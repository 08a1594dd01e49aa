from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from apps.core.actors import Actor
from apps.events.models import Fact
from apps.ledger.models import Journal, Transfer
from apps.ledger.services import accounts, holds, reports, transfers
from apps.ledger.services.assets import get_asset
from apps.ledger.services.journals import InsufficientFunds
from apps.operators.scopes import Scope
from apps.operators.services import players
from apps.operators.services.admission import PlayerBlocked
from tests.factories import OperatorFactory, PlayerFactory, api
from tests.racing import in_parallel

AT = datetime(2026, 3, 1, tzinfo=UTC)
KEY = Actor("key", "test")


def deposit(player, amount, reference="d-1"):
    return transfers.deposit(player.pk, asset_code="USD", amount=amount, reference=reference, actor=KEY, at=AT)


def withdraw(player, amount, reference="w-1"):
    return transfers.withdraw(player.pk, asset_code="USD", amount=amount, reference=reference, actor=KEY, at=AT)


def hold(player, units, key="h-1"):
    asset = get_asset(player.operator_id, "USD")
    return holds.place(player.pk, asset, units=units, key=key, actor=KEY, at=AT)


def usd(player):
    wallet = next(w for w in reports.wallets(player.operator_id, player.pk) if w.asset == "USD")
    return wallet.available, wallet.held


def in_balance(player):
    return reports.out_of_balance(reports.trial_balance(player.operator_id)) == {}


@pytest.mark.django_db
def test_the_contract_s_wallet():
    player = PlayerFactory()
    deposit(player, "125.50")
    hold(player, 1000)
    answer = api(player.operator).get(f"/api/players/{player.external_id}/wallets").json()
    found = {wallet.pop("asset"): wallet for wallet in answer["wallets"]}
    assert found["USD"] == {"balance": "125.50", "held": "10.00", "available": "115.50"}
    assert found["gamr"]["balance"] == "0.000000000000000000"


@pytest.mark.django_db
def test_a_deposit_and_its_repeat_over_http():
    player = PlayerFactory()
    client, path = api(player.operator), f"/api/players/{player.external_id}/deposits"
    body = {"asset": "USD", "amount": "125.50", "reference": "bank-1"}
    first, again = client.post(path, body), client.post("/api" + path + "/", body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["balance"] == "125.50"
    other = client.post(path, body | {"amount": 125.51})
    assert (other.status_code, other.json()["code"]) == (409, "REFERENCE_REUSED")
    assert usd(player) == (12550, 0)
    assert Fact.objects.filter(type="wallet.deposited").count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        {"amount": "0"},
        {"amount": "-1"},
        {"amount": "1.005"},
        {"amount": "1e3"},
        {"amount": "9" * 40},
        {"amount": None},
        {"amount": True},
        {"amount": ["1"]},
        {"asset": "XXX"},
        {"reference": ""},
        {"reference": "r" * 121},
        {"reference": "a\x00b"},
    ],
)
def test_what_is_no_deposit_is_refused_and_moves_nothing(change):
    player = PlayerFactory()
    body = {"asset": "USD", "amount": "1.00", "reference": "r"} | change
    answer = api(player.operator).post(f"/api/players/{player.external_id}/deposits", body)
    assert (answer.status_code, answer.json()["code"] in {"VALIDATION_ERROR", "UNKNOWN_ASSET"}) == (400, True)
    assert not Journal.objects.exists()
    assert not Fact.objects.exists()


@pytest.mark.django_db
def test_a_withdrawal_takes_no_more_than_is_available():
    player = PlayerFactory()
    deposit(player, 20)
    hold(player, 1500)
    client, path = api(player.operator), f"/api/players/{player.external_id}/withdrawals"
    refused = client.post(path, {"asset": "USD", "amount": "5.01", "reference": "w"})
    assert (refused.status_code, refused.json()["code"]) == (409, "INSUFFICIENT_BALANCE")
    assert usd(player) == (500, 1500)
    assert not Transfer.objects.filter(direction="WITHDRAWAL").exists()
    assert client.post(path, {"asset": "USD", "amount": "5.00", "reference": "w"}).json()["balance"] == "15.00"
    assert in_balance(player)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("case", "scopes", "own", "expected"),
    [
        ("without the scope", [Scope.WALLETS_READ], True, 403),
        ("another operator's player", [Scope.WALLETS_WRITE], False, 404),
        ("with the scope", [Scope.WALLETS_WRITE], True, 201),
    ],
)
def test_who_may_deposit(case, scopes, own, expected):
    player = PlayerFactory()
    client = api(player.operator if own else OperatorFactory(), scopes)
    body = {"asset": "USD", "amount": "1", "reference": "r"}
    assert client.post(f"/api/players/{player.external_id}/deposits", body).status_code == expected, case
    assert Journal.objects.exists() is (expected == 201)


@pytest.mark.django_db
def test_the_statement_is_paged_newest_first():
    player = PlayerFactory()
    for number in range(1, 6):
        deposit(player, number, f"d-{number}")
    client, path = api(player.operator), f"/api/players/{player.external_id}/ledger"
    first = client.get(path, {"limit": 3}).json()
    rest = client.get(path, {"limit": 3, "cursor": first["nextCursor"]}).json()
    amounts = [posting["amount"] for posting in first["postings"] + rest["postings"]]
    assert amounts == ["5.00", "4.00", "3.00", "2.00", "1.00"]
    assert rest["nextCursor"] is None
    assert client.get(path, {"cursor": "x"}).status_code == 400


@pytest.mark.django_db
def test_a_hold_ends_once():
    player = PlayerFactory()
    deposit(player, 10)
    placed = hold(player, 400)
    assert hold(player, 400) == placed
    with pytest.raises(holds.HoldDiffers):
        hold(player, 401)
    holds.release(placed.pk, actor=KEY, at=AT)
    with pytest.raises(holds.HoldEnded):
        holds.release(placed.pk, actor=KEY, at=AT)
    assert usd(player) == (1000, 0)
    second = hold(player, 600, "h-2")
    target = accounts.revenue(second.asset)
    holds.capture(second.pk, target_id=target.pk, actor=KEY, at=AT)
    assert usd(player) == (400, 0)
    assert accounts.balance(target.pk) == 600
    assert in_balance(player)


@pytest.mark.django_db
def test_a_blocked_player_keeps_their_money_and_nothing_is_held():
    player = PlayerFactory()
    deposit(player, 10)
    players.self_exclude(player.pk, reason="rest", until=AT + timedelta(days=1), actor=KEY, at=AT)
    with pytest.raises(PlayerBlocked):
        hold(player, 100)
    assert usd(player) == (1000, 0)
    withdraw(player, Decimal(10))
    assert usd(player) == (0, 0)


@pytest.mark.django_db(transaction=True)
def test_the_same_deposit_ten_times_at_once_is_one():
    player = PlayerFactory()
    outcomes = in_parallel(10, lambda: deposit(player, 7))
    assert sorted(moved.new for moved in outcomes) == [False] * 9 + [True]
    assert usd(player) == (700, 0)
    assert Fact.objects.filter(type="wallet.deposited").count() == 1


@pytest.mark.django_db(transaction=True)
def test_ten_withdrawals_of_everything_at_once_are_one():
    player = PlayerFactory()
    deposit(player, 7)
    numbers = iter(range(10))
    outcomes = in_parallel(10, lambda: withdraw(player, 7, f"w-{next(numbers)}"))
    assert sum(isinstance(outcome, InsufficientFunds) for outcome in outcomes) == 9
    assert usd(player) == (0, 0)
    assert in_balance(player)
