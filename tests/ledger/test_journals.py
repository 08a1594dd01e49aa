import pgtrigger
import pytest
from django.db import connection, transaction

from apps.ledger.models import Account, Balance, Journal
from apps.ledger.services import accounts
from apps.ledger.services.journals import (
    InsufficientFunds,
    JournalMismatch,
    NewJournal,
    post,
    post_many,
)
from tests.ledger.factories import AT, TESTER, a_player, a_wallet, an_asset, an_operator
from tests.racing import in_parallel

pytestmark = pytest.mark.django_db


def move(operator, key, legs, **more):
    with transaction.atomic():
        return post(NewJournal("TEST", key, legs, **more), operator_id=operator.pk, actor=TESTER, at=AT)


def test_a_journal_moves_what_it_says_and_tells_who_when_and_why(operator, usd):
    wallet, clearing = a_wallet(operator, usd), accounts.clearing(usd)
    journal = move(operator, "deposit:1", {clearing.pk: -1250, wallet.pk: 1250}, subject="player:1", memo="hello")
    journal.refresh_from_db()
    assert (journal.kind, journal.key, journal.subject, journal.memo) == ("TEST", "deposit:1", "player:1", "hello")
    assert (journal.actor, journal.request_id, journal.occurred_at) == ("staff:tester", "req_test", AT)
    assert journal.legs == 2
    assert list(journal.postings.order_by("leg").values_list("leg", "account_id", "units")) == [
        (0, clearing.pk, -1250),
        (1, wallet.pk, 1250),
    ]
    assert accounts.balance(wallet.pk) == 1250
    assert accounts.balance(clearing.pk) == -1250


def test_amounts_beyond_64_bits_arrive_exactly(operator):
    token = an_asset(operator, "plyr", 18)
    wallet, clearing = a_wallet(operator, token), accounts.clearing(token)
    move(operator, "k", {clearing.pk: -(10**36 - 1), wallet.pk: 10**36 - 1})
    assert accounts.balance(wallet.pk) == 10**36 - 1


def test_the_same_key_and_legs_again_return_the_first_journal_and_move_nothing(operator, usd):
    wallet, clearing = a_wallet(operator, usd), accounts.clearing(usd)
    first = move(operator, "k", {clearing.pk: -5, wallet.pk: 5})
    again = move(operator, "k", {wallet.pk: 5, clearing.pk: -5})
    assert again == first
    assert accounts.balance(wallet.pk) == 5
    assert Journal.objects.count() == 1


@pytest.mark.parametrize("units", [4, 6, -5])
def test_the_same_key_with_other_amounts_is_refused(operator, usd, units):
    wallet, clearing = a_wallet(operator, usd, 100), accounts.clearing(usd)
    move(operator, "k", {clearing.pk: -5, wallet.pk: 5})
    with pytest.raises(JournalMismatch):
        move(operator, "k", {clearing.pk: -units, wallet.pk: units})
    assert accounts.balance(wallet.pk) == 105


def test_the_same_key_with_other_accounts_is_refused(operator, usd):
    one, other, clearing = a_wallet(operator, usd), a_wallet(operator, usd), accounts.clearing(usd)
    move(operator, "k", {clearing.pk: -5, one.pk: 5})
    with pytest.raises(JournalMismatch):
        move(operator, "k", {clearing.pk: -5, other.pk: 5})
    assert accounts.balance(other.pk) == 0


def test_two_operators_may_use_the_same_key(operator, usd):
    other = an_operator()
    euro = an_asset(other, "EUR")
    move(operator, "k", {accounts.clearing(usd).pk: -5, accounts.revenue(usd).pk: 5})
    move(other, "k", {accounts.clearing(euro).pk: -5, accounts.revenue(euro).pk: 5})
    assert Journal.objects.filter(key="k").count() == 2


def test_many_journals_go_in_one_statement(operator, usd, django_assert_num_queries):
    clearing = accounts.clearing(usd)
    wallets = [a_wallet(operator, usd) for _ in range(20)]
    journals = [NewJournal("TEST", f"k:{w.pk}", {clearing.pk: -w.pk, w.pk: w.pk}) for w in wallets]
    with transaction.atomic(), django_assert_num_queries(1):
        post_many(journals, operator_id=operator.pk, actor=TESTER, at=AT)
    assert [accounts.balance(w.pk) for w in wallets] == [w.pk for w in wallets]
    assert accounts.balance(clearing.pk) == -sum(w.pk for w in wallets)


def test_of_many_journals_only_the_new_ones_move(operator, usd):
    clearing, wallet = accounts.clearing(usd), a_wallet(operator, usd)
    journals = [NewJournal("TEST", f"k:{n}", {clearing.pk: -1, wallet.pk: 1}) for n in range(3)]
    with transaction.atomic():
        post_many(journals[:2], operator_id=operator.pk, actor=TESTER, at=AT)
        post_many([*journals, journals[0]], operator_id=operator.pk, actor=TESTER, at=AT)
        post_many([], operator_id=operator.pk, actor=TESTER, at=AT)
    assert accounts.balance(wallet.pk) == 3


