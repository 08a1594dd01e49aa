"""The rules that hold whatever Python does: every test here writes to the tables directly."""

import random
from functools import partial

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.db.models import Sum

from apps.ledger.models import Account, Balance, Journal, Posting
from apps.ledger.services import accounts
from apps.ledger.services.journals import InsufficientFunds, NewJournal, post, violated
from apps.operators.models import Player
from tests.ledger.factories import AT, TESTER, a_wallet, an_asset, an_operator
from tests.racing import race

pytestmark = pytest.mark.django_db


def a_journal(operator, key="k", legs=2):
    return Journal.objects.create(operator=operator, kind="TEST", key=key, legs=legs, occurred_at=AT, actor=str(TESTER))


def write(journal, *legs, first=0):
    """Insert postings in one statement."""
    with transaction.atomic():
        Posting.objects.bulk_create(
            Posting(
                journal_id=journal if isinstance(journal, int) else journal.pk, leg=leg, account_id=account, units=u
            )
            for leg, (account, u) in enumerate(legs, start=first)
        )


def refused(journal, *legs, **more):
    """Insert postings that must be refused; return the name of the rule that said no."""
    before = list(Balance.objects.order_by("account_id", "slot").values_list("account_id", "slot", "units"))
    postings = Posting.objects.count()
    with pytest.raises(IntegrityError) as refusal:
        write(journal, *legs, **more)
    assert list(Balance.objects.order_by("account_id", "slot").values_list("account_id", "slot", "units")) == before
    assert Posting.objects.count() == postings
    return violated(refusal.value)


@pytest.fixture
def clearing(usd):
    return accounts.clearing(usd).pk


@pytest.fixture
def wallet(operator, usd):
    return a_wallet(operator, usd).pk


def test_postings_move_balances(operator, clearing, wallet):
    write(a_journal(operator), (clearing, -5), (wallet, 5))
    assert (accounts.balance(clearing), accounts.balance(wallet)) == (-5, 5)


@pytest.mark.parametrize("units", [4, 6, -5, 10**37])
def test_a_journal_that_does_not_balance_is_refused(operator, clearing, wallet, units):
    assert refused(a_journal(operator), (clearing, -5), (wallet, units)) == "ledger_journal_balances"


def test_a_journal_must_balance_in_each_asset_and_not_just_in_sum(operator, usd, clearing):
    euro = an_asset(operator, "EUR")
    mixed = [(clearing, -5), (accounts.clearing(euro).pk, 5)]
    assert refused(a_journal(operator), *mixed) == "ledger_journal_balances"
    whole = [*mixed, (accounts.revenue(usd).pk, 5), (accounts.revenue(euro).pk, -5)]
    write(a_journal(operator, "exchange", legs=4), *whole)
    assert accounts.balance(accounts.revenue(euro).pk) == -5


def test_journals_must_balance_one_by_one_and_not_just_together(operator, clearing, wallet):
    one, other = a_journal(operator, "one"), a_journal(operator, "other")
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        Posting.objects.bulk_create(
            [
                Posting(journal=one, leg=0, account_id=clearing, units=-5),
                Posting(journal=one, leg=1, account_id=wallet, units=6),
                Posting(journal=other, leg=0, account_id=clearing, units=-5),
                Posting(journal=other, leg=1, account_id=wallet, units=4),
            ]
        )
    assert violated(refusal.value) == "ledger_journal_balances"
    assert not Posting.objects.exists()


def test_no_money_crosses_from_one_operator_to_another(operator, clearing):
    stranger = an_operator()
    theirs = a_wallet(stranger, an_asset(stranger)).pk
    assert refused(a_journal(operator), (clearing, -5), (theirs, 5)) == "ledger_posting_names_its_own"
    assert refused(a_journal(stranger), (clearing, -5), (theirs, 5)) == "ledger_posting_names_its_own"


def test_an_account_or_journal_that_does_not_exist_is_refused(operator, clearing, wallet):
    assert refused(a_journal(operator), (clearing, -5), (10**12, 5)) == "ledger_posting_names_its_own"
    assert refused(10**12, (clearing, -5), (wallet, 5)) == "ledger_posting_names_its_own"


