"""Containers of their own (rumble.md 3.18 to 3.27, 6.1)."""

from datetime import timedelta

import pytest

from apps.core.errors import DomainError, Invalid
from apps.rumble.models import Container
from apps.rumble.services import containers, payments, stopping
from apps.rumble.services.containers import Action
from apps.rumble.services.ground import ContainerStopped, PaymentInProgress
from tests.rumble import world
from tests.rumble.world import APP, AT, RICH, THEN

pytestmark = pytest.mark.django_db
LATER = THEN + timedelta(seconds=9)


@pytest.fixture
def app():
    return world.application()


@pytest.fixture
def box(app):
    return containers.create_container(app, actor=APP, at=AT)


def put(box, name, units, at=AT):
    player = world.player(box.application, name)
    return containers.deposit(box.pk, player_id=player.pk, units=units, actor=APP, at=at)


def status(box):
    return Container.objects.get(pk=box.pk).status


def words(box):
    return [one.wire_status for one in containers.holdings(Container.objects.get(pk=box.pk)).deposits]


def test_a_container_lives_as_long_as_its_application_says_or_shorter(app):
    assert containers.create_container(app, actor=APP, at=AT).expires_at == AT + timedelta(hours=24)
    assert containers.create_container(app, hours=2, actor=APP, at=AT).expires_at == AT + timedelta(hours=2)
    assert containers.create_container(app, hours=99, actor=APP, at=AT).expires_at == AT + timedelta(hours=24)


def test_only_what_is_final_counts_as_inside(app, box):
    put(box, "racera", 500)
    assert containers.holdings(box).upx == 0
    assert words(box) == ["changing_ownership"]
    world.settle()
    assert containers.holdings(box).upx == 500
    assert words(box) == ["in_escrow"]
    assert world.wallets(app.operator) == {"racera": 500, box.subject: 500}


def test_resolve_sends_everything_to_where_the_actions_say(app, box):
    put(box, "racera", 300)
    put(box, "racerb", 200)
    world.settle()
    actions = [Action("racera", 450), Action("devfarm12345", 50)]
    leaving = containers.resolve_container(box.pk, actions, actor=APP, at=THEN)
    assert status(box) == "resolving"
    assert world.wallets(app.operator) == {"racera": 700, "racerb": 800, box.subject: 500}
    world.settle(LATER)
    assert status(box) == "resolved"
    assert world.wallets(app.operator) == {"racera": 1150, "racerb": 800, "PLATFORM:eos:devfarm12345": 50}
    assert world.told(box.subject)[-2:] == ["TransactionFromEscrowCreated", "TransactionFromEscrowFinal"]
    assert leaving.units == 500
    assert world.drift(app) == []


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        ([Action("racera", 299)], "must cover every asset"),
        ([Action("racera", 301)], "must cover every asset"),
        ([Action("racera", 300), Action("racera", 0)], "above 0"),
        ([Action("nobody11111", 300)], "no user connected"),
        ([], "1 to 1000"),
    ],
)
def test_actions_that_do_not_cover_exactly_what_is_inside_are_refused(app, box, actions, message):
    put(box, "racera", 300)
    world.settle()
    with pytest.raises(Invalid, match=message):
        containers.resolve_container(box.pk, actions, actor=APP, at=THEN)
    assert status(box) == "created"
    assert world.wallets(app.operator) == {"racera": 700, box.subject: 300}


def test_nothing_leaves_while_a_payment_is_on_the_chain(app, box):
    put(box, "racera", 300)
    with pytest.raises(PaymentInProgress):
        containers.resolve_container(box.pk, [Action("racera", 300)], actor=APP, at=AT)
    with pytest.raises(PaymentInProgress):
        containers.refund(box.pk, actor=APP, at=AT)
    assert status(box) == "created"


def test_refund_gives_everything_back_without_fees(app, box):
    put(box, "racera", 300)
    put(box, "racera", 30)
    put(box, "racerb", 200)
    world.settle()
    containers.refund(box.pk, actor=APP, at=THEN)
    world.settle(LATER)
    assert status(box) == "resolved"
    assert words(box) == ["refunded"] * 3
    assert world.wallets(app.operator) == {"racera": RICH, "racerb": RICH}
    assert world.drift(app) == []


def test_an_empty_container_is_refunded_without_a_transaction(app, box):
    assert containers.refund(box.pk, actor=APP, at=AT) is None
    assert status(box) == "resolved"
    with pytest.raises(containers.ContainerClosed):
        containers.refund(box.pk, actor=APP, at=AT)


def test_a_failed_resolution_leaves_everything_inside_and_another_may_follow(app, box):
    put(box, "racera", 300)
    world.settle()
    world.control(app, fail_next=1)
    containers.resolve_container(box.pk, [Action("devfarm12345", 300)], actor=APP, at=THEN)
    world.settle(LATER)
    assert status(box) == "locked"
    assert world.wallets(app.operator) == {"racera": 700, box.subject: 300}
    assert world.told(box.subject)[-1] == "TransactionFromEscrowFailure"
    containers.resolve_container(box.pk, [Action("racera", 300)], actor=APP, at=LATER)
    world.settle(LATER + timedelta(seconds=9))
    assert status(box) == "resolved"
    assert world.wallets(app.operator) == {"racera": RICH}
    assert world.drift(app) == []


