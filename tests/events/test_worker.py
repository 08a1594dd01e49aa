"""The whole way: a fact written here is numbered by a worker elsewhere and read over HTTP."""

import pytest

from apps.events.models import Fact
from apps.events.services import recording as events
from apps.operators.scopes import Scope
from tests.events.factories import write
from tests.factories import OperatorFactory, api
from tests.workers import running_worker


@pytest.mark.django_db(transaction=True)
def test_a_worker_numbers_facts_and_one_that_was_killed_is_replaced_without_loss(redis, tmp_path):
    operator = OperatorFactory()
    client = api(operator, [Scope.EVENTS_READ])

    def is_numbered(count):
        return lambda: Fact.objects.filter(sequence__isnull=False).count() == count

    def read():
        return [event["sequence"] for event in client.get("/api/events").json()["events"]]

    with running_worker(tmp_path) as worker:
        write(operator, count=3)
        worker.eventually(is_numbered(3))
        assert read() == [1, 2, 3]

        worker.kill()
        write(operator, count=2)
        assert read() == [1, 2, 3]

        worker.start()
        worker.ring(events.SEQUENCER)
        worker.eventually(is_numbered(5))
        assert read() == [1, 2, 3, 4, 5]
