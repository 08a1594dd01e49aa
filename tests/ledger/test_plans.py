import hashlib
from functools import partial

import pgtrigger
import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

from apps.events.models import Fact
from apps.ledger.lifecycle import PayoutStatus
from apps.ledger.models import Journal, OpenPayout, Payout, PlanKind, Posting, Purpose, Rail, SettlementPlan
from apps.ledger.services import accounts, plans
from apps.ledger.services.journals import NewJournal, post
from tests.ledger.factories import AT, TESTER, a_plan, a_wallet, an_asset, an_operator, fund, pay
from tests.racing import in_parallel, race

pytestmark = pytest.mark.django_db


@pytest.fixture
def escrow(usd):
    return accounts.open_escrow("tournament:1", usd, hot=True)


def test_a_plan_keeps_its_lines_in_order_and_a_digest_that_anyone_can_recompute(operator, usd, escrow):
    fee = accounts.revenue(usd)
    wallet = a_wallet(operator, usd)
    player = int(wallet.subject.removeprefix("player:"))
    lines = [
        plans.Line("t:1:payout:9", Purpose.PRIZE, Rail.WALLET, wallet.pk, 10**30, player, 9, 1),
        plans.Line("t:1:fee:rake", Purpose.FEE, Rail.CLEARING, fee.pk, 70),
    ]
    plan = a_plan(escrow, lines)
    canonical = (
        f"t:1:fee:rake|FEE|CLEARING|{fee.pk}|70|||\n"
        f"t:1:payout:9|PRIZE|WALLET|{wallet.pk}|1000000000000000000000000000000|{player}|9|1\n"
    )
    assert plan.digest == hashlib.sha256(canonical.encode()).hexdigest()
    assert (plan.lines, plan.total_units, plan.frozen_by) == (2, 10**30 + 70, "staff:tester")
    plans.verify(plan)
    first, second = plan.payouts.order_by("pk")
    assert (first.key, first.player_id, first.entry_ref, first.position) == ("t:1:payout:9", player, 9, 1)
    assert (first.units, first.source_id, first.target_id) == (10**30, escrow.pk, wallet.pk)
    assert (second.key, second.player_id, second.status, second.attempts) == ("t:1:fee:rake", None, "PROCESSING", 0)
    assert plans.counts(plan.pk) == dict.fromkeys(PayoutStatus, (0, 0)) | {PayoutStatus.PROCESSING: (2, 10**30 + 70)}


def test_a_second_freeze_returns_the_first_plan_whatever_its_lines(operator, usd, escrow):
    first = a_plan(escrow, [10, 20])
    assert a_plan(escrow, [30]) == first
    assert list(first.payouts.order_by("pk").values_list("units", flat=True)) == [10, 20]
    refund = a_plan(escrow, [5], kind=PlanKind.REFUND)
    assert refund != first


def test_an_empty_plan_stays_empty(operator, usd, escrow):
    plan = a_plan(escrow, [])
    assert a_plan(escrow, [10]) == plan
    assert (plan.lines, plan.total_units, plan.digest) == (0, 0, hashlib.sha256(b"").hexdigest())
    assert pay(plan) == []
    assert not Payout.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_eight_who_freeze_at_once_freeze_once():
    operator = an_operator()
    escrow = accounts.open_escrow("tournament:1", an_asset(operator), hot=True)
    outcomes = in_parallel(8, lambda: a_plan(escrow, [10, 20]).pk)
    assert len(set(outcomes)) == 1
    assert Payout.objects.count() == 2
    assert OpenPayout.objects.count() == 2


def test_lines_that_could_never_be_paid_are_refused_whole(operator, usd, escrow):
    stranger = an_operator()
    theirs = accounts.clearing(an_asset(stranger)).pk
    euros = accounts.clearing(an_asset(operator, "EUR")).pk
    mine = accounts.clearing(usd).pk

    def line(key, target, units):
        return plans.Line(key, Purpose.PRIZE, Rail.CLEARING, target, units)

    good = line("a", mine, 1)
    for bad in (
        line("b", theirs, 1),
        line("b", euros, 1),
        line("b", 10**12, 1),
        line("b", mine, 0),
        line("b", mine, -5),
        line("a", mine, 2),
    ):
        with pytest.raises(ValueError, match="payout"), transaction.atomic():
            a_plan(escrow, [good, bad])
    assert not SettlementPlan.objects.exists()
    assert not Payout.objects.exists()


