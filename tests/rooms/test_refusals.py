"""What a room refuses, and that a refusal moves nothing: no money, no facts, no members, no allowance."""

from datetime import timedelta

import pytest

from apps.ledger.services import transfers
from apps.rooms import errors, operations
from apps.rooms.models import Allowance, Room
from apps.rooms.operations import Entry, Game
from apps.rooms.services import performing
from tests.factories import OperatorFactory
from tests.rooms.floor import AT, GAME, Floor

TOMORROW = AT + timedelta(days=1)


@pytest.fixture
def refused(floor):
    """Have an operation refused, and nothing moved; return the refusal."""

    def check(kind: type[errors.RoomError], operation, *, at=AT) -> errors.RoomError:
        before = floor.everything()
        with pytest.raises(errors.RoomError) as caught:
            floor.do(operation, at=at)
        assert type(caught.value) is kind
        assert floor.everything() == before
        return caught.value

    return check


def test_a_room_of_nobody_of_another_game_or_of_another_operator_is_missing(floor, refused):
    room = floor.room(ana=5)
    for game, number in (
        (floor.game, room.pk + 999),
        (Game(floor.operator.pk, "chess"), room.pk),
        (Game(OperatorFactory().pk, "ludo"), room.pk),
    ):
        assert refused(errors.RoomNotFound, operations.end(game, number)).code == "ROOM_NOT_FOUND"


def test_after_its_end_a_room_does_nothing(floor, refused):
    room = floor.room(ana=5)
    floor.do(operations.earn_leave_end(floor.game, room.pk, floor.entries(ana=5)))
    game, ids = floor.game, floor.ids("ana")
    for operation in (
        operations.join(game, room.pk, ids),
        operations.pay(game, room.pk, floor.entries(ana=1)),
        operations.earn(game, room.pk, floor.entries(ana=0)),
        operations.leave(game, room.pk, ids),
        operations.join_pay(game, room.pk, floor.entries(ana=1)),
        operations.earn_leave(game, room.pk, floor.entries(ana=0)),
        operations.earn_leave_end(game, room.pk, floor.entries(ana=0)),
    ):
        refused(errors.RoomEnded, operation)


def test_from_the_moment_it_expires_a_room_is_neither_joined_nor_paid(floor, refused):
    room = floor.room(ana=5)
    for operation in (
        operations.join(floor.game, room.pk, floor.ids("bo")),
        operations.pay(floor.game, room.pk, floor.entries(ana=1)),
        operations.join_pay(floor.game, room.pk, floor.entries(bo=1)),
    ):
        refused(errors.RoomExpired, operation, at=TOMORROW)
        with_time = TOMORROW - timedelta(microseconds=1)
        assert operation.room_id == room.pk
    floor.do(operations.join(floor.game, room.pk, floor.ids("bo")), at=with_time)


def test_a_full_room_lets_nobody_in(floor, refused):
    told = floor.do(operations.create(floor.game, max_players=1))
    room = Room.objects.get(pk=told["roomId"])
    assert refused(errors.RoomFull, operations.join(floor.game, room.pk, floor.ids("ana", "bo"))).details == {
        "maxPlayers": 1
    }
    floor.do(operations.join(floor.game, room.pk, floor.ids("ana")))
    refused(errors.RoomFull, operations.join(floor.game, room.pk, floor.ids("bo")))
    floor.do(operations.join(floor.game, room.pk, floor.ids("ana")))
    floor.do(operations.leave(floor.game, room.pk, floor.ids("ana")))
    floor.do(operations.join(floor.game, room.pk, floor.ids("bo")))


def test_a_room_that_would_be_too_full_is_not_even_created(floor, refused):
    refused(errors.RoomFull, operations.create_join_pay(floor.game, floor.entries(ana=1, bo=1), max_players=1))
    assert not Room.objects.exists()


