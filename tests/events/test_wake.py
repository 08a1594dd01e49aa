"""Numbered facts are announced to those who wait for them."""

import pytest
from django.db import transaction
from redis.exceptions import ConnectionError as NotConnected

from apps.core import redis as core_redis
from apps.core.actors import SYSTEM
from apps.events import wake
from apps.events.models import Fact
from apps.events.services import numbering
from apps.events.services.recording import NewFact, record_many
from tests.factories import OperatorFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def operator(at):
    operator = OperatorFactory()
    with transaction.atomic():
        record_many([NewFact("x.y", "x:1", {})], operator_id=operator.pk, actor=SYSTEM, at=at)
    return operator


def test_numbering_announces_once_it_has_committed(operator, redis, monkeypatch):
    # A test before this one may have failed to reach Redis, and this process would still be patient.
    monkeypatch.setattr(wake, "_silent_until", 0.0)
    with redis.pubsub() as ears:
        ears.subscribe(wake.channel_of(operator.pk))
        ears.get_message(timeout=5)
        with transaction.atomic():
            numbering.number_facts(operator.pk)
            assert ears.get_message() is None
        assert ears.get_message(timeout=5)["type"] == "message"


def test_facts_are_numbered_though_nobody_can_be_told(operator, monkeypatch):
    asked = []

    class Away:
        def publish(self, *_):
            asked.append(1)
            raise NotConnected

    monkeypatch.setattr(core_redis, "client", Away)
    monkeypatch.setattr(wake, "_silent_until", 0.0)
    assert numbering.number_facts(operator.pk) == 1
    assert Fact.objects.get().sequence == 1
    numbering.number_facts(operator.pk)
    assert len(asked) == 1
