"""`manage.py demo --sqs`: a server of the demo's own, found again by the next run."""

import pytest

from apps.core import clock
from apps.events.models import InboundQueue, Queue
from apps.events.relay import sqs_out
from apps.events.services import numbering, sending
from config.demo import sqs
from tests.events import factories as facts
from tests.factories import OperatorFactory
from tests.workers import eventually


@pytest.mark.django_db(transaction=True)
def test_each_run_has_a_server_with_the_same_two_queues(redis):
    operator = OperatorFactory(slug="acme")
    said: list[str] = []
    for run in range(2):
        with sqs.start_sqs("acme", say=said.append) as address:
            facts.write(operator, subject=f"tournament:{run}", count=3)
            numbering.number_facts(operator.pk)
            queue = sending.claim(at=clock.now())
            assert queue is not None
            assert queue.endpoint_url == address
            assert sqs_out.take_turn(queue) == 3
            eventually(lambda: any("facts taken off the queue" in line for line in said))
            said.clear()
    assert (Queue.objects.count(), InboundQueue.objects.count()) == (1, 1)
