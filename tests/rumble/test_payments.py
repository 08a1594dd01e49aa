"""What a payment does to a participant and to a player's money (rumble.md 4.3, 6.2)."""

from datetime import timedelta

import pytest

from apps.ledger import chain
from apps.ledger.lifecycle import ChainStatus
from apps.ledger.models import ChainTransaction, Hold, Journal
from apps.ledger.services import rail
from apps.operators.services import admission
from apps.rumble.services import containers, participation, payments, tournaments
from apps.rumble.services.ground import BalanceTooLow, PaymentInProgress
from tests.rumble import world
from tests.rumble.world import APP, AT, RICH, THEN

pytestmark = pytest.mark.django_db


@pytest.fixture
def app():
    return world.application(signing="player")


def sign(seat, at=AT):
    return payments.sign(seat.transaction.public_id, player_id=seat.player_id, actor=APP, at=at)


def test_a_fee_is_nobodys_between_signature_and_finality(app):
    rumble = world.make(app)
    seat = world.join(rumble, "racera")[0]
    assert world.wallets(app.operator) == {"racera": RICH}
    assert seat.status == "WAITING_PAYMENT"
    sign(seat)
    assert world.wallets(app.operator) == {"racera": RICH - 100, "racera:held": 100}
    assert world.seats(rumble) == {"racera": "PROCESSING_PAYMENT"}
    world.chain(AT)
    world.chain(AT + timedelta(seconds=1))
    assert world.seats(rumble) == {"racera": "PROCESSING_PAYMENT"}
    world.chain(THEN)
    assert world.wallets(app.operator) == {"racera": RICH - 100, rumble.tournament.subject: 100}
    assert world.seats(rumble) == {"racera": "ACTIVE"}
    assert rumble.participants.get().joined_at == THEN
    assert world.drift(app) == []


def test_what_is_held_can_not_be_spent_twice(app):
    world.player(app, "racera", units=150)
    first, second = world.make(app), world.make(app)
    seats = [*world.join(first, "racera"), *world.join(second, "racera")]
    sign(seats[0])
    with pytest.raises(BalanceTooLow):
        sign(seats[1])
    assert world.wallets(app.operator) == {"racera": 50, "racera:held": 100}
    assert world.seats(second) == {"racera": "WAITING_PAYMENT"}
    assert world.drift(app) == []


def test_joining_without_the_money_is_refused_and_leaves_nothing(app):
    world.player(app, "racera", units=99)
    rumble = world.make(app)
    with pytest.raises(BalanceTooLow):
        world.join(rumble, "racera")
    assert rumble.participants.count() == 0
    assert world.told(rumble) == []


def test_a_failed_payment_gives_everything_back(app):
    rumble = world.make(app)
    world.control(app, fail_next=1)
    sign(world.join(rumble, "racera")[0])
    world.settle()
    assert world.seats(rumble) == {"racera": "REMOVED"}
    assert world.wallets(app.operator) == {"racera": RICH}
    assert world.told(rumble)[-2:] == [
        "TransactionToEscrowFailure",
        "RumbleTournamentParticipantStatusUpdated REMOVED",
    ]
    assert Hold.objects.get().status == "RELEASED"
    # They may join again, as another participant.
    again = world.join(rumble, "racera", at=THEN)[0]
    sign(again, THEN)
    world.settle(THEN + timedelta(seconds=5))
    assert [one.status for one in rumble.participants.order_by("pk")] == ["REMOVED", "ACTIVE"]
    assert participation.participant(rumble.pk, user_id=world.user(rumble, "racera")).pk == again.pk
    assert world.drift(app) == []


def test_a_refused_payment_removes_the_participant(app):
    rumble = world.make(app)
    seat = world.join(rumble, "racera")[0]
    payments.reject(seat.transaction.public_id, player_id=seat.player_id, actor=APP, at=AT)
    assert world.seats(rumble) == {"racera": "REMOVED"}
    assert world.told(rumble)[-2] == "TransactionToEscrowRejected"
    for late in (sign, lambda seat: payments.reject(seat.transaction.public_id, player_id=seat.player_id,
                                                    actor=APP, at=AT)):  # fmt: skip
        with pytest.raises(payments.PaymentNotWaiting):
            late(seat)


def test_ten_minutes_without_a_signature_remove_the_participant(app):
    rumble = world.make(app)
    seat = world.join(rumble, "racera")[0]
    world.chain(AT + timedelta(minutes=9, seconds=59))
    assert world.seats(rumble) == {"racera": "WAITING_PAYMENT"}
    # Too late, though the beat has not come yet.
    with pytest.raises(payments.PaymentNotWaiting):
        sign(seat, AT + timedelta(minutes=10))
    world.chain(AT + timedelta(minutes=10))
    assert world.seats(rumble) == {"racera": "REMOVED"}
    assert world.told(rumble)[-2] == "TransactionToEscrowExpired"
    assert list(payments.waiting(seat.player_id)) == []