def test_a_posting_of_nothing_is_refused(operator, clearing, wallet):
    assert refused(a_journal(operator, legs=3), (clearing, -5), (wallet, 5), (wallet, 0)) == "ledger_posting_nonzero"


def test_a_journal_in_two_statements_is_refused(operator, clearing, wallet):
    journal = a_journal(operator)
    assert refused(journal, (clearing, -5)) == "ledger_journal_balances"
    four = a_journal(operator, "four", legs=4)
    assert refused(four, (clearing, -5), (wallet, 5)) == "ledger_journal_whole"


@pytest.mark.parametrize("first", [0, 1, 2, 30])
def test_nothing_is_added_to_a_journal_later(operator, clearing, wallet, first):
    journal = a_journal(operator)
    write(journal, (clearing, -5), (wallet, 5))
    assert refused(journal, (clearing, -1), (wallet, 1), first=first) in {"ledger_leg_once", "ledger_journal_whole"}
    assert refused(journal, (clearing, -1), first=first) in {"ledger_leg_once", "ledger_journal_balances"}


def test_a_journal_has_at_least_two_legs(operator):
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        a_journal(operator, legs=1)
    assert violated(refusal.value) == "ledger_journal_has_legs"


def test_an_overdraft_is_refused_for_wallets_holds_and_escrows(operator, usd, clearing, wallet):
    escrow = accounts.open_escrow("room:1", usd, hot=False).pk
    hot = accounts.open_escrow("room:2", usd, hot=True).pk
    for number, account in enumerate((wallet, escrow, hot)):
        journal = a_journal(operator, f"k{number}")
        assert refused(journal, (account, -1), (clearing, 1)) == "ledger_balance_not_negative"


def test_an_account_may_pass_through_what_one_statement_gives_and_takes(operator, clearing, wallet):
    one, other = a_journal(operator, "one"), a_journal(operator, "other")
    Posting.objects.bulk_create(
        [
            Posting(journal=one, leg=0, account_id=wallet, units=-5),
            Posting(journal=one, leg=1, account_id=clearing, units=5),
            Posting(journal=other, leg=0, account_id=clearing, units=-7),
            Posting(journal=other, leg=1, account_id=wallet, units=7),
        ]
    )
    assert accounts.balance(wallet) == 2


def test_journals_postings_and_accounts_are_never_rewritten(operator, clearing, wallet):
    write(a_journal(operator), (clearing, -5), (wallet, 5))
    for model, change in ((Journal, {"memo": "x"}), (Posting, {"units": 6}), (Account, {"subject": "player:2"})):
        with pytest.raises(ProgrammingError, match="Cannot update or delete"), transaction.atomic():
            model.objects.update(**change)
        with pytest.raises(ProgrammingError, match="Cannot update or delete"), transaction.atomic():
            model.objects.all()._raw_delete("default")
    assert accounts.balance(wallet) == 5


def test_balances_move_by_postings_only(operator, wallet):
    for change in (
        "UPDATE ledger_balance SET units = units + 1",
        "DELETE FROM ledger_balance",
        "INSERT INTO ledger_balance (account_id, slot, bounded, units) SELECT MAX(id), 7, TRUE, 9 FROM ledger_account",
    ):
        with pytest.raises(ProgrammingError, match="balance"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)
    assert accounts.balance(wallet) == 0


def test_a_players_account_can_not_be_made_unbounded(operator, usd):
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        Account.objects.create(operator=operator, kind="PLAYER", subject="x", asset=usd, bounded=False, slots=1)
    assert violated(refusal.value) == "ledger_players_and_escrows_are_bounded"


def test_the_scale_of_an_asset_never_changes(usd):
    usd.scale = 3
    with pytest.raises(ProgrammingError), transaction.atomic():
        usd.save()


def move(operator, key, legs):
    with transaction.atomic():
        post(NewJournal("TEST", key, legs), operator_id=operator.pk, actor=TESTER, at=AT)


