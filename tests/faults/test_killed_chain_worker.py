"""A worker that is killed while prizes or refunds are on the chain, and started again."""

from datetime import timedelta

import pytest

from apps.core import clock
from apps.ledger.models import ChainTransaction, Journal
from apps.ledger.services import rail
from apps.rumble.services import tournaments
from apps.tournaments.services import settlement
from tests.rumble import world
from tests.rumble.world import APP, RICH
from tests.workers import running_worker

pytestmark = pytest.mark.django_db(transaction=True)


def in_progress(app):
    """A tournament that runs now: a worker has a clock of its own."""
    now = clock.now() - timedelta(minutes=1)
    rumble = world.make(app, at=now)
    world.join(rumble, *world.names(4), at=now)
    world.chain(now)
    world.chain(now + timedelta(seconds=5))
    tournaments.start(rumble.pk, actor=APP, at=now + timedelta(seconds=6))
    world.score(rumble, at=now + timedelta(seconds=7), racera=4, racerb=3, racerc=2, racerd=1)
    return rumble


@pytest.mark.parametrize("ends", ["CLOSED", "CANCELED"])
def test_prizes_and_refunds_are_paid_once_though_the_worker_is_killed_at_every_step(redis, tmp_path, ends):
    app = world.application()
    rumble = in_progress(app)
    world.control(app, hold=True)
    if ends == "CLOSED":
        tournaments.resolve(rumble.pk, actor=APP, at=clock.now())
    else:
        tournaments.cancel(rumble.pk, actor=APP, at=clock.now())
    leaving = ChainTransaction.objects.get(direction="OUT")

    def ring(worker, reached):
        """What the beat does every second."""
        worker.ring("ledger.chain_tick")
        worker.ring(rail.ADVANCE, transaction_id=leaving.pk)
        worker.ring(settlement.PAY, tournament_id=rumble.pk)
        return reached()

    def stands(status):
        return ChainTransaction.objects.get(pk=leaving.pk).status == status

    with running_worker(tmp_path) as worker:
        worker.eventually(lambda: ring(worker, lambda: stands("SUBMITTED")))
        worker.kill()
        assert world.status(rumble) == ("DISTRIBUTING_PRIZES" if ends == "CLOSED" else "REFUNDING_PARTICIPANTS")
        worker.start()
        ring(worker, lambda: True)
        worker.kill()
        world.control(app, hold=False)
        worker.start()
        worker.eventually(lambda: ring(worker, lambda: world.status(rumble) == ends), seconds=60)

    assert ChainTransaction.objects.filter(direction="OUT").count() == 1
    paid = Journal.objects.filter(kind__startswith="payout.")
    money = world.wallets(app.operator)
    if ends == "CLOSED":
        assert paid.count() == 4  # two prizes, the developer's fee, the platform's
        assert (money["racera"], money["racerb"]) == (RICH - 100 + 252, RICH - 100 + 108)
    else:
        assert paid.count() == 4
        assert money == dict.fromkeys(world.names(4), RICH)
    assert rumble.tournament.subject not in money
    assert world.told(rumble)[-1].startswith("RumbleTournamentC")
    assert world.drift(app) == []