def test_only_the_player_whose_payment_it_is_can_sign_it(app):
    seat = world.join(world.make(app), "racera")[0]
    with pytest.raises(payments.PaymentNotFound):
        payments.sign(seat.transaction.public_id, player_id=world.player(app, "racerb").pk, actor=APP, at=AT)
    with pytest.raises(payments.PaymentNotFound):
        payments.sign("nonsense", player_id=seat.player_id, actor=APP, at=AT)
    assert [one.units for one in payments.waiting(seat.player_id)] == [100]


def test_one_callback_ends_a_transaction_once(app):
    rumble = world.make(app)
    sign(world.join(rumble, "racera")[0])
    world.chain(AT)
    paying = ChainTransaction.objects.get()
    final = chain.Sighting(chain.Sight.FINAL, confirmations=9)
    failed = chain.Sighting(chain.Sight.FAILED, error="late")
    assert rail.note(paying.reference, final, at=THEN) is True
    journals = Journal.objects.count()
    for again in (final, failed, chain.Sighting(chain.Sight.UNKNOWN), chain.Sighting(chain.Sight.PENDING)):
        assert rail.note(paying.reference, again, at=THEN) is False
    world.chain(THEN)
    paying = ChainTransaction.objects.get()
    assert (paying.status, paying.confirmations) == (ChainStatus.FINAL, 9)
    assert Journal.objects.count() == journals
    assert world.seats(rumble) == {"racera": "ACTIVE"}
    with pytest.raises(rail.TransactionUnknown):
        rail.note("sim-nobody", final, at=THEN)


def test_a_payment_that_is_final_counts_though_the_player_was_blocked_meanwhile(app):
    rumble = world.make(app)
    seat = world.join(rumble, "racera")[0]
    sign(seat)
    player = seat.player
    player.block_kind, player.blocked_at = "SUSPENDED", AT
    player.save()
    world.settle()
    assert world.seats(rumble) == {"racera": "ACTIVE"}
    with pytest.raises(admission.PlayerBlocked):
        world.join(world.make(app), "racera")


def test_cancel_is_refused_while_a_payment_is_on_the_chain(app):
    rumble = world.make(app)
    sign(world.join(rumble, "racera")[0])
    with pytest.raises(PaymentInProgress):
        tournaments.cancel(rumble.pk, actor=APP, at=AT)
    assert world.status(rumble) == "WAITING_FOR_PARTICIPANTS"
    world.settle()
    tournaments.cancel(rumble.pk, actor=APP, at=THEN)
    assert world.status(rumble) == "REFUNDING_PARTICIPANTS"
    world.settle(THEN + timedelta(seconds=9))
    assert world.status(rumble) == "CANCELED"
    assert world.wallets(app.operator) == {"racera": RICH}
    assert [one.wire_status for one in rumble.container.deposits.all()] == ["refunded"]
    assert world.seats(rumble) == {"racera": "ACTIVE"}
    assert world.drift(app) == []


def test_cancel_withdraws_unsigned_requests_and_ends_at_once_when_nothing_was_paid(app):
    rumble = world.make(app)
    world.join(rumble, "racera")
    tournaments.cancel(rumble.pk, actor=APP, at=AT)
    assert world.status(rumble) == "CANCELED"
    assert world.seats(rumble) == {"racera": "REMOVED"}
    assert world.told(rumble)[-2:] == [
        "RumbleTournamentParticipantStatusUpdated REMOVED",
        "RumbleTournamentCanceled CANCELED",
    ]
    assert world.drift(app) == []


def test_an_unsigned_request_can_be_removed_and_frees_the_seat(app):
    rumble = world.make(app, rules=((2, (100,)),), max_participants=2)
    seats = world.join(rumble, "racera", "racerb")
    with pytest.raises(participation.TournamentFull):
        world.join(rumble, "racerc")
    containers.remove_deposit(rumble.container_id, seats[0].transaction.public_id, actor=APP, at=AT)
    assert world.seats(rumble) == {"racera": "REMOVED", "racerb": "WAITING_PAYMENT"}
    world.join(rumble, "racerc")
    sign(seats[1])
    with pytest.raises(payments.PaymentNotWaiting):
        containers.remove_deposit(rumble.container_id, seats[1].transaction.public_id, actor=APP, at=AT)


def test_a_player_is_in_once(app):
    rumble = world.make(app)
    world.join(rumble, "racera")
    with pytest.raises(participation.AlreadyIn):
        world.join(rumble, "racera")


def test_who_disconnects_keeps_what_is_signed_and_loses_what_is_not(app):
    first, second = world.make(app), world.make(app)
    paid = world.join(first, "racera")[0]
    sign(paid)
    world.join(second, "racera")
    assert participation.withdraw_unsigned(app.pk, paid.player_id, actor=APP, at=AT) == 1
    world.settle()
    assert (world.seats(first), world.seats(second)) == ({"racera": "ACTIVE"}, {"racera": "REMOVED"})


def test_settings_changes_touch_later_tournaments_only(app):
    from apps.rumble.services import templates  # noqa: PLC0415 - here only

    rumble = world.make(app)
    templates.edit_settings(rumble.settings_id, templates.SettingsChanges(fee=150), actor=APP, at=AT)
    world.join(rumble, "racera")
    assert ChainTransaction.objects.get().units == 100
