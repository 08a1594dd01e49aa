"""Many at once: money is never made, lost or taken twice."""

import pytest
from django.db import connection
from django.db.models import Count

from apps.core import clock
from apps.ledger.models import Journal
from apps.rooms import errors, operations
from apps.rooms.models import Allowance, Member, Room, Task
from apps.rooms.services import tasks
from config.management.commands.reconcile import CHECKS
from tests.racing import in_parallel, race
from tests.rooms.floor import Floor

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def floor(redis) -> Floor:
    floor = Floor()
    floor.players("ana", "bo")
    return floor


@pytest.fixture(autouse=True)
def _everything_adds_up(floor):
    yield
    assert [drift for check in CHECKS for drift in check(floor.operator.pk)] == []


def counted(outcomes) -> dict[str, int]:
    names = [type(each).__name__ if isinstance(each, Exception) else "done" for each in outcomes]
    return {name: names.count(name) for name in set(names)}


def test_of_twenty_who_want_all_of_it_one_gets_it(floor):
    room = floor.room(ana=50, bo=50)
    everything = operations.earn(floor.game, room.pk, floor.entries(ana=100))
    assert counted(in_parallel(20, lambda: floor.do(everything))) == {"done": 1, "InsufficientRoomBalance": 19}
    assert (floor.held(room), floor.wallet("ana")) == (0, 150)


def test_a_wallet_that_several_rooms_want_is_never_overdrawn(floor):
    floor.approve("ana", 1000)
    asked = operations.create_join_pay(floor.game, floor.entries(bo=1, ana=30))
    in_parallel(8, lambda: floor.submit(asked))
    ended = Task.objects.values_list("status", "error_code").annotate(Count("pk"))
    assert set(ended) == {("SUCCEEDED", "", 3), ("FAILED", "INSUFFICIENT_BALANCE", 5)}
    assert (floor.wallet("ana"), floor.wallet("bo"), Room.objects.count(), Member.objects.count()) == (10, 97, 3, 6)


def test_an_allowance_that_several_rooms_want_is_never_exceeded(floor):
    floor.approve("ana", 65)
    asked = operations.create_join_pay(floor.game, floor.entries(ana=30))
    assert counted(in_parallel(8, lambda: floor.submit(asked))) == {"done": 2, "AllowanceInsufficient": 6}
    assert (floor.wallet("ana"), floor.allowance("ana")) == (40, 5)


def test_payers_in_opposite_order_do_not_wait_for_each_other_for_ever(floor):
    there = operations.create_join_pay(floor.game, floor.entries(ana=1, bo=1))
    back = operations.create_join_pay(floor.game, floor.entries(bo=1, ana=1))
    outcomes = race(*[lambda: floor.submit(there), lambda: floor.submit(back), lambda: floor.do(back)] * 4)
    assert counted(outcomes) == {"done": 12}
    assert (floor.wallet("ana"), floor.wallet("bo")) == (88, 88)


def test_two_with_the_same_key_make_one_room(floor):
    asked = operations.create_join_pay(floor.game, floor.entries(ana=30))
    found = in_parallel(4, lambda: floor.submit(asked, key="once"))
    assert len({task.pk for task in found}) == 1
    assert (Room.objects.count(), Task.objects.count(), floor.wallet("ana")) == (1, 1, 70)


def test_the_last_seat_is_taken_once(floor):
    room = Room.objects.get(pk=floor.do(operations.create(floor.game, max_players=1))["roomId"])
    joins = [operations.join(floor.game, room.pk, floor.ids(name)) for name in ("ana", "bo")]
    assert counted(race(*[lambda one=one: floor.do(one) for one in joins])) == {"done": 1, "RoomFull": 1}
    assert len(floor.inside(room)) == 1


def test_joining_many_times_at_once_is_joining_once(floor):
    room = floor.room()
    asked = operations.join(floor.game, room.pk, floor.ids("ana", "bo"))
    assert counted(in_parallel(8, lambda: floor.do(asked))) == {"done": 8}
    assert sorted(floor.inside(room)) == ["ana", "bo"]


def test_whoever_leaves_while_earning_gets_all_or_nothing(floor):
    for _ in range(5):
        room = floor.room(ana=10)
        before = floor.wallet("ana")
        earned, left = race(
            lambda room=room: floor.do(operations.earn(floor.game, room.pk, floor.entries(ana=10))),
            lambda room=room: floor.do(operations.leave(floor.game, room.pk, floor.ids("ana"))),
        )
        assert not isinstance(left, Exception)
        if isinstance(earned, Exception):
            assert isinstance(earned, errors.NotJoined)
            assert (floor.wallet("ana"), floor.held(room)) == (before, 10)
            floor.do(operations.earn(floor.game, room.pk, floor.entries(house=10)))
        else:
            assert (floor.wallet("ana"), floor.held(room)) == (before + 10, 0)
        floor.approve("ana", 100)


def test_a_payment_that_meets_the_end_is_in_or_refused(floor):
    room = floor.room(ana=0)
    paid, ended = race(
        lambda: floor.do(operations.pay(floor.game, room.pk, floor.entries(ana=10))),
        lambda: floor.do(operations.end(floor.game, room.pk)),
    )
    found = (type(paid).__name__, type(ended).__name__)
    assert found in {("dict", "RoomNotEmpty"), ("RoomEnded", "dict")}
    assert floor.wallet("ana") == (100 if found[0] == "RoomEnded" else 90)


def test_workers_side_by_side_do_every_task_once_and_in_order(floor):
    room = floor.room(ana=1)
    asked = [
        floor.submit(operations.pay(floor.game, room.pk, floor.entries(ana=1)), sync=False, at=room.created_at)
        for _ in range(12)
    ]
    for _ in range(3):
        floor.submit(operations.create_join_pay(floor.game, floor.entries(bo=1)), sync=False)

    def work() -> None:
        for _ in range(40):
            tasks.execute_next(room.pk, at=room.created_at)
            tasks.execute_next(0, at=room.created_at)
        connection.close()

    assert counted(in_parallel(4, work)) == {"done": 4}
    ended = list(Task.objects.order_by("completed_at", "pk").values_list("status", flat=True))
    assert ended == ["SUCCEEDED"] * 15
    paid = Journal.objects.filter(subject=room.subject, kind="room.pay").order_by("pk").values_list("key", flat=True)
    assert list(paid)[1:] == [f"{room.subject}:pay:{task.public_id}" for task in asked]
    assert (floor.held(room), floor.wallet("bo"), Room.objects.count()) == (13, 97, 4)
    assert clock.now() > room.created_at
    assert int(Allowance.objects.get(player=floor.people["ana"]).units) == 87
