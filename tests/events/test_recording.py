"""Facts are written in the transaction of the change they report, exactly as given."""

from decimal import Decimal

import pytest

from apps.core.actors import Actor
from apps.events.models import Fact
from apps.events.services import recording as events
from tests.events.factories import rolled_back
from tests.factories import OperatorFactory

KEY = Actor("key", "sk_live_abc", "req_1")


@pytest.fixture
def operator(db):
    return OperatorFactory()


def test_a_fact_keeps_what_it_was_given(operator, at):
    public_id = events.record(
        operator_id=operator.pk, type="player.removed", subject="tournament:17", data={"a": 1}, actor=KEY, at=at
    )
    fact = Fact.objects.get()
    assert fact.public_id == public_id
    assert public_id.startswith("evt_1772366400_")
    assert len(public_id) == len("evt_1772366400_") + 12
    assert (fact.operator_id, fact.type, fact.subject) == (operator.pk, "player.removed", "tournament:17")
    assert (fact.data, fact.actor, fact.request_id) == ({"a": 1}, "key:sk_live_abc", "req_1")
    assert (fact.occurred_at, fact.sequence) == (at, None)


@pytest.mark.django_db(transaction=True)
def test_a_fact_is_refused_outside_a_transaction(at):
    with pytest.raises(RuntimeError, match="share the transaction"):
        events.record(operator_id=1, type="a.b", subject="c:1", data={}, actor=KEY, at=at)
    assert not Fact.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_fact_goes_with_the_change_that_is_rolled_back(at):
    operator = OperatorFactory()
    with rolled_back():
        events.record(operator_id=operator.pk, type="a.b", subject="c:1", data={}, actor=KEY, at=at)
    assert not Fact.objects.exists()


def test_no_facts_are_no_statement(operator, at, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert events.record_many([], operator_id=operator.pk, actor=KEY, at=at) == []


@pytest.mark.parametrize(("at_once", "statements"), [(10_000, 1), (2_000, 3)])
def test_many_facts_are_few_statements_and_keep_their_order(
    operator, at, at_once, statements, monkeypatch, django_assert_num_queries
):
    monkeypatch.setattr(events, "WRITTEN_AT_ONCE", at_once)
    new = [events.NewFact("prize.distributed", f"tournament:{n % 7}", {"n": n}) for n in range(5_000)]
    with django_assert_num_queries(statements):
        public_ids = events.record_many(new, operator_id=operator.pk, actor=KEY, at=at)
    rows = list(Fact.objects.order_by("id").values_list("public_id", "subject", "data"))
    assert rows == [(public_id, fact.subject, dict(fact.data)) for public_id, fact in zip(public_ids, new, strict=True)]
    assert len(set(public_ids)) == 5_000


@pytest.mark.parametrize(
    "amount",
    ["7.50", "0.1", "870.00", "12345678901234567890.000000000000000001", "-0.000000000000000001", "1" * 36 + ".25"],
)
def test_an_amount_comes_back_digit_for_digit(operator, at, amount):
    data = {"amount": Decimal(amount), "prizes": [{"1st": Decimal(amount)}]}
    events.record(operator_id=operator.pk, type="a.b", subject="c:1", data=data, actor=KEY, at=at)
    stored = Fact.objects.get().data
    assert isinstance(stored["amount"], Decimal)
    assert stored["amount"].as_tuple() == Decimal(amount).as_tuple()
    assert stored == data


def test_an_amount_is_a_number_in_the_database_too(operator, at):
    data = {"amount": Decimal("7.50"), "units": 10**30}
    events.record(operator_id=operator.pk, type="a.b", subject="c:1", data=data, actor=KEY, at=at)
    assert Fact.objects.filter(data__amount=Decimal("7.5"), data__units=10**30).count() == 1


def test_text_of_any_kind_is_kept(operator, at):
    data = {"name": "Zoë \"the 'Ace'\" \\ 100% {x} 名前 🏆\n\t\u0001", "none": None, "yes": True, "list": [], "map": {}}
    events.record(operator_id=operator.pk, type="a.b", subject="c:1", data=data, actor=KEY, at=at)
    assert Fact.objects.get().data == data


def test_what_json_cannot_say_is_refused(operator, at):
    with pytest.raises(TypeError):
        events.record(operator_id=operator.pk, type="a.b", subject="c:1", data={"x": object()}, actor=KEY, at=at)
    assert not Fact.objects.exists()