def test_whoever_is_not_in_can_neither_pay_nor_earn_nor_leave(floor, refused):
    room = floor.room(ana=5)
    for operation in (
        operations.pay(floor.game, room.pk, floor.entries(ana=1, bo=1)),
        operations.earn(floor.game, room.pk, floor.entries(ana=1, bo=0)),
        operations.leave(floor.game, room.pk, floor.ids("ana", "bo")),
        operations.earn_leave(floor.game, room.pk, floor.entries(bo=1)),
        operations.earn_leave_end(floor.game, room.pk, floor.entries(ana=4, bo=1)),
    ):
        refusal = refused(errors.NotJoined, operation)
        assert refusal.message == "Player is not joined: bo"
        assert refusal.early


def test_a_payment_needs_an_approval_that_is_there_and_has_not_run_out(floor, refused):
    floor.player("cy", approved=None)
    floor.player("di")
    floor.approve("di", 100, until=AT)
    floor.player("eve")
    floor.approve("eve", 0)
    refusal = refused(
        errors.NotApproved, operations.create_join_pay(floor.game, floor.entries(cy=1, di=1, eve=1, ana=1))
    )
    assert refusal.details["errors"] == [f"User not approved: {name}" for name in ("cy", "di", "eve")]
    assert refusal.message == "; ".join(refusal.details["errors"])


def test_the_allowance_covers_the_sum_of_what_a_player_pays(floor, refused):
    floor.approve("ana", 5)
    room = floor.room()
    floor.do(operations.join(floor.game, room.pk, floor.ids("ana")))
    game, twice = floor.game, [*floor.entries(ana=3), *floor.entries(ana=3)]
    for operation in (
        operations.pay(game, room.pk, twice),
        operations.join_pay(game, room.pk, twice),
        operations.create_join_pay(game, twice),
        operations.create_join_pay(game, floor.entries(bo=1, ana=6)),
    ):
        assert refused(errors.AllowanceInsufficient, operation).message == "Insufficient allowance: ana"
    floor.do(operations.pay(game, room.pk, floor.entries(ana=5)))
    assert floor.allowance("ana") == 0


def test_an_allowance_is_for_one_game_and_one_token(floor, refused):
    other = Game(floor.operator.pk, "chess", floor.game.names)
    refused(errors.NotApproved, operations.create_join_pay(other, floor.entries(ana=1)))
    refused(errors.NotApproved, operations.create_join_pay(floor.game, floor.entries("USD", ana=1)))


def test_nobody_pays_what_they_do_not_have(floor, refused):
    floor.approve("bo", 500)
    refusal = refused(errors.InsufficientBalance, operations.create_join_pay(floor.game, floor.entries(ana=1, bo=101)))
    assert (refusal.code, refusal.early) == ("INSUFFICIENT_BALANCE", False)
    assert not Room.objects.exists()


def test_a_room_never_pays_out_more_than_it_holds(floor, refused):
    room = floor.room(ana=5)
    for operation in (
        operations.earn(floor.game, room.pk, floor.entries(ana=6)),
        operations.earn(floor.game, room.pk, floor.entries(ana=5, house=1)),
        operations.earn_leave(floor.game, room.pk, [*floor.entries(ana=3), *floor.entries(ana=3)]),
        operations.earn(floor.game, room.pk, floor.entries("USD", ana=1)),
    ):
        refused(errors.InsufficientRoomBalance, operation)
    assert floor.held(room) == 5


def test_a_room_that_holds_anything_does_not_end(floor, refused):
    floor.player("ana", funds=5, approved=5, asset="USD")
    room = floor.room(ana=5)
    refused(errors.RoomNotEmpty, operations.end(floor.game, room.pk))
    refusal = refused(errors.RoomNotEmpty, operations.earn_leave_end(floor.game, room.pk, floor.entries(ana=3)))
    assert refusal.message == "Room still holds 2 upx; pay it out before ending"
    floor.do(operations.pay(floor.game, room.pk, floor.entries("USD", ana=120)))
    refusal = refused(errors.RoomNotEmpty, operations.earn_leave_end(floor.game, room.pk, floor.entries(ana=5)))
    assert refusal.message == "Room still holds 1.2 usd; pay it out before ending"


