"""What happens when everybody comes at once. Real threads, real transactions."""

import pytest

from apps.core.errors import DomainError
from apps.events.models import Fact
from apps.ledger.models import Payout, SettlementPlan
from apps.tournaments.models import Entry, Tally
from apps.tournaments.services import entries, running, tally
from apps.tournaments.services.states import InvalidState
from tests.racing import in_parallel, race
from tests.tournaments import world
from tests.tournaments.world import AT, STAFF, START

pytestmark = pytest.mark.django_db(transaction=True)


def entering(tournament, name):
    return lambda: entries.register(tournament.pk, user_id=name, display_name=name, actor=STAFF, at=AT)


def refusals(outcomes, kind):
    assert all(isinstance(o, kind) for o in outcomes if isinstance(o, Exception)), outcomes
    return sum(isinstance(o, kind) for o in outcomes)


def test_thirty_at_once_into_ten_seats_are_exactly_ten():
    tournament = world.make(max_players=10)
    outcomes = race(*[entering(tournament, f"p{n}") for n in range(30)])
    assert refusals(outcomes, entries.TournamentFull) == 20
    assert Entry.objects.count() == 10
    assert world.escrow(tournament) == 10 * 1000
    assert Fact.objects.filter(type="player.registered").count() == 10


def test_the_last_seats_of_a_striped_field_are_found_wherever_they_are():
    tournament = world.make(max_players=70)
    Tally.objects.filter(tournament=tournament).update(seats_free=0)
    Tally.objects.filter(tournament=tournament, slot__in=(3, 11)).update(seats_free=1)
    outcomes = race(*[entering(tournament, f"p{n}") for n in range(12)])
    assert refusals(outcomes, entries.TournamentFull) == 10
    assert tally.totals(tournament.pk).players == 2


def test_one_player_ten_times_at_once_is_in_once():
    tournament = world.make()
    outcomes = in_parallel(10, entering(tournament, "ann"))
    assert refusals(outcomes, entries.DuplicateRegistration) == 9
    assert world.escrow(tournament) == 1000


def test_ten_at_once_into_a_hop_on_lobby_start_it_once():
    tournament = world.make(start_mode="AT_COUNT", starts_at=None, min_players=4)
    race(*[entering(tournament, f"p{n}") for n in range(10)])
    assert world.state(tournament) == "RUNNING"
    started = Fact.objects.get(type="tournament.started")
    assert started.data["initialPlayerCount"] == 4 == Entry.objects.count()


def test_ten_cancels_at_once_are_one():
    tournament = world.make()
    world.enter(tournament, "ann", "bob")
    outcomes = in_parallel(10, lambda: running.cancel(tournament.pk, reason="storm", actor=STAFF, at=AT))
    assert refusals(outcomes, InvalidState) == 9
    assert SettlementPlan.objects.count() == 1
    assert Payout.objects.count() == 2


def test_complete_and_cancel_at_once_are_one_of_them():
    tournament = world.played()
    outcomes = race(
        lambda: running.complete(tournament.pk, actor=STAFF, at=START),
        lambda: running.cancel(tournament.pk, reason="storm", actor=STAFF, at=START),
    )
    assert refusals(outcomes, InvalidState) == 1
    assert SettlementPlan.objects.count() == 1
    world.pay(tournament)
    assert world.state(tournament) in ("CLOSED", "CANCELED")
    assert world.money(tournament.operator) == {}


def test_nobody_slips_in_while_it_is_cancelled():
    tournament = world.make()
    race(
        *[entering(tournament, f"p{n}") for n in range(8)],
        lambda: running.cancel(tournament.pk, reason="storm", actor=STAFF, at=AT),
    )
    world.pay(tournament)
    assert Payout.objects.count() == Entry.objects.count()
    assert (world.state(tournament), world.money(tournament.operator)) == ("CANCELED", {})


def test_two_workers_pay_each_winner_once():
    tournament = world.played(rail="WALLET", points={f"p{n}": n for n in range(30)}, percentages=[1] * 20 + [80])
    running.complete(tournament.pk, actor=STAFF, at=START)
    in_parallel(4, lambda: world.pay(tournament))
    assert Payout.objects.filter(status="PAID").count() == Payout.objects.count() == 21
    assert (world.state(tournament), world.escrow(tournament)) == ("CLOSED", 0)
    assert Fact.objects.filter(type="prize.distributed").count() == 21


def test_rebuys_at_once_never_pass_the_limit():
    tournament = world.played(rebuy_enabled=True, max_entries=4)
    entry = Entry.objects.get(player__external_id="ann")
    outcomes = in_parallel(8, lambda: entries.rebuy(entry.pk, actor=STAFF, at=START))
    assert sum(isinstance(o, DomainError) for o in outcomes) == 5
    assert Entry.objects.get(pk=entry.pk).entry_count == 4
    assert world.escrow(tournament) == 3000 + 3 * 1000


def test_registrations_and_rebuys_at_once_never_wait_in_a_circle():
    tournament = world.make(rebuy_enabled=True, max_entries=100, max_players=60)
    early = world.enter(tournament, *[f"old{n}" for n in range(6)])

    def buying(entry):
        return lambda: [entries.rebuy(entry.pk, actor=STAFF, at=AT) for _ in range(6)]

    def coming(n):
        return lambda: world.enter(tournament, *[f"new{n}-{k}" for k in range(6)])

    outcomes = race(*map(buying, early), *map(coming, range(6)))
    assert [problem for problem in outcomes if isinstance(problem, Exception)] == []
    assert world.escrow(tournament) == (6 + 36 + 36) * 1000
