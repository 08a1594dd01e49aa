"""A delivery's states: one graph, in Python and in the database."""

from itertools import product

import django_fsm as fsm
import pytest
from django.db import IntegrityError, ProgrammingError, transaction

from apps.events.lifecycle import EDGES, ENDED, DeliveryStatus
from apps.events.models import Attempt, Delivery, Endpoint
from tests.events.factories import NOON, write
from tests.factories import OperatorFactory


def fields_of(status):
    if status in ENDED:
        return {"status": status, "finished_at": NOON, "next_attempt_at": None}
    return {"status": status, "finished_at": None, "next_attempt_at": NOON}


def a_delivery(status=DeliveryStatus.PENDING):
    operator = OperatorFactory()
    endpoint = Endpoint.objects.create(operator=operator, url="https://a.example/", events=["*"], created_at=NOON)
    [fact] = write(operator)
    return Delivery.objects.create(
        operator=operator,
        endpoint=endpoint,
        fact=fact,
        subject=fact.subject,
        sequence=1,
        created_at=NOON,
        **fields_of(status),
    )


def test_python_and_the_list_of_edges_draw_the_same_graph():
    declared = {
        (str(edge.source), str(edge.target))
        for edge in Delivery._meta.get_field("status").get_all_transitions(Delivery)
    }
    assert declared == {(source.value, target.value) for source, target in EDGES}


@pytest.mark.django_db
@pytest.mark.parametrize(("source", "target"), list(product(DeliveryStatus, DeliveryStatus)))
def test_the_database_allows_the_edges_and_nothing_else(source, target):
    delivery = a_delivery(source)
    if source == target or (source, target) in EDGES:
        Delivery.objects.filter(pk=delivery.pk).update(**fields_of(target))
        assert Delivery.objects.get(pk=delivery.pk).status == target
        return
    with pytest.raises(ProgrammingError, match="Invalid transition"), transaction.atomic():
        Delivery.objects.filter(pk=delivery.pk).update(**fields_of(target))
    assert Delivery.objects.get(pk=delivery.pk).status == source


@pytest.mark.django_db
def test_a_verb_moves_the_row_as_the_constraints_want_it():
    delivery = a_delivery()
    for verb in (delivery.deliver, delivery.queue_again, delivery.exhaust, delivery.queue_again):
        verb(at=NOON)
        delivery.save()
    with pytest.raises(fsm.TransitionNotAllowed):
        delivery.queue_again(at=NOON)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "wrong", [{"next_attempt_at": None}, {"finished_at": NOON}, {"sequence": 0}, {"fact": None}], ids=str
)
def test_a_row_that_contradicts_itself_is_refused(wrong):
    delivery = a_delivery()
    with pytest.raises(IntegrityError), transaction.atomic():
        Delivery.objects.filter(pk=delivery.pk).update(**wrong)


@pytest.mark.django_db
def test_an_attempt_is_final():
    attempt = Attempt.objects.create(delivery=a_delivery(), number=1, started_at=NOON, milliseconds=3, status=200)
    with pytest.raises(ProgrammingError, match="Cannot update"), transaction.atomic():
        Attempt.objects.filter(pk=attempt.pk).update(status=500)