def test_a_frozen_plan_is_never_rewritten(operator, usd, escrow):
    plan = a_plan(escrow, [10])
    for rows, change in (
        (SettlementPlan.objects.all(), {"digest": "x"}),
        (Payout.objects.all(), {"units": 11}),
        (Payout.objects.all(), {"target": accounts.revenue(usd)}),
        (Payout.objects.all(), {"position": 4}),
        (OpenPayout.objects.all(), {"status": "PAID"}),
    ):
        with pytest.raises(ProgrammingError), transaction.atomic():
            rows.update(**change)
    for rows in (SettlementPlan.objects.all(), Payout.objects.all(), OpenPayout.objects.all()):
        with pytest.raises((ProgrammingError, IntegrityError)), transaction.atomic():
            rows._raw_delete("default")
    plans.verify(plan)


def test_payouts_are_paid_in_order_to_both_rails(operator, usd, escrow):
    fund(escrow, 60)
    wallet = a_wallet(operator, usd)
    player = int(wallet.subject.removeprefix("player:"))
    clearing = accounts.clearing(usd)
    before = accounts.balance(clearing.pk)
    plan = a_plan(
        escrow,
        [
            plans.Line("s:1", Purpose.PRIZE, Rail.WALLET, wallet.pk, 30, player, 7, 1),
            plans.Line("s:2", Purpose.PRIZE, Rail.CLEARING, clearing.pk, 20, player, 8, 2),
            plans.Line("p:3", Purpose.REFUND, Rail.CLEARING, clearing.pk, 10),
        ],
    )
    first, second = pay(plan, limit=2)
    assert first == (first.id, "s:1", "PRIZE", "WALLET", player, 7, 1, 30, wallet.pk, first.journal_id)
    assert second.key == "s:2"
    assert (accounts.balance(wallet.pk), accounts.balance(clearing.pk)) == (30, before + 20)
    assert [row.key for row in pay(plan, limit=2)] == ["p:3"]
    assert pay(plan) == []
    assert accounts.balance(escrow.pk) == 0
    assert plans.counts(plan.pk)[PayoutStatus.PAID] == (3, 60)
    assert not OpenPayout.objects.exists()

    payout = Payout.objects.get(key="s:1")
    assert (payout.status, payout.paid_at, payout.attempts, payout.error) == ("PAID", AT, 1, "")
    journal = payout.journal
    assert (journal.kind, journal.key, journal.subject, journal.legs) == ("payout.prize", "s:1", "tournament:1", 2)
    assert (journal.occurred_at, journal.actor, journal.request_id) == (AT, "staff:tester", "req_test")
    assert list(journal.postings.order_by("leg").values_list("account_id", "units")) == [
        (escrow.pk, -30),
        (wallet.pk, 30),
    ]


def test_paying_rewrites_payouts_in_place_and_touches_no_index_of_theirs(operator, usd, escrow):
    fund(escrow, 50)
    plan = a_plan(escrow, [1] * 50)

    def rewritten():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_xact_user_tables WHERE relname = 'ledger_payout'"
            )
            return cursor.fetchone()

    before = rewritten()
    assert len(pay(plan)) == 50
    assert rewritten() == (before[0] + 50, before[1] + 50)


def test_nothing_moves_before_approval_and_everything_after(operator, usd, escrow):
    fund(escrow, 30)
    plan = a_plan(escrow, [10, 20], needs_approval=True)
    assert pay(plan) == []
    assert accounts.balance(escrow.pk) == 30
    assert plans.approve(plan.pk, actor=TESTER, at=AT) == 2
    assert plans.approve(plan.pk, actor=TESTER, at=AT) == 0
    assert len(pay(plan)) == 2
    assert plans.approve(plan.pk, actor=TESTER, at=AT) == 0
    assert accounts.balance(escrow.pk) == 0


@pytest.mark.parametrize("change", ["units = units + 1", "target_id = source_id", "position = 99", "key = key || 'x'"])
def test_a_plan_whose_lines_were_changed_is_not_paid(operator, usd, escrow, change):
    fund(escrow, 100)
    plan = a_plan(escrow, [10, 20])
    with pgtrigger.ignore("ledger.Payout:payout_amount_is_frozen"), connection.cursor() as cursor:
        cursor.execute(f"UPDATE ledger_payout SET {change} WHERE id = (SELECT MAX(id) FROM ledger_payout)")
    with pytest.raises(plans.PlanChanged):
        pay(plan)
    assert plans.changed(operator.pk) == [plan]
    assert accounts.balance(escrow.pk) == 100
    assert plans.counts(plan.pk)[PayoutStatus.PROCESSING][0] == 2