def test_lock_and_unlock_can_be_repeated_and_keep_new_players_out(app, box):
    put(box, "racera", 10)
    for _ in range(2):
        assert containers.lock(box.pk, actor=APP, at=AT).status == "locked"
    put(box, "racera", 10)
    with pytest.raises(containers.ContainerClosed):
        put(box, "racerb", 10)
    for _ in range(2):
        assert containers.unlock(box.pk, actor=APP, at=AT).status == "created"
    put(box, "racerb", 10)


def test_a_container_locks_itself_at_its_limit_of_users(app):
    box = containers.create_container(app, user_limit=2, actor=APP, at=AT)
    assert put(box, "racera", 10).reached_limit is False
    assert put(box, "racera", 10).reached_limit is False
    assert put(box, "racerb", 10).reached_limit is True
    assert status(box) == "locked"
    with pytest.raises(containers.ContainerClosed):
        put(box, "racerc", 10)


def test_the_clock_restarts_once(app, box):
    later = AT + timedelta(hours=5)
    assert containers.refresh(box.pk, actor=APP, at=later).expires_at == later + timedelta(hours=24)
    with pytest.raises(containers.AlreadyRefreshed):
        containers.refresh(box.pk, actor=APP, at=later)


def test_an_expired_container_takes_nothing_and_goes_back_to_its_owners(app, box):
    put(box, "racera", 300)
    world.settle()
    over = AT + timedelta(hours=24)
    for refused in (
        lambda: put(box, "racerb", 10, at=over),
        lambda: containers.refresh(box.pk, actor=APP, at=over),
        lambda: containers.resolve_container(box.pk, [Action("racera", 300)], actor=APP, at=over),
    ):
        with pytest.raises(ContainerStopped):
            refused()
    world.beat(over)
    assert status(box) == "expired"
    world.beat(over)
    world.settle(over + timedelta(seconds=3))
    assert world.wallets(app.operator) == {"racera": RICH, "racerb": RICH}
    assert words(box) == ["refunded"]
    assert world.told(box.subject)[-3:] == [
        "ContainerExpired",
        "TransactionFromEscrowCreated",
        "TransactionFromEscrowFinal",
    ]
    assert world.drift(app) == []


def test_staff_refund_again_what_the_chain_refused(app, box):
    put(box, "racera", 300)
    world.settle()
    over = AT + timedelta(hours=24)
    world.control(app, fail_next=1)
    world.beat(over)
    world.settle(over + timedelta(seconds=3))
    assert status(box) == "expired"
    assert world.wallets(app.operator) == {"racera": 700, box.subject: 300}
    assert stopping.due(over) == []
    containers.refund_again(box.pk, actor=world.ADA, at=over)
    world.settle(over + timedelta(seconds=9))
    assert world.wallets(app.operator) == {"racera": RICH}
    with pytest.raises(containers.ContainerClosed):
        containers.refund_again(box.pk, actor=world.ADA, at=over)
    assert world.drift(app) == []


def test_a_tournaments_container_belongs_to_its_tournament(app):
    rumble = world.make(app)
    number = rumble.container_id
    player = world.player(app, "racera")
    for refused in (
        lambda: containers.deposit(number, player_id=player.pk, units=1, actor=APP, at=AT),
        lambda: containers.lock(number, actor=APP, at=AT),
        lambda: containers.unlock(number, actor=APP, at=AT),
        lambda: containers.refund(number, actor=APP, at=AT),
        lambda: containers.resolve_container(number, [Action("racera", 1)], actor=APP, at=AT),
        lambda: containers.refund_again(number, actor=APP, at=AT),
    ):
        with pytest.raises(containers.BelongsToTournament):
            refused()
    assert containers.refresh(number, actor=APP, at=AT).refreshed_at == AT
    assert containers.find_container(app.pk, number).rumble == rumble


def test_a_developer_puts_in_their_own_without_a_signature(app, box):
    with pytest.raises(containers.NoDeveloper):
        containers.deposit_own(box.pk, units=5, actor=APP, at=AT)
    app.developer_eos_id, app.signing = "racera", "player"
    app.save()
    world.player(app, "racera")
    containers.deposit_own(box.pk, units=5, actor=APP, at=AT)
    world.settle()
    assert world.wallets(app.operator) == {"racera": 995, box.subject: 5}


def test_an_unsigned_deposit_can_be_removed(app, box):
    app.signing = "player"
    app.save()
    asked = put(box, "racera", 5)
    containers.remove_deposit(box.pk, asked.transaction_public_id, actor=APP, at=AT)
    assert words(box) == ["removed"]
    player = world.player(app, "racera")
    with pytest.raises(payments.PaymentNotWaiting):
        payments.sign(asked.transaction_public_id, player_id=player.pk, actor=APP, at=AT)


def test_another_applications_container_is_unknown(app, box):
    with pytest.raises(DomainError):
        containers.find_container(world.application().pk, box.pk)
