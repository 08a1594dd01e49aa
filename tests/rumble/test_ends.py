"""Ends that nobody asked for, and ends that failed (rumble.md 4.2, 8, 2.1)."""

from datetime import timedelta

import pytest

from apps.core.errors import DomainError
from apps.ledger.models import ChainTransaction, Payout, SettlementPlan
from apps.rumble.services import payments, stopping, tournaments
from apps.rumble.services.ground import ContainerStopped
from apps.tournaments.services import entries, running, settlement
from tests.rumble import world
from tests.rumble.world import ADA, APP, AT, RICH, THEN

pytestmark = pytest.mark.django_db
LATER = THEN + timedelta(seconds=9)
OVER = AT + timedelta(hours=24)


@pytest.fixture
def app():
    return world.application()


def resolved(app):
    rumble = world.running(app, 4)
    world.score_all(rumble, 4)
    tournaments.resolve(rumble.pk, actor=APP, at=THEN)
    return rumble


def test_a_failed_distribution_moves_nothing_and_staff_send_the_same_amounts_again(app):
    rumble = resolved(app)
    plan = SettlementPlan.objects.get()
    before = world.wallets(app.operator)
    world.control(app, fail_next=1)
    world.settle(LATER)
    assert world.status(rumble) == "FAILED"
    assert world.wallets(app.operator) == before
    assert world.told(rumble)[-2:] == ["TransactionFromEscrowFailure", "RumbleTournamentStatusUpdated FAILED"]
    assert world.fresh(rumble).ended_at == LATER
    assert world.fresh(rumble).container.status == "locked"
    world.pay(rumble, LATER)
    assert world.status(rumble) == "FAILED"

    first = world.fresh(rumble).resolution
    tournaments.retry(rumble.pk, actor=ADA, at=LATER)
    again = world.fresh(rumble).resolution
    assert (world.status(rumble), again.units) == ("DISTRIBUTING_PRIZES", first.units)
    assert again.public_id != first.public_id
    assert [one.units for one in again.transfers.all()] == [one.units for one in first.transfers.all()]
    world.settle(LATER + timedelta(seconds=9))
    assert world.status(rumble) == "CLOSED"
    assert world.wallets(app.operator) == {
        "racera": 900 + 252, "racerb": 900 + 108, "racerc": 900, "racerd": 900,
        "PLATFORM:eos:devfarm12345": 20, "PLATFORM": 20,
    }  # fmt: skip
    assert SettlementPlan.objects.get() == plan
    assert set(Payout.objects.values_list("status", flat=True)) == {"PAID"}
    assert world.drift(app) == []


def test_a_failed_refund_is_failed_too_and_can_be_sent_again(app):
    rumble = world.running(app, 4)
    tournaments.cancel(rumble.pk, actor=APP, at=THEN)
    world.control(app, fail_next=2)
    world.settle(LATER)
    assert world.status(rumble) == "FAILED"
    settlement.resume(rumble.pk, actor=ADA, at=LATER)  # what the admin's button calls
    assert world.status(rumble) == "REFUNDING_PARTICIPANTS"
    world.settle(LATER + timedelta(seconds=9))
    assert world.status(rumble) == "FAILED"
    tournaments.retry(rumble.pk, actor=ADA, at=LATER)
    world.settle(LATER + timedelta(seconds=30))
    assert world.status(rumble) == "CANCELED"
    assert world.wallets(app.operator) == dict.fromkeys(world.names(4), RICH)
    assert world.drift(app) == []


def test_retrying_one_line_on_the_payout_board_sends_the_whole_plan_again(app):
    from apps.ledger.services import plans  # noqa: PLC0415 - here only

    rumble = resolved(app)
    world.control(app, fail_next=1)
    world.settle(LATER)
    plans.retry(Payout.objects.earliest("pk").pk, actor=ADA, at=LATER)
    world.pay(rumble, LATER)
    assert world.status(rumble) == "DISTRIBUTING_PRIZES"
    assert world.newest(rumble).units == 400
    world.settle(LATER + timedelta(seconds=9))
    assert world.status(rumble) == "CLOSED"
    assert world.drift(app) == []


def test_the_beat_asks_again_and_again_and_one_transaction_is_sent(app):
    rumble = resolved(app)
    for _ in range(3):
        world.pay(rumble, THEN)
    assert ChainTransaction.objects.filter(direction="OUT").count() == 1
    world.settle(LATER)
    world.pay(rumble, LATER)
    assert world.status(rumble) == "CLOSED"


@pytest.mark.parametrize("scored", [False, True])
def test_a_tournament_that_expires_is_refunded_in_full_and_never_resolved(app, scored):
    rumble = world.running(app, 4)
    if scored:
        world.score_all(rumble, 4)
    for refused in (
        lambda: world.score(rumble, racera=1, at=OVER),
        lambda: tournaments.resolve(rumble.pk, force=True, actor=APP, at=OVER),
    ):
        with pytest.raises(ContainerStopped):
            refused()
    world.beat(OVER)
    assert world.status(rumble) == "REFUNDING_PARTICIPANTS"
    assert world.told(rumble)[-3:] == [
        "ContainerExpired",
        "RumbleTournamentStatusUpdated REFUNDING_PARTICIPANTS",
        "TransactionFromEscrowCreated",
    ]
    world.settle(OVER + timedelta(seconds=3))
    assert world.status(rumble) == "CANCELED"
    assert world.fresh(rumble).container.status == "expired"
    assert world.wallets(app.operator) == dict.fromkeys(world.names(4), RICH)
    assert world.drift(app) == []


