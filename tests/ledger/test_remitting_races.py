"""Two who want to send, or decide about, the same payout at the same moment."""

import pytest

from apps.ledger.models import CallbackAttempt, Journal, Payout
from apps.ledger.services import accounts, plans, remitting
from tests.ledger.factories import AT, TESTER
from tests.ledger.test_remitting import FIVE, World
from tests.racing import in_parallel, race
from tests.receivers import Receiver, Reply

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_workers_send_every_payout_once():
    with Receiver() as receiver:
        world = World(receiver.url, amounts=(100, 200, 300, 400))
        sent = in_parallel(2, lambda: remitting.remit(world.operator.pk, at=AT)[0])
        while world.send():
            pass
        assert sum(sent) <= 4
        assert sorted(got.json["amount"] for got in receiver.got) == [1, 2, 3, 4]
    assert set(Payout.objects.values_list("status", "attempts")) == {("PAID", 1)}
    assert world.money() == (0, 0)


def test_a_retry_by_hand_beside_the_automatic_one_sends_once_more_and_not_twice():
    with Receiver(lambda _, n: Reply(503 if n == 1 else 200)) as receiver:
        world = World(receiver.url)
        world.send()
        pk = world.payout.pk
        outcomes = race(
            lambda: plans.retry(pk, actor=TESTER, at=AT + FIVE),
            lambda: remitting.remit(world.operator.pk, at=AT + FIVE),
            lambda: plans.retry_all(world.plan.pk, actor=TESTER, at=AT + FIVE),
            lambda: remitting.remit(world.operator.pk, at=AT + FIVE),
        )
        assert not [one for one in outcomes if isinstance(one, Exception) and not isinstance(one, plans.PayoutNotReady)]
        world.send(AT + FIVE)
        assert len(receiver.got) == 2
        assert len({got.body for got in receiver.got}) == 1
    assert (world.payout.status, world.payout.attempts, world.money()) == ("PAID", 2, (0, 0))
    assert CallbackAttempt.objects.count() == 2
    assert Journal.objects.filter(key="p:1").count() == 1


def test_what_is_being_sent_can_be_neither_retried_nor_settled_outside():
    with Receiver() as receiver:
        world = World(receiver.url)
        receiver.gate.clear()
        pk = world.payout.pk

        def meddle():
            receiver.entered.acquire(timeout=20)
            refused = []
            for decide in (
                lambda: plans.retry(pk, actor=TESTER, at=AT),
                lambda: plans.settle_outside(pk, note="bank", actor=TESTER, at=AT),
            ):
                try:
                    decide()
                except plans.PayoutNotReady:
                    refused.append(True)
            receiver.gate.set()
            return refused

        _, refused = race(lambda: remitting.remit(world.operator.pk, at=AT), meddle)
        assert refused == [True, True]
        assert len(receiver.got) == 1
    assert (world.payout.status, accounts.balance(world.escrow.pk)) == ("PAID", 0)
