import pytest
from django.db import transaction

from apps.core.errors import Invalid
from apps.events.models import Fact
from apps.ledger.models import Journal, OpenPayout, Payout, Purpose, Rail
from apps.ledger.services import accounts, plans
from apps.ledger.services.corrections import NotReversible, reverse
from apps.ledger.services.journals import InsufficientFunds, NewJournal, post
from tests.ledger.factories import AT, TESTER, a_plan, a_wallet, an_asset, an_operator, fund, pay
from tests.racing import in_parallel

pytestmark = pytest.mark.django_db
WHO = {"actor": TESTER, "at": AT}


@pytest.fixture
def escrow(usd):
    return accounts.open_escrow("tournament:1", usd, hot=False)


def the_payout():
    return Payout.objects.get()


def test_a_rejected_payout_is_never_paid_and_its_units_stay_in_escrow(operator, usd, escrow):
    fund(escrow, 30)
    plan = a_plan(escrow, [10, 20], needs_approval=True)
    first = plan.payouts.order_by("pk").first()
    rejected = plans.reject(first.pk, reason="cheated", **WHO)
    assert (rejected.status, rejected.error) == ("NOT_ELIGIBLE", "cheated")
    assert plans.approve(plan.pk, **WHO) == 1
    assert [row.units for row in pay(plan)] == [20]
    assert accounts.balance(escrow.pk) == 10
    assert not OpenPayout.objects.exists()
    fact = Fact.objects.get(type="payout.rejected")
    assert (fact.subject, fact.data["amount"], fact.data["reason"]) == ("tournament:1", "0.10", "cheated")


def test_a_payout_settled_outside_goes_back_to_the_operator_and_is_never_paid_again(operator, usd, escrow):
    wallet = a_wallet(operator, usd)
    plan = a_plan(escrow, [plans.Line("s:0", Purpose.PRIZE, Rail.WALLET, wallet.pk, 10)])
    assert pay(plan) == []  # the escrow is empty
    fund(escrow, 10)
    before = accounts.balance(accounts.clearing(usd).pk)
    settled = plans.settle_outside(the_payout().pk, note="bank transfer 77", **WHO)
    assert (settled.status, settled.paid_at, settled.error) == ("PAID", AT, "bank transfer 77")
    assert (settled.journal.key, settled.journal.kind) == ("s:0", "payout.outside")
    assert accounts.balance(accounts.clearing(usd).pk) == before + 10
    assert (accounts.balance(escrow.pk), accounts.balance(wallet.pk)) == (0, 0)
    assert pay(plan) == []
    assert Fact.objects.get(type="payout.settled_outside").data["note"] == "bank transfer 77"


def test_what_the_escrow_does_not_hold_can_not_be_settled_outside(operator, usd, escrow):
    plan = a_plan(escrow, [10])
    pay(plan)
    with pytest.raises(InsufficientFunds):
        plans.settle_outside(the_payout().pk, note="cash", **WHO)
    assert the_payout().status == "ERROR_MANUAL"
    assert not Fact.objects.filter(type="payout.settled_outside").exists()


@pytest.mark.parametrize("verb", ["reject", "retry", "settle_outside"])
@pytest.mark.parametrize("state", ["processing", "paid", "waiting", "failed"])
def test_each_decision_is_for_its_states_only(operator, usd, escrow, verb, state):
    if state != "failed":
        fund(escrow, 10)
    plan = a_plan(escrow, [10], needs_approval=state == "waiting")
    if state in {"paid", "failed"}:
        pay(plan)
    fund(escrow, 10)
    before = the_payout().status, accounts.balance(escrow.pk), Fact.objects.count()
    decide = {
        "reject": lambda pk: plans.reject(pk, reason="r", **WHO),
        "retry": lambda pk: plans.retry(pk, **WHO),
        "settle_outside": lambda pk: plans.settle_outside(pk, note="n", **WHO),
    }[verb]
    if (verb, state) in {("reject", "waiting"), ("retry", "failed"), ("settle_outside", "failed")}:
        decide(the_payout().pk)
        return
    with pytest.raises(plans.PayoutNotReady) as refusal:
        decide(the_payout().pk)
    assert refusal.value.code == "INVALID_STATE"
    assert (the_payout().status, accounts.balance(escrow.pk), Fact.objects.count()) == before


@pytest.mark.parametrize("text", ["", "  ", "x" * 301])
def test_a_decision_needs_words(operator, usd, escrow, text):
    a_plan(escrow, [10], needs_approval=True)
    with pytest.raises(plans.ReasonMissing):
        plans.reject(the_payout().pk, reason=text, **WHO)
    assert the_payout().status == "WAITING_APPROVAL"


@pytest.mark.django_db(transaction=True)
def test_eight_who_settle_the_same_payout_outside_at_once_do_it_once():
    operator = an_operator()
    escrow = accounts.open_escrow("tournament:1", an_asset(operator), hot=False)
    plan = a_plan(escrow, [10])
    pay(plan)
    fund(escrow, 80)
    outcomes = in_parallel(8, lambda: plans.settle_outside(the_payout().pk, note="cash", **WHO).pk)
    assert sum(isinstance(outcome, plans.PayoutNotReady) for outcome in outcomes) == 7
    assert accounts.balance(escrow.pk) == 70


def test_a_correction_is_the_opposite_journal_and_names_the_first(operator, usd):
    wallet = a_wallet(operator, usd, 50)
    wrong = Journal.objects.get()
    journal = reverse(wrong.pk, reason="typed a zero too many", **WHO)
    journal.refresh_from_db()
    assert (journal.reverses_id, journal.kind, journal.memo) == (wrong.pk, "correction", "typed a zero too many")
    assert accounts.balance(wallet.pk) == 0
    assert accounts.balance(accounts.clearing(usd).pk) == 0
    assert reverse(wrong.pk, reason="again", **WHO) == journal
    assert accounts.balance(wallet.pk) == 0
    fact = Fact.objects.get()
    assert (fact.type, fact.data["journalId"], fact.data["reason"]) == (
        "journal.reversed",
        str(wrong.pk),
        "typed a zero too many",
    )
    with pytest.raises(NotReversible):
        reverse(journal.pk, reason="undo the undoing", **WHO)


def test_a_correction_never_overdraws_and_needs_a_reason(operator, usd):
    wallet = a_wallet(operator, usd, 50)
    wrong = Journal.objects.get()
    other = a_wallet(operator, usd)
    with transaction.atomic():
        post(NewJournal("TEST", "spent", {wallet.pk: -1, other.pk: 1}), operator_id=operator.pk, **WHO)
    with pytest.raises(InsufficientFunds):
        reverse(wrong.pk, reason="wrong", **WHO)
    with pytest.raises(Invalid):
        reverse(wrong.pk, reason=" ", **WHO)
    assert accounts.balance(wallet.pk) == 49
    assert not Fact.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_eight_who_correct_the_same_journal_at_once_correct_it_once():
    operator = an_operator()
    wallet = a_wallet(operator, an_asset(operator), 50)
    wrong = Journal.objects.get()
    outcomes = in_parallel(8, lambda: reverse(wrong.pk, reason="wrong", **WHO).pk)
    assert len(set(outcomes)) == 1
    assert accounts.balance(wallet.pk) == 0
    assert Fact.objects.count() == 1