def test_an_expiring_tournament_waits_for_a_payment_on_the_chain_and_refunds_it_with_the_rest(app):
    rumble = world.make(app)
    world.join(rumble, "racera")
    world.settle()
    world.control(app, hold=True)
    world.join(rumble, "racerb", at=OVER - timedelta(seconds=1))
    app.signing = "player"
    app.save()
    world.join(rumble, "racerc", at=OVER - timedelta(seconds=1))
    world.chain(OVER - timedelta(seconds=1))
    world.beat(OVER)
    assert world.status(rumble) == "WAITING_FOR_PARTICIPANTS"
    assert world.seats(rumble) == {"racera": "ACTIVE", "racerb": "PROCESSING_PAYMENT", "racerc": "REMOVED"}
    with pytest.raises(DomainError):
        world.join(rumble, "racerd", at=OVER)
    world.control(app, hold=False)
    world.chain(OVER + timedelta(seconds=9))
    assert world.status(rumble) == "REFUNDING_PARTICIPANTS"
    world.settle(OVER + timedelta(seconds=19))
    assert world.status(rumble) == "CANCELED"
    assert world.wallets(app.operator) == dict.fromkeys(world.names(4), RICH)
    assert world.drift(app) == []


def test_expiry_without_money_cancels_at_once_and_leaves_a_running_payout_alone(app):
    empty, paying = world.make(app), resolved(app)
    world.beat(OVER)
    world.beat(OVER)
    assert world.status(empty) == "CANCELED"
    assert world.told(empty) == ["ContainerExpired", "RumbleTournamentCanceled CANCELED"]
    assert world.status(paying) == "DISTRIBUTING_PRIZES"
    world.settle(OVER + timedelta(seconds=9))
    assert world.status(paying) == "CLOSED"
    assert world.drift(app) == []


def test_a_refreshed_tournament_lives_longer(app):
    from apps.rumble.services import containers  # noqa: PLC0415 - here only

    rumble = world.make(app)
    containers.refresh(rumble.container_id, actor=APP, at=AT + timedelta(hours=5))
    world.beat(OVER)
    assert world.status(rumble) == "WAITING_FOR_PARTICIPANTS"
    world.beat(AT + timedelta(hours=29))
    assert world.status(rumble) == "CANCELED"


def test_an_inactivated_application_gives_everything_back(app):
    from apps.rumble.services import containers  # noqa: PLC0415 - here only

    paid, empty, ending = world.make(app), world.make(app), resolved(app)
    world.join(paid, "racera")
    box = containers.create_container(app, actor=APP, at=AT)
    containers.deposit(box.pk, player_id=world.player(app, "racerz").pk, units=7, actor=APP, at=AT)
    world.settle()
    world.control(app, hold=True)
    pending = world.make(app)
    world.join(pending, "racerb", at=THEN)
    world.chain(THEN)
    assert stopping.cancel_everything(app, actor=ADA, at=THEN) == 4
    with pytest.raises(ContainerStopped):
        world.join(empty, "racerc", at=THEN)
    world.beat(THEN)
    assert [world.status(one) for one in (paid, empty, pending, ending)] == [
        "REFUNDING_PARTICIPANTS", "CANCELED", "WAITING_FOR_PARTICIPANTS", "DISTRIBUTING_PRIZES",
    ]  # fmt: skip
    world.control(app, hold=False)
    for seconds in (9, 20, 30):
        world.settle(THEN + timedelta(seconds=seconds))
    assert [world.status(one) for one in (paid, empty, pending, ending)] == [
        "CANCELED", "CANCELED", "CANCELED", "CLOSED",
    ]  # fmt: skip
    assert containers.find_container(app.pk, box.pk).status == "resolved"
    assert world.wallets(app.operator)["racerz"] == RICH
    assert world.drift(app) == []


def test_staff_end_a_rumble_tournament_by_its_own_rules(app):
    rumble = world.running(app, 4)
    world.score(rumble, racera=1)
    with pytest.raises(tournaments.ScoresMissing):
        running.complete(rumble.pk, actor=ADA, at=THEN)
    with pytest.raises(DomainError):
        entries.register(rumble.pk, user_id="stranger", display_name="Stranger", actor=ADA, at=THEN)
    with pytest.raises(DomainError):
        entries.remove(rumble.participants.first().entry_id, reason="voluntary_exit", actor=ADA, at=THEN)
    world.score_all(rumble, 4)
    running.complete(rumble.pk, actor=ADA, at=THEN)
    world.settle(LATER)
    assert world.status(rumble) == "CLOSED"
    assert world.told(rumble)[-1] == "RumbleTournamentClosed CLOSED"


def test_what_a_reorganisation_has_forgotten_is_submitted_again(app):
    from apps.ledger.models import SimulatedTransaction  # noqa: PLC0415 - here only

    rumble = world.make(app)
    world.join(rumble, "racera")
    world.chain(AT)
    assert world.newest(rumble).status == "SUBMITTED"
    SimulatedTransaction.objects.all().delete()
    world.chain(THEN)
    assert world.seats(rumble) == {"racera": "PROCESSING_PAYMENT"}
    assert world.wallets(app.operator) == {"racera": 900, "racera:held": 100}
    world.chain(LATER)
    world.chain(LATER + timedelta(seconds=3))
    assert world.seats(rumble) == {"racera": "ACTIVE"}
    assert world.drift(app) == []


def test_money_that_waits_for_a_signature_is_nobodys_business_but_the_players(app):
    app.signing = "player"
    app.save()
    rumble = world.make(app)
    seat = world.join(rumble, "racera")[0]
    world.beat(OVER)
    assert world.seats(rumble) == {"racera": "REMOVED"}
    with pytest.raises(payments.PaymentNotWaiting):
        payments.sign(seat.transaction.public_id, player_id=seat.player_id, actor=APP, at=OVER)
    assert world.wallets(app.operator) == {"racera": RICH}