@pytest.mark.django_db(transaction=True)
def test_no_unit_is_lost_when_a_striped_escrow_is_drained_while_eight_credit_it():
    operator = an_operator()
    usd = an_asset(operator)
    escrow, clearing = accounts.open_escrow("t:1", usd, hot=True).pk, accounts.clearing(usd).pk
    drained = []

    def work(number):
        for turn in range(25):
            if number < 8:
                move(operator, f"in:{number}:{turn}", {clearing: -3, escrow: 3})
                continue
            try:
                move(operator, f"out:{number}:{turn}", {escrow: -11, clearing: 11})
                drained.append(11)
            except InsufficientFunds:
                pass

    assert race(*[partial(work, number) for number in range(10)]) == [None] * 10
    assert drained
    assert accounts.balance(escrow) == 8 * 25 * 3 - sum(drained)
    assert accounts.balance(clearing) == -accounts.balance(escrow)
    move(operator, "rest", {escrow: -accounts.balance(escrow), clearing: accounts.balance(escrow)})
    assert list(Balance.objects.filter(account=escrow).values_list("units", flat=True)) == [0] * 16


@pytest.mark.django_db(transaction=True)
def test_sixteen_who_post_to_the_same_accounts_in_any_order_never_deadlock():
    operator = an_operator()
    usd = an_asset(operator)
    wallets = [a_wallet(operator, usd, 10_000).pk for _ in range(4)]
    escrow, clearing = accounts.open_escrow("t:1", usd, hot=True).pk, accounts.clearing(usd).pk
    move(operator, "seed", {clearing: -10_000, escrow: 10_000})
    everyone = [*wallets, escrow, clearing]

    def work(number):
        dice = random.Random(number)
        for turn in range(12):
            giver, *takers = dice.sample(everyone, 4)
            move(operator, f"{number}:{turn}", {giver: -6, takers[0]: 1, takers[1]: 2, takers[2]: 3})

    assert race(*[partial(work, number) for number in range(16)]) == [None] * 16
    assert Balance.objects.aggregate(all=Sum("units"))["all"] == 0
    for account in everyone:
        posted = Posting.objects.filter(account_id=account).aggregate(all=Sum("units"))["all"]
        assert accounts.balance(account) == posted


@pytest.mark.django_db(transaction=True)
def test_eight_who_empty_one_wallet_at_once_empty_it_once():
    operator = an_operator()
    usd = an_asset(operator)
    wallet, clearing = a_wallet(operator, usd, 100).pk, accounts.clearing(usd).pk
    emptied = {wallet: -100, clearing: 100}
    outcomes = race(*[partial(move, operator, f"out:{number}", emptied) for number in range(8)])
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["InsufficientFunds"] * 7 + ["NoneType"]
    assert accounts.balance(wallet) == 0


@pytest.mark.django_db(transaction=True)
def test_the_tables_can_be_emptied_for_the_next_test():
    operator = an_operator()
    usd = an_asset(operator)
    a_wallet(operator, usd, 100)
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE ledger_posting, ledger_journal, ledger_balance, ledger_account CASCADE")
    assert not Balance.objects.exists()


def test_a_batch_before_does_not_slow_the_single_posting_after(operator, usd):
    """The trigger's plans live as long as the connection, so none may read whole tables."""
    clearing = accounts.clearing(usd).pk
    players = Player.objects.bulk_create(
        Player(operator=operator, brand=operator.brands.get(), external_id=f"many-{n}") for n in range(2000)
    )
    wallets = list(accounts.wallets([player.pk for player in players], usd).values())
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE ledger_account")
    write(a_journal(operator, "batch", legs=2001), (clearing, -2000), *((wallet, 1) for wallet in wallets))
    before = _sequential_scans()
    move(operator, "single", {clearing: -1, wallets[0]: 1})
    assert _sequential_scans() == before


def _sequential_scans():
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'ledger_account'")
        return cursor.fetchone()[0]
