"""Nobody rewrites what happened, not even with SQL."""

from datetime import timedelta

import pytest
from django.db import ProgrammingError, transaction

from apps.events.models import Fact, Stream
from apps.events.services import numbering
from tests.events.factories import write
from tests.factories import OperatorFactory


@pytest.fixture
def fact(db):
    operator = OperatorFactory()
    return write(operator)[0]


def refused(change):
    with pytest.raises(ProgrammingError, match="pgtrigger: Cannot"), transaction.atomic():
        change()


@pytest.mark.parametrize(
    "field", ["operator_id", "public_id", "type", "subject", "data", "actor", "request_id", "occurred_at"]
)
@pytest.mark.parametrize("numbered", [False, True])
def test_a_fact_cannot_be_changed(fact, field, numbered):
    if numbered:
        numbering.number_new_facts()
    before = Fact.objects.values().get()
    others = {"operator_id": fact.operator_id + 1, "data": {"n": 1}, "occurred_at": fact.occurred_at + timedelta(1)}
    refused(lambda: Fact.objects.update(**{field: others.get(field, "other")}))
    assert Fact.objects.values().get() == before


def test_a_fact_cannot_be_deleted(fact):
    refused(lambda: Fact.objects.all()._raw_delete("default"))
    refused(fact.delete)
    assert Fact.objects.count() == 1


@pytest.mark.parametrize("other", [None, 2, 0])
def test_a_number_cannot_be_changed_once_given(fact, other):
    numbering.number_new_facts()
    refused(lambda: Fact.objects.update(sequence=other))
    assert Fact.objects.get().sequence == 1


def test_a_stream_never_runs_backwards_and_never_ends(fact):
    numbering.number_new_facts()
    refused(lambda: Stream.objects.update(last_sequence=0))
    refused(lambda: Stream.objects.all()._raw_delete("default"))
    assert Stream.objects.get().last_sequence == 1
