"""Reconcile names deliveries that contradict the stream."""

import pytest
from django.db import connection

from apps.events import reconcile
from apps.events.models import Delivery
from tests.events.factories import NOON
from tests.events.relays import make, tell
from tests.factories import OperatorFactory

pytestmark = pytest.mark.django_db


def drifts(operator):
    return [(drift.check, drift.detail) for check in reconcile.CHECKS for drift in check(operator.pk)]


@pytest.fixture
def operator():
    operator = OperatorFactory()
    make(operator, "https://a.example/")
    tell(operator, count=3)
    Delivery.objects.filter(sequence=1).update(
        status="DELIVERED", attempts=1, last_status=204, finished_at=NOON, next_attempt_at=None
    )
    return operator


def test_honest_deliveries_show_no_drift(operator):
    assert drifts(operator) == []


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE events_delivery SET sequence = 99 WHERE sequence = 2",
        "UPDATE events_delivery SET subject = 'tournament:18' WHERE sequence = 2",
        "UPDATE events_delivery SET operator_id = 0 WHERE sequence = 2",
        "UPDATE events_delivery SET fact_id = 0 WHERE sequence = 2",
        "UPDATE events_delivery SET last_status = 500 WHERE sequence = 1",
        "UPDATE events_delivery SET attempts = 0 WHERE sequence = 1",
    ],
)
def test_a_delivery_that_lies_is_named(operator, sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
    assert [check for check, _ in drifts(operator)] == ["deliveries"]