def test_a_plan_with_a_line_too_many_is_not_paid(operator, usd, escrow):
    fund(escrow, 100)
    plan = a_plan(escrow, [10, 20])
    extra = Payout.objects.filter(plan=plan).first()
    extra.pk, extra._state.adding, extra.key = None, True, "extra"
    extra.save()
    with pytest.raises(plans.PlanChanged):
        pay(plan)
    assert accounts.balance(escrow.pk) == 100


def test_a_line_that_the_books_refuse_waits_for_a_person_and_the_rest_is_paid(operator, usd, escrow):
    fund(escrow, 60)
    plan = a_plan(escrow, [10, 20, 500, 30])
    assert [row.units for row in pay(plan)] == [10, 20, 30]
    refused = Payout.objects.get(units=500)
    assert (refused.status, refused.attempts, refused.journal) == ("ERROR_MANUAL", 1, None)
    assert refused.error == "The account it is paid from has not enough money."
    assert accounts.balance(escrow.pk) == 0
    assert pay(plan) == []
    fact = Fact.objects.get()
    assert (fact.type, fact.subject) == ("payout.failed", "tournament:1")
    assert fact.data == {
        "payoutId": str(refused.pk),
        "purpose": "PRIZE",
        "amount": "5.00",
        "asset": "USD",
        "status": "ERROR_MANUAL",
        "reason": "The account it is paid from has not enough money.",
    }
    assert OpenPayout.objects.get().status == "ERROR_MANUAL"


def test_when_nothing_can_be_paid_the_whole_queue_is_still_worked_off(operator, usd, escrow):
    plan = a_plan(escrow, [10, 20, 30, 40, 50])
    assert pay(plan, limit=2) == []
    assert plans.counts(plan.pk)[PayoutStatus.ERROR_MANUAL] == (5, 150)
    fund(escrow, 150)
    assert plans.retry_all(plan.pk, actor=TESTER, at=AT) == 5
    assert [row.units for row in pay(plan)] == [10, 20, 30, 40, 50]
    assert set(Payout.objects.values_list("attempts", flat=True)) == {2}


def test_a_payout_whose_journal_is_there_already_is_paid_by_it_and_not_again(operator, usd, escrow):
    fund(escrow, 60)
    plan = a_plan(escrow, [10, 20, 30])
    target = accounts.clearing(usd).pk
    early = _post(operator, "s:1", {escrow.pk: -20, target: 20})
    assert [(row.key, row.journal_id == early.pk) for row in pay(plan)] == [
        ("s:0", False),
        ("s:1", True),
        ("s:2", False),
    ]
    assert accounts.balance(escrow.pk) == 0
    assert Posting.objects.filter(journal__key="s:1").count() == 2


def test_a_payout_whose_key_was_used_for_something_else_waits_for_a_person(operator, usd, escrow):
    fund(escrow, 60)
    plan = a_plan(escrow, [10, 20, 30])
    _post(operator, "s:1", {escrow.pk: -1, accounts.clearing(usd).pk: 1})
    assert [row.key for row in pay(plan)] == ["s:0", "s:2"]
    assert Payout.objects.get(key="s:1").error == "Its journal was posted before, with other amounts or accounts."
    assert accounts.balance(escrow.pk) == 19


def _post(operator, key, legs):
    with transaction.atomic():
        return post(NewJournal("TEST", key, legs), operator_id=operator.pk, actor=TESTER, at=AT)


@pytest.mark.django_db(transaction=True)
def test_six_workers_on_one_plan_pay_everyone_once():
    operator = an_operator()
    usd = an_asset(operator)
    escrow = accounts.open_escrow("tournament:1", usd, hot=True)
    wallets = [a_wallet(operator, usd).pk for _ in range(60)]
    fund(escrow, 600)
    plan = a_plan(escrow, [plans.Line(f"p:{n}", Purpose.PRIZE, Rail.WALLET, pk, 10) for n, pk in enumerate(wallets)])

    def work():
        paid = []
        while rows := pay(plan, limit=7):
            paid += [row.key for row in rows]
        return paid

    outcomes = in_parallel(6, work)
    assert sorted(key for paid in outcomes for key in paid) == sorted(f"p:{n}" for n in range(60))
    assert {accounts.balance(pk) for pk in wallets} == {10}
    assert accounts.balance(escrow.pk) == 0
    assert Journal.objects.filter(kind="payout.prize").count() == 60