def test_one_wrong_journal_among_many_stops_all_of_them(operator, usd):
    clearing, wallet = accounts.clearing(usd), a_wallet(operator, usd)
    move(operator, "k:1", {clearing.pk: -1, wallet.pk: 1})
    journals = [NewJournal("TEST", f"k:{n}", {clearing.pk: -2, wallet.pk: 2}) for n in range(3)]
    with pytest.raises(JournalMismatch), transaction.atomic():
        post_many(journals, operator_id=operator.pk, actor=TESTER, at=AT)
    twins = [NewJournal("TEST", "t", {clearing.pk: -n, wallet.pk: n}) for n in (1, 2)]
    with pytest.raises(JournalMismatch), transaction.atomic():
        post_many(twins, operator_id=operator.pk, actor=TESTER, at=AT)
    assert accounts.balance(wallet.pk) == 1
    assert Journal.objects.count() == 1


def test_a_wallet_is_never_overdrawn(operator, usd):
    wallet, clearing = a_wallet(operator, usd, 100), accounts.clearing(usd)
    with pytest.raises(InsufficientFunds) as refusal:
        move(operator, "k", {wallet.pk: -101, clearing.pk: 101})
    assert refusal.value.code == "INSUFFICIENT_BALANCE"
    assert accounts.balance(wallet.pk) == 100
    assert not Journal.objects.filter(key="k").exists()
    move(operator, "k", {wallet.pk: -100, clearing.pk: 100})
    assert accounts.balance(wallet.pk) == 0


def test_clearing_and_revenue_may_be_overdrawn(operator, usd):
    move(operator, "k", {accounts.clearing(usd).pk: -9, accounts.revenue(usd).pk: 9})
    move(operator, "l", {accounts.clearing(usd).pk: 20, accounts.revenue(usd).pk: -20})
    assert accounts.balance(accounts.revenue(usd).pk) == -11


def test_a_striped_escrow_pays_out_what_its_slots_hold_together_and_no_unit_more(operator, usd):
    escrow, clearing = accounts.open_escrow("tournament:1", usd, hot=True), accounts.clearing(usd)
    assert Balance.objects.filter(account=escrow).count() == 16
    move(operator, "in", {clearing.pk: -160, escrow.pk: 160})
    # As sixteen connections would have left it.
    with pgtrigger.ignore("ledger.Balance:balance_moves_by_postings"), connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_balance SET units = 10 WHERE account_id = %s", [escrow.pk])
    with pytest.raises(InsufficientFunds):
        move(operator, "out", {escrow.pk: -161, clearing.pk: 161})
    assert accounts.balance(escrow.pk) == 160
    move(operator, "out", {escrow.pk: -151, clearing.pk: 151})
    assert accounts.balance(escrow.pk) == 9
    move(operator, "rest", {escrow.pk: -9, clearing.pk: 9})
    assert accounts.balance(escrow.pk) == 0


def test_nothing_is_posted_outside_a_transaction(transactional_db):
    operator = an_operator()
    usd = an_asset(operator)
    journal = NewJournal("TEST", "k", {accounts.clearing(usd).pk: -5, accounts.revenue(usd).pk: 5})
    with pytest.raises(RuntimeError):
        post(journal, operator_id=operator.pk, actor=TESTER, at=AT)
    assert not Journal.objects.exists()


def test_a_journal_without_movement_can_not_even_be_made():
    with pytest.raises(ValueError, match="legs"):
        NewJournal("TEST", "k", {})
    with pytest.raises(ValueError, match="legs"):
        NewJournal("TEST", "k", {1: 0, 2: 0})


@pytest.mark.django_db(transaction=True)
def test_eight_who_post_the_same_act_at_once_move_it_once():
    operator = an_operator()
    usd = an_asset(operator)
    wallet, clearing = a_wallet(operator, usd), accounts.clearing(usd)
    outcomes = in_parallel(8, lambda: move(operator, "k", {clearing.pk: -7, wallet.pk: 7}).pk)
    assert len(set(outcomes)) == 1
    assert accounts.balance(wallet.pk) == 7


@pytest.mark.django_db(transaction=True)
def test_eight_who_ask_for_the_same_new_account_get_the_same_one():
    operator = an_operator()
    usd = an_asset(operator)
    player = a_player(operator)
    outcomes = in_parallel(8, lambda: accounts.wallet(player.pk, usd).pk)
    assert len(set(outcomes)) == 1
    outcomes = in_parallel(8, lambda: accounts.open_escrow("tournament:1", usd, hot=True).pk)
    assert len(set(outcomes)) == 1
    assert Account.objects.count() == 2
    assert Balance.objects.count() == 17


def test_wallets_are_found_and_made_in_bulk(operator, usd, django_assert_num_queries):
    players = [a_player(operator) for _ in range(5)]
    first = accounts.wallet(players[2].pk, usd)
    with django_assert_num_queries(4):
        found = accounts.wallets([p.pk for p in players] + [players[0].pk], usd)
    assert set(found) == {p.pk for p in players}
    assert found[players[2].pk] == first.pk
    assert found[players[0].pk] == accounts.wallet(players[0].pk, usd).pk
    assert accounts.wallets([], usd) == {}


def test_another_operators_player_gets_no_wallet(operator, usd):
    stranger = a_player(an_operator())
    with pytest.raises(type(stranger).DoesNotExist):
        accounts.wallet(stranger.pk, usd)
    with pytest.raises(type(stranger).DoesNotExist), transaction.atomic():
        accounts.wallets([stranger.pk, a_player(operator).pk], usd)
    assert not Account.objects.exists()
