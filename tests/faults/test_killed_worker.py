"""A worker that is killed in the middle of paying, and started again."""

import pytest

from apps.core.actors import SYSTEM
from apps.events.models import Fact
from apps.ledger.models import Journal, Payout, SettlementPlan
from apps.operators.models import Player
from apps.tournaments.models import Entry, Tournament
from apps.tournaments.services import running, settlement, tally
from tests.tournaments import world
from tests.tournaments.world import START
from tests.workers import running_worker

pytestmark = pytest.mark.django_db(transaction=True)

WINNERS = 2000
# Small batches, so that there is a middle to be killed in.
BATCH = 50


def crowded(players: int) -> Tournament:
    """A running tournament with so many players, all of whom will win something. Entered in bulk, paid for by hand."""
    tournament = world.make(percentages=[100], rail="WALLET", max_players=None)
    brand = tournament.operator.brands.get()
    known = Player.objects.bulk_create(
        Player(operator=tournament.operator, brand=brand, external_id=f"p{n}", display_name=f"P{n}")
        for n in range(players)
    )
    Entry.objects.bulk_create(
        Entry(
            operator=tournament.operator,
            tournament=tournament,
            player=player,
            display_name=player.display_name,
            paid_units=1000,
            points=n,
            scored_at=START,
            registered_at=START,
            changed_at=START,
        )
        for n, player in enumerate(known)
    )
    tally.move(tournament.pk, players=players, active=players, entries=players, first_fee_units=1000 * players)
    Tournament.objects.filter(pk=tournament.pk).update(
        prize_rules=[{"minPlayers": 0, "percentages": [str(100 / players)] * players}]
    )
    world.collect(tournament, 1000 * players)
    running.start(tournament.pk, actor=SYSTEM, at=START)
    return Tournament.objects.get(pk=tournament.pk)


def test_every_winner_is_paid_exactly_once_though_the_worker_is_killed_twice(redis, tmp_path, monkeypatch):
    tournament = crowded(WINNERS)
    monkeypatch.setenv("PAYOUT_BATCH", str(BATCH))

    def paid():
        return Payout.objects.filter(status="PAID").count()

    def ring_and_look(worker):
        """What the beat does every second: the killed worker's bell stays taken for a while."""
        worker.ring(settlement.PAY, tournament_id=tournament.pk)
        return world.state(tournament) == "CLOSED"

    def paid_more(worker, than):
        worker.ring(settlement.PAY, tournament_id=tournament.pk)
        return paid() >= than

    with running_worker(tmp_path) as worker:
        running.complete(tournament.pk, actor=SYSTEM, at=START)
        for share in (1, 3):
            worker.eventually(lambda share=share: paid_more(worker, than=BATCH * share))
            worker.kill()
            assert paid() < WINNERS, "it was killed too late to prove anything"
            assert Journal.objects.filter(key__contains=":payout:").count() == paid()
            worker.start()
        worker.eventually(lambda: ring_and_look(worker), seconds=60)

    plan = SettlementPlan.objects.get()
    assert paid() == plan.lines == WINNERS
    assert Journal.objects.filter(key__contains=":payout:").count() == WINNERS
    assert Fact.objects.filter(type="prize.distributed").count() == WINNERS
    assert world.escrow(tournament) == 0
    money = world.money(tournament.operator)
    assert sum(units for name, units in money.items() if name.startswith("player:")) == 1000 * WINNERS
    assert money["CLEARING"] == -1000 * WINNERS