@pytest.mark.django_db(transaction=True)
def test_of_a_worker_killed_in_its_second_batch_the_first_batch_stays_and_the_rest_is_paid_once():
    operator = an_operator()
    usd = an_asset(operator)
    escrow = accounts.open_escrow("tournament:1", usd, hot=True)
    fund(escrow, 100)
    plan = a_plan(escrow, [10] * 10)

    def die_before_the_second_commit():
        pay(plan, limit=4)
        with transaction.atomic():
            assert len(pay(plan, limit=4)) == 4
            connection.connection.close()  # what the server sees of a killed process

    (outcome,) = race(die_before_the_second_commit)
    assert isinstance(outcome, Exception)
    assert plans.counts(plan.pk)[PayoutStatus.PAID] == (4, 40)
    assert accounts.balance(escrow.pk) == 60
    assert len(pay(plan)) == 6
    assert pay(plan) == []
    assert accounts.balance(escrow.pk) == 0
    assert Journal.objects.filter(kind="payout.prize").count() == 10


@pytest.mark.django_db(transaction=True)
def test_a_passing_trouble_is_tried_again_by_the_timetable_and_then_left_to_a_person():
    operator = an_operator()
    usd = an_asset(operator)
    escrow = accounts.open_escrow("tournament:1", usd, hot=True)
    wallet, other = a_wallet(operator, usd), a_wallet(operator, usd)
    fund(escrow, 30)
    plan = a_plan(
        escrow,
        [
            plans.Line("s:0", Purpose.PRIZE, Rail.WALLET, wallet.pk, 10),
            plans.Line("s:1", Purpose.PRIZE, Rail.WALLET, other.pk, 20),
        ],
    )

    def pay_while_locked(at):
        """Pay while somebody else holds the first wallet's balance and does not let go."""
        holder = connection.copy()
        try:
            with holder.cursor() as cursor:
                cursor.execute("BEGIN")
                cursor.execute("SELECT 1 FROM ledger_balance WHERE account_id = %s FOR UPDATE", [wallet.pk])
                with transaction.atomic(), connection.cursor() as mine:
                    mine.execute("SET LOCAL lock_timeout = '100ms'")
                    return plans.pay_some(plan, limit=10, actor=TESTER, at=at)
        finally:
            holder.close()

    moment = AT
    assert [row.key for row in pay_while_locked(moment)] == ["s:1"]
    for number, pause in enumerate(plans.RETRY_AFTER, start=1):
        payout = Payout.objects.get(key="s:0")
        assert (payout.status, payout.attempts, payout.next_attempt_at) == ("ERROR_RETRY", number, moment + pause)
        assert "lock timeout" in payout.error
        assert plans.pay_some(plan, limit=10, actor=TESTER, at=moment) == []  # its time has not come
        moment += pause
        assert pay_while_locked(moment) == []
    payout = Payout.objects.get(key="s:0")
    assert (payout.status, payout.attempts) == ("ERROR_MANUAL", len(plans.RETRY_AFTER) + 1)
    plans.retry(payout.pk, actor=TESTER, at=moment)
    assert [row.key for row in plans.pay_some(plan, limit=10, actor=TESTER, at=moment)] == ["s:0"]
    assert (accounts.balance(wallet.pk), accounts.balance(other.pk), accounts.balance(escrow.pk)) == (10, 20, 0)


@pytest.mark.django_db(transaction=True)
def test_different_plans_are_paid_side_by_side():
    operator = an_operator()
    usd = an_asset(operator)
    wallets = [a_wallet(operator, usd).pk for _ in range(20)]
    found = []
    for number in range(4):
        escrow = accounts.open_escrow(f"tournament:{number}", usd, hot=True)
        fund(escrow, 200)
        order = wallets if number % 2 else wallets[::-1]
        lines = [plans.Line(f"{number}:{pk}", Purpose.PRIZE, Rail.WALLET, pk, 10) for pk in order]
        found.append(a_plan(escrow, lines))
    outcomes = race(*[partial(pay, plan, limit=50) for plan in found])
    assert [len(rows) for rows in outcomes] == [20] * 4
    assert {accounts.balance(pk) for pk in wallets} == {40}
