"""A worker that is killed while an operator is being told of payouts, and a Redis that forgets everything."""

import pytest

from apps.core import clock
from apps.ledger.models import CallbackAttempt, Journal, OpenPayout, Payout
from apps.ledger.services import remitting
from apps.tournaments.models import BuyIn, EntryMode
from apps.tournaments.services import buyins, running
from tests.factories import OperatorFactory
from tests.ledger.test_remitting import World
from tests.receivers import Receiver, Reply
from tests.tournaments import world
from tests.tournaments.operator_rail import paid_by_api
from tests.workers import running_worker

pytestmark = pytest.mark.django_db(transaction=True)

# More than are sent at the same time, so that there is a middle to be killed in.
WINNERS = 3 * remitting.AT_ONCE


def test_a_payout_that_arrived_before_the_kill_is_told_again_under_the_same_ids_and_paid_once(redis, tmp_path):
    with (
        Receiver(lambda *_: Reply(200, body=b'{"transactionId": "x"}')) as receiver,
        running_worker(tmp_path) as worker,
    ):
        world = World(receiver.url, amounts=[100] * WINNERS)

        def paid() -> int:
            return Payout.objects.filter(status="PAID").count()

        def ring_and_look(enough) -> bool:
            worker.ring(remitting.REMIT, operator_id=world.operator.pk)
            return enough()

        worker.eventually(lambda: ring_and_look(lambda: paid() > 0))
        receiver.gate.clear()
        before = len(receiver.got)
        worker.eventually(lambda: ring_and_look(lambda: len(receiver.got) > before or paid() == WINNERS))
        worker.kill()
        redis.flushdb()
        receiver.gate.set()
        assert paid() < WINNERS, "it was killed too late to prove anything"
        # What was being sent stays leased: nobody may send it before the lease has run out.
        assert remitting.due(clock.now()) == [] or OpenPayout.objects.filter(due_at__gt=clock.now()).exists()
        Payout.objects.filter(status="PROCESSING").update(next_attempt_at=clock.now())
        worker.start()
        worker.eventually(lambda: ring_and_look(lambda: paid() == WINNERS), seconds=60)

    told: dict[str, set[bytes]] = {}
    for got in receiver.got:
        told.setdefault(got.json["payoutRef"], set()).add(got.body)
    assert len(told) == WINNERS
    assert all(len(bodies) == 1 for bodies in told.values())
    assert len(receiver.got) > WINNERS, "nothing was told twice, so nothing was proved"
    assert CallbackAttempt.objects.filter(ended_at=None).exists()
    assert Journal.objects.filter(subject="contest:1").count() == WINNERS
    assert world.money() == (0, 0)


def test_the_beat_alone_carries_buy_ins_and_payouts_to_their_end(redis, tmp_path):
    with Receiver() as receiver, running_worker(tmp_path) as worker:
        now = clock.now()
        tournament = world.make(
            OperatorFactory(),
            **paid_by_api(receiver.url, entry_mode=EntryMode.BUY_IN, debit_url=receiver.url, starts_at=now),
            late_registration=True,
        )
        asked = buyins.ask(
            tournament.pk, user_id="ann", display_name="Ann", buy_in=None, payment_id="", brand_id=None, currency=None,
            actor=world.STAFF, at=now,
        )  # fmt: skip

        def tick_and_look(enough) -> bool:
            worker.ring("tournaments.tick")
            worker.ring("ledger.remit_tick")
            return enough()

        worker.eventually(lambda: tick_and_look(lambda: BuyIn.objects.get(pk=asked.pk).status == "JOINED"))
        running.complete(tournament.pk, actor=world.STAFF, at=clock.now())
        worker.eventually(lambda: tick_and_look(lambda: world.state(tournament) == "CLOSED"), seconds=60)
    debit, payout = receiver.got
    assert (debit.json["type"], payout.json["type"], payout.json["amount"]) == ("BUYIN", "CASH", 10)
    assert (world.escrow(tournament), world.money(tournament.operator)) == (0, {})
