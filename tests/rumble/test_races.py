"""Whatever happens at once happens once (rumble.md 9)."""

from datetime import timedelta

import pytest

from apps.core.errors import DomainError
from apps.ledger import chain
from apps.ledger.models import ChainTransaction
from apps.ledger.services import rail
from apps.rumble.services import boards, containers, participation, payments, tournaments
from apps.tournaments.models import Tournament
from tests.racing import in_parallel, race
from tests.rumble import world
from tests.rumble.world import APP, AT, RICH, THEN

pytestmark = pytest.mark.django_db(transaction=True)
LATER = THEN + timedelta(seconds=9)


@pytest.fixture
def app(redis):
    return world.application()


def refused(outcomes):
    """Refusals; anything worse is a failure."""
    worse = [one for one in outcomes if isinstance(one, Exception) and not isinstance(one, DomainError)]
    assert worse == []
    return sum(isinstance(one, DomainError) for one in outcomes)


def test_twenty_joins_for_the_last_seat_seat_one(app):
    rumble = world.make(app, max_participants=4)
    world.join(rumble, *world.names(3))
    players = [world.player(app, f"late{number}") for number in range(20)]
    outcomes = race(*[
        lambda player=player: participation.join(rumble.pk, player_id=player.pk, actor=APP, at=AT)
        for player in players
    ])  # fmt: skip
    assert refused(outcomes) == 19
    world.settle()
    assert rumble.participants.filter(status="ACTIVE").count() == 4
    assert world.wallets(app.operator)[rumble.tournament.subject] == 400
    assert world.drift(app) == []


def test_one_player_who_joins_twice_at_once_is_in_once(app):
    rumble = world.make(app)
    player = world.player(app, "racera")
    outcomes = in_parallel(4, lambda: participation.join(rumble.pk, player_id=player.pk, actor=APP, at=AT))
    assert refused(outcomes) == 3
    assert world.wallets(app.operator) == {"racera": 900, "racera:held": 100}


def test_resolves_and_cancels_at_once_end_it_once(app):
    rumble = world.running(app, 4)
    world.score_all(rumble, 4)
    outcomes = race(
        *[lambda: tournaments.resolve(rumble.pk, actor=APP, at=THEN)] * 3,
        *[lambda: tournaments.cancel(rumble.pk, actor=APP, at=THEN)] * 3,
    )
    assert refused(outcomes) == 5
    assert ChainTransaction.objects.filter(direction="OUT").count() == 1
    won = isinstance(next(one for one in outcomes if not isinstance(one, Exception)), boards.Scoreboard)
    world.settle(LATER)
    assert world.status(rumble) == ("CLOSED" if won else "CANCELED")
    money = world.wallets(app.operator)
    assert money.get("racera") == (1152 if won else RICH)
    assert rumble.tournament.subject not in money
    assert world.drift(app) == []


def test_callbacks_and_workers_at_once_book_an_outcome_once(app):
    rumble = world.make(app)
    world.join(rumble, "racera")
    world.chain(AT)
    paying = ChainTransaction.objects.get()
    final, failed = chain.Sighting(chain.Sight.FINAL), chain.Sighting(chain.Sight.FAILED, error="no")
    outcomes = race(
        lambda: rail.note(paying.reference, final, at=THEN),
        lambda: rail.note(paying.reference, failed, at=THEN),
        lambda: rail.note(paying.reference, final, at=THEN),
        lambda: rail.advance(paying.pk, at=THEN),
        lambda: rail.advance(paying.pk, at=THEN),
    )
    assert refused(outcomes) == 0
    assert sum(one is True for one in outcomes) <= 1
    paying = ChainTransaction.objects.get()
    assert paying.status in {"FINAL", "FAILED"}
    money = world.wallets(app.operator)
    if paying.status == "FINAL":
        assert money == {"racera": 900, rumble.tournament.subject: 100}
    else:
        assert money == {"racera": RICH}
    assert world.drift(app) == []


def test_sign_reject_remove_and_cancel_at_once_do_one_of_them(app):
    app.signing = "player"
    app.save()
    rumble = world.make(app)
    seat = world.join(rumble, "racera")[0]
    public_id = seat.transaction.public_id
    outcomes = race(
        lambda: payments.sign(public_id, player_id=seat.player_id, actor=APP, at=AT),
        lambda: payments.reject(public_id, player_id=seat.player_id, actor=APP, at=AT),
        lambda: containers.remove_deposit(rumble.container_id, public_id, actor=APP, at=AT),
        lambda: tournaments.cancel(rumble.pk, actor=APP, at=AT),
    )
    refused(outcomes)
    signed = not isinstance(outcomes[0], Exception)
    # A signed payment stops a cancel; an unsigned one never does.
    assert isinstance(outcomes[3], DomainError) == signed
    world.settle()
    assert world.seats(rumble) == {"racera": "ACTIVE" if signed else "REMOVED"}
    assert world.drift(app) == []


def test_two_retries_of_a_failed_distribution_send_it_once(app):
    rumble = world.running(app, 4)
    world.score_all(rumble, 4)
    tournaments.resolve(rumble.pk, actor=APP, at=THEN)
    world.control(app, fail_next=1)
    world.settle(LATER)
    outcomes = in_parallel(4, lambda: tournaments.retry(rumble.pk, actor=APP, at=LATER))
    assert refused(outcomes) == 3
    assert ChainTransaction.objects.filter(direction="OUT").in_flight().count() == 1
    world.settle(LATER + timedelta(seconds=9))
    assert Tournament.objects.get(pk=rumble.pk).status == "CLOSED"
    assert world.drift(app) == []


def test_a_container_is_refunded_or_resolved_once(app):
    box = containers.create_container(app, actor=APP, at=AT)
    containers.deposit(box.pk, player_id=world.player(app, "racera").pk, units=300, actor=APP, at=AT)
    world.settle()
    actions = [containers.Action("devfarm12345", 300)]
    outcomes = race(
        *[lambda: containers.refund(box.pk, actor=APP, at=THEN)] * 2,
        *[lambda: containers.resolve_container(box.pk, actions, actor=APP, at=THEN)] * 2,
    )
    assert refused(outcomes) == 3
    world.settle(LATER)
    assert world.wallets(app.operator) in ({"racera": RICH}, {"racera": 700, "PLATFORM:eos:devfarm12345": 300})
    assert world.drift(app) == []
