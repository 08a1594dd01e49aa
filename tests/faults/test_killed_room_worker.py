"""A worker that is killed among the tasks of rooms, and a Redis that forgets everything."""

import pytest

from apps.core import clock
from apps.ledger.models import Journal
from apps.rooms import operations
from apps.rooms.models import Task
from apps.rooms.services import tasks
from apps.rooms.tasks import TICK
from tests.rooms.floor import Floor
from tests.workers import running_worker

pytestmark = pytest.mark.django_db(transaction=True)

PAYMENTS = 300


def test_every_task_is_done_once_and_in_order_though_the_worker_is_killed_and_redis_forgets(redis, tmp_path):
    now = clock.now()
    floor = Floor()
    floor.player("ana", funds=1000, approved=1000)
    room = floor.room(ana=0, at=now)
    asked = [
        floor.submit(operations.pay(floor.game, room.pk, floor.entries(ana=1)), sync=False, at=now)
        for _ in range(PAYMENTS)
    ]

    def done() -> int:
        return Task.objects.filter(status="SUCCEEDED").count()

    def ring_and_look(worker, than: int) -> bool:
        """What the beat does: the rows are the queue, and a bell that was lost is rung again."""
        worker.ring(TICK)
        worker.ring(tasks.RUN, room_id=room.pk)
        return done() >= than

    with running_worker(tmp_path) as worker:
        for share in (10, 60):
            worker.eventually(lambda share=share: ring_and_look(worker, share))
            worker.kill()
            redis.flushdb()
            assert done() < PAYMENTS, "it was killed too late to prove anything"
            assert floor.held(room) == done()
            worker.start()
        worker.eventually(lambda: ring_and_look(worker, PAYMENTS), seconds=60)

    assert (floor.held(room), floor.wallet("ana"), floor.allowance("ana")) == (
        PAYMENTS,
        1000 - PAYMENTS,
        1000 - PAYMENTS,
    )
    paid = Journal.objects.filter(subject=room.subject).order_by("pk").values_list("key", flat=True)
    assert list(paid) == [f"{room.subject}:pay:{task.public_id}" for task in asked]
