"""A relay that is killed between sending and noting: what it had in hand is sent again, under the same id."""

import signal

import pytest

from apps.events.models import Attempt, Delivery
from tests.events.factories import NOON
from tests.events.relays import make, relay_process, settled, states, tell
from tests.factories import OperatorFactory
from tests.receivers import Receiver

pytestmark = pytest.mark.django_db(transaction=True)

START_SECONDS = 60.0


def test_what_was_sent_and_not_noted_is_sent_again_and_a_graceful_stop_notes_it(redis):
    operator = OperatorFactory()
    with Receiver() as receiver:
        receiver.gate.clear()
        made = make(operator, receiver.url)
        [fact] = tell(operator)
        with relay_process() as first:
            receiver.wait_for(1, START_SECONDS)
            first.send_signal(signal.SIGKILL)
            first.wait()
        # Counted and booked before it was sent, by nobody noted.
        delivery = Delivery.objects.get()
        assert (delivery.status, delivery.attempts, Attempt.objects.count()) == ("PENDING", 1, 0)
        Delivery.objects.update(leased_until=NOON)  # its time has run out
        receiver.gate.set()
        with relay_process() as second:
            settled(made.endpoint, DELIVERED=1)
            receiver.gate.clear()
            tell(operator)
            receiver.wait_for(3, START_SECONDS)
            second.send_signal(signal.SIGTERM)
            receiver.gate.set()
            assert second.wait(30) == 0
    assert receiver.ids[:2] == [fact.public_id] * 2
    assert len(set(receiver.ids)) == 2
    assert states(made.endpoint) == {"DELIVERED": 2}
    assert Delivery.objects.get(fact=fact).attempts == 2