def test_a_blocked_player_neither_joins_nor_pays(floor, refused):
    room = floor.room(ana=5)
    ana = floor.people["ana"]
    ana.block_kind, ana.blocked_at, ana.blocked_until = "SELF_EXCLUDED", AT, TOMORROW
    ana.save()
    for operation in (
        operations.pay(floor.game, room.pk, floor.entries(ana=1)),
        operations.create_join_pay(floor.game, floor.entries(bo=1, ana=1)),
    ):
        assert refused(errors.PlayerMayNotPlay, operation).code == "PLAYER_BLOCKED"
    floor.do(operations.create_join_pay(floor.game, floor.entries(bo=1, ana=1)), at=TOMORROW)


def test_tokens_players_and_amounts_must_be_real(floor, refused):
    floor.operator.assets.filter(code="USD").update(enabled=False)
    ana = floor.people["ana"].pk
    for operation, kind in (
        (operations.create_join_pay(floor.game, [Entry(ana, "GOLD", 1)]), errors.TokenInvalid),
        (operations.create_join_pay(floor.game, [Entry(ana, "USD", 1)]), errors.TokenInvalid),
        (operations.create_join_pay(floor.game, [Entry(ana, "UPX", -1)]), errors.AmountInvalid),
        (operations.create_join_pay(floor.game, [Entry(None, "UPX", 1)]), errors.NotJoined),
        (operations.create_join_pay(floor.game, [Entry(2**40, "UPX", 1)]), errors.PlayerNotFound),
        (operations.create_join_pay(Floor().game, [Entry(ana, "UPX", 1)]), errors.PlayerNotFound),
    ):
        refused(kind, operation)
    room = floor.room(ana=5)
    refused(errors.AmountInvalid, operations.earn(floor.game, room.pk, floor.entries(ana=-1)))


def test_what_rooms_hold_of_a_token_that_was_switched_off_is_still_paid_out(floor):
    room = floor.room(ana=5)
    floor.operator.assets.filter(code="UPX").update(enabled=False)
    floor.do(operations.earn_leave_end(floor.game, room.pk, floor.entries(ana=5)))
    assert floor.wallet("ana") == 100


def test_a_wallet_emptied_since_it_was_read_is_an_insufficient_balance(floor, monkeypatch):
    """The constraint speaks where the look came too early, and says the same."""
    hold = performing.hold

    def hold_and_be_overtaken(operation):
        held = hold(operation)
        transfers.withdraw(floor.people["ana"].pk, asset_code="UPX", amount="100", reference="w", actor=GAME, at=AT)
        return held

    monkeypatch.setattr(performing, "hold", hold_and_be_overtaken)
    with pytest.raises(errors.InsufficientBalance):
        floor.do(operations.create_join_pay(floor.game, floor.entries(ana=1)))
    assert not Room.objects.exists()
    assert floor.wallet("ana") == 100


@pytest.mark.parametrize("change", [{"units": 0}, {"expires_at": AT}])
def test_an_allowance_revoked_since_it_was_read_is_not_spent(floor, monkeypatch, change):
    hold = performing.hold

    def hold_and_be_overtaken(operation):
        held = hold(operation)
        Allowance.objects.filter(player=floor.people["bo"]).update(**change)
        return held

    monkeypatch.setattr(performing, "hold", hold_and_be_overtaken)
    with pytest.raises(errors.AllowanceInsufficient):
        floor.submit(operations.create_join_pay(floor.game, floor.entries(ana=1, bo=1)))
    assert not Room.objects.exists()
    assert (floor.wallet("ana"), floor.wallet("bo"), floor.allowance("ana")) == (100, 100, 100)
