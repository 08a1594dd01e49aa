import pytest
from django.db import connection

from apps.ledger.models import Account, AccountKind, Payout
from apps.ledger.reconcile import CHECKS
from apps.ledger.services import accounts, holds, reports, transfers
from tests.ledger.factories import AT, TESTER, a_plan, a_player, a_wallet, an_asset, an_operator, fund, pay

pytestmark = pytest.mark.django_db
WHO = {"actor": TESTER, "at": AT}


def lived_in():
    """An operator whose books have one of everything: deposit, withdrawal, hold, plan with a paid and a failed line."""
    operator = an_operator()
    usd = an_asset(operator)
    player = a_player(operator)
    transfers.deposit(player.pk, asset_code="USD", amount="10", reference="d", **WHO)
    transfers.withdraw(player.pk, asset_code="USD", amount="1", reference="w", **WHO)
    holds.place(player.pk, usd, units=300, key="h", **WHO)
    escrow = accounts.open_escrow(f"tournament:{operator.pk}", usd, hot=True)
    fund(escrow, 50)
    pay(a_plan(escrow, [20, 500, 10]))
    return operator


def drifts(operator):
    return {(drift.check, drift.subject) for check in CHECKS for drift in check(operator.pk)}


def behind_the_triggers(sql):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql)
        cursor.execute("SET LOCAL session_replication_role = origin")
        assert cursor.rowcount != 0


def test_the_trial_balance_says_what_each_kind_of_account_holds_and_sums_to_zero():
    operator = lived_in()
    token = an_asset(operator, "plyr", 18)
    a_wallet(operator, token, 10**24)
    lived_in()  # somebody else's books are somebody else's
    lines = reports.trial_balance(operator.pk)
    assert [(line.asset, line.kind, line.units) for line in lines] == [
        ("USD", "CLEARING", -920),
        ("USD", "ESCROW", 20),
        ("USD", "HELD", 300),
        ("USD", "PLAYER", 600),
        ("plyr", "CLEARING", -(10**24)),
        ("plyr", "PLAYER", 10**24),
    ]
    assert reports.out_of_balance(lines) == {}
    assert "Player wallet" in reports.written(lines, title="Acme")


def test_a_players_wallets_are_what_is_available_and_what_is_held():
    operator = lived_in()
    an_asset(operator, "EUR")
    player = operator.players.get()
    assert [(w.asset, w.available, w.held) for w in reports.wallets(operator.pk, player.pk)] == [
        ("EUR", 0, 0),
        ("USD", 600, 300),
    ]


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        (
            "UPDATE ledger_balance SET units = units + 1 WHERE account_id = {wallet}",
            {("trial balance", "USD"), ("balances", "PLAYER player:{player}")},
        ),
        (
            "DELETE FROM ledger_balance WHERE account_id = {held}",
            {("trial balance", "USD"), ("balances", "HELD player:{player}")},
        ),
        (
            "UPDATE ledger_posting SET units = units * 2 WHERE account_id = {held}",
            {("balances", "HELD player:{player}"), ("journals", "hold:h:placed")},
        ),
        (
            "UPDATE ledger_posting SET account_id = {revenue} WHERE account_id = {held}",
            {("balances", "HELD player:{player}"), ("balances", "REVENUE")},
        ),
        ("UPDATE ledger_journal SET legs = 3 WHERE key = 'hold:h:placed'", {("journals", "hold:h:placed")}),
        ("UPDATE ledger_transfer SET units = 999 WHERE reference = 'd'", {("transfers", "d")}),
        ("UPDATE ledger_transfer SET direction = 'DEPOSIT' WHERE reference = 'w'", {("transfers", "w")}),
        ("UPDATE ledger_hold SET status = 'RELEASED', ended_at = now()", {("holds", "player:{player}")}),
        ("UPDATE ledger_payout SET journal_id = NULL WHERE key = 's:0'", {("payouts", "s:0")}),
        (
            "UPDATE ledger_payout SET status = 'PROCESSING' WHERE key = 's:0'",
            {("queue", "s:0")},
        ),
        ("DELETE FROM ledger_openpayout", {("queue", "s:1")}),
        ("UPDATE ledger_journal SET key = 's:1' WHERE key = 'hold:h:placed'", {("payouts", "s:1")}),
        ("UPDATE ledger_payout SET position = 4 WHERE key = 's:1'", {("plans", "SETTLEMENT tournament:{operator}")}),
        ("UPDATE ledger_settlementplan SET total_units = 1", {("plans", "SETTLEMENT tournament:{operator}")}),
    ],
)
def test_every_lie_in_the_books_is_found_and_named(sql, named):
    operator = lived_in()
    player = operator.players.get()
    known = {
        "wallet": Account.objects.get(kind=AccountKind.PLAYER).pk,
        "held": Account.objects.get(kind=AccountKind.HELD).pk,
        "revenue": accounts.revenue(operator.assets.get()).pk,
    }
    other = lived_in_somewhere_else()
    assert drifts(operator) == set()
    names = {"player": player.pk, "operator": operator.pk}
    behind_the_triggers(sql.format(**known) + _only(operator, sql))
    assert drifts(operator) == {(check, subject.format(**names)) for check, subject in named}
    assert drifts(other) == set()


def lived_in_somewhere_else():
    operator = lived_in()
    assert Payout.objects.for_operator(operator.pk).count() == 3
    return operator


def _only(operator, sql):
    """Narrow a statement that names no account to one operator."""
    if "account_id = " in sql:
        return ""
    table = sql.split()[2 if sql.startswith("DELETE") else 1]
    word = " AND" if "WHERE" in sql else " WHERE"
    if table == "ledger_openpayout":
        return f"{word} plan_id IN (SELECT id FROM ledger_settlementplan WHERE operator_id = {operator.pk})"
    return f"{word} operator_id = {operator.pk}"
