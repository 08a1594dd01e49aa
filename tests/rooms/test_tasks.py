"""Tasks: done at once or in their turn, exactly once, and always with an end."""

from datetime import timedelta

import pytest

from apps.core import clock
from apps.events.models import Fact
from apps.ledger.models import Journal
from apps.rooms import errors, operations
from apps.rooms.models import Room, Task
from apps.rooms.services import performing, tasks
from tests.rooms.floor import AT


def paying(floor, room, **paid):
    return operations.pay(floor.game, room.pk, floor.entries(**paid))


def drain(room_id: int, at=AT) -> None:
    while tasks.execute_next(room_id, at=at):
        pass


def fresh(task: Task) -> Task:
    return Task.objects.get(pk=task.pk)


def test_a_synchronous_operation_is_done_when_it_is_answered(floor):
    told = floor.submit(operations.create_join_pay(floor.game, floor.entries(ana=30, bo=20)), tokens=["upx"])
    task = fresh(told)
    room = Room.objects.get()
    assert (told.pk, told.status, told.result, told.room_id) == (task.pk, task.status, task.result, room.pk)
    assert (task.status, task.method, task.params) == ("SUCCEEDED", "createJoinPayGameRoom", {"tokens": ["upx"]})
    assert task.result["roomId"] == str(room.pk)
    assert (task.created_at, task.completed_at, task.tries, task.request) == (AT, AT, 0, {})
    assert task.hash.startswith("0x")
    assert len(task.hash) == 66
    assert Journal.objects.get(subject=room.subject).key == f"{room.subject}:pay:{task.public_id}"
    assert {fact.data["taskId"] for fact in Fact.objects.filter(subject=room.subject)} == {task.public_id}
    assert floor.held(room) == 50


def test_task_ids_look_like_theirs_and_cannot_be_guessed(floor):
    ids = {floor.submit(operations.create(floor.game)).public_id for _ in range(3)}
    assert len(ids) == 3
    for public_id in ids:
        moment, _, secret = public_id.partition("-")
        assert (moment, len(secret)) == (str(int(AT.timestamp() * 1000)), 20)


def test_an_asynchronous_operation_waits_for_its_turn(floor):
    before = floor.everything()
    task = floor.submit(operations.create_join_pay(floor.game, floor.entries(ana=30)), sync=False)
    assert (task.status, task.room_id, task.hash) == ("QUEUED", None, None)
    assert floor.everything() == before
    assert tasks.waiting(at=AT) == [0]
    drain(0)
    task = fresh(task)
    assert (task.status, task.completed_at) == ("SUCCEEDED", AT)
    assert floor.held(Room.objects.get(pk=task.room_id)) == 30
    assert not tasks.execute_next(0, at=AT)
    assert tasks.waiting(at=AT) == []


def test_tasks_of_one_room_are_done_in_the_order_they_came(floor):
    room = floor.room()
    asked = [
        floor.submit(operations.join(floor.game, room.pk, floor.ids("ana")), sync=False),
        floor.submit(paying(floor, room, ana=10), sync=False),
        floor.submit(operations.earn(floor.game, room.pk, floor.entries(ana=4)), sync=False),
        floor.submit(operations.earn_leave_end(floor.game, room.pk, floor.entries(ana=6)), sync=False),
        floor.submit(paying(floor, room, ana=1), sync=False),
    ]
    drain(room.pk)
    assert [fresh(task).status for task in asked] == ["SUCCEEDED"] * 4 + ["FAILED"]
    assert fresh(asked[-1]).error_code == "ROOM_ENDED"
    assert floor.facts(room) == [
        "room.created", "room.joined", "room.paid", "room.earned", "room.earned", "room.left", "room.ended",
    ]  # fmt: skip
    assert floor.wallet("ana") == 100


def test_a_synchronous_operation_does_not_overtake_what_is_queued(floor):
    now = clock.now()  # whoever waits reads the clock
    room = floor.room(ana=5, at=now)
    first = floor.submit(paying(floor, room, ana=10), sync=False, at=now)
    second = floor.submit(operations.earn(floor.game, room.pk, floor.entries(ana=15)), at=now)
    assert second.status == "QUEUED"
    second = tasks.wait(second, seconds=5)
    assert (fresh(first).status, second.status) == ("SUCCEEDED", "SUCCEEDED")
    assert floor.wallet("ana") == 100


def test_who_has_waited_long_enough_gets_the_task_as_it_is(floor, monkeypatch):
    task = floor.submit(operations.create(floor.game), sync=False)
    monkeypatch.setattr(tasks, "execute_all", lambda *_, **__: False)
    assert tasks.wait(task, seconds=0).status == "QUEUED"


@pytest.mark.parametrize("sync", [True, False])
def test_what_was_asked_wrongly_leaves_no_task(floor, sync):
    room = floor.room(ana=5)
    before = floor.everything()
    for operation, kind in (
        (paying(floor, room, bo=1), errors.NotJoined),
        (paying(floor, room, ana=96), errors.AllowanceInsufficient),
        (operations.leave(floor.game, room.pk, floor.ids("bo")), errors.NotJoined),
    ):
        with pytest.raises(kind):
            floor.submit(operation, sync=sync)
    assert not Task.objects.exists()
    assert floor.everything() == before


def test_a_refusal_at_the_room_fails_a_synchronous_task_and_moves_nothing(floor):
    room = floor.room(ana=5)
    before = floor.everything()
    task = fresh(floor.submit(operations.earn(floor.game, room.pk, floor.entries(ana=6)), roomId=str(room.pk)))
    assert (task.status, task.error_code, task.completed_at, task.hash) == (
        "FAILED", "INSUFFICIENT_ROOM_BALANCE", AT, None,
    )  # fmt: skip
    assert task.error_message == "The room holds 5 upx, and 6 would be paid out."
    assert task.error_hint == errors.InsufficientRoomBalance.hint
    assert (task.result, task.params) == ({}, {"roomId": str(room.pk)})
    assert floor.everything() == before


def test_what_is_bound_to_fail_is_not_queued_at_all(floor):
    room = floor.room(ana=5)
    with pytest.raises(errors.RoomNotEmpty):
        floor.submit(operations.end(floor.game, room.pk), sync=False)
    with pytest.raises(errors.RoomNotFound):
        floor.submit(operations.end(floor.game, room.pk + 999), sync=False)
    assert not Task.objects.exists()


def test_a_room_that_is_missing_fails_a_synchronous_task(floor):
    task = floor.submit(operations.end(floor.game, 2**40))
    assert (task.status, task.error_code, task.room_id) == ("FAILED", "ROOM_NOT_FOUND", None)


def test_the_queue_checks_again_when_the_turn_comes(floor):
    room = floor.room(ana=5)
    tasks_of_both = [
        floor.submit(operations.earn(floor.game, room.pk, floor.entries(ana=5)), sync=False),
        floor.submit(operations.earn(floor.game, room.pk, floor.entries(ana=5)), sync=False),
    ]
    drain(room.pk)
    assert [fresh(task).error_code for task in tasks_of_both] == ["", "INSUFFICIENT_ROOM_BALANCE"]
    assert floor.wallet("ana") == 100


def test_the_same_key_is_the_same_task(floor):
    asked = operations.create_join_pay(floor.game, floor.entries(ana=30))
    first = floor.submit(asked, key="k1")
    assert floor.submit(asked, key="k1") == first
    assert Room.objects.count() == 1
    assert floor.submit(asked, key="k2") != first
    assert floor.wallet("ana") == 40


def test_a_crash_is_tried_again_later_and_others_of_the_room_wait(floor, monkeypatch):
    room = floor.room(ana=5)
    first = floor.submit(paying(floor, room, ana=1), sync=False)
    second = floor.submit(paying(floor, room, ana=2), sync=False)
    with monkeypatch.context() as broken:
        broken.setattr(performing, "carry_out", lambda *_, **__: 1 / 0)
        assert tasks.execute_next(room.pk, at=AT)
        assert not tasks.execute_next(room.pk, at=AT)
    assert (fresh(first).tries, fresh(first).due_at, fresh(second).tries) == (1, AT + timedelta(seconds=1), 0)
    assert tasks.waiting(at=AT + timedelta(seconds=1)) == [room.pk]
    drain(room.pk, at=AT + timedelta(seconds=1))
    assert (fresh(first).status, fresh(second).status, floor.held(room)) == ("SUCCEEDED", "SUCCEEDED", 8)


def test_whatever_crashes_every_time_ends_as_failed(floor, monkeypatch):
    task = floor.submit(operations.create(floor.game), sync=False)
    monkeypatch.setattr(performing, "carry_out", lambda *_, **__: 1 / 0)
    moment = AT
    for _ in range(tasks.MAX_TRIES):
        assert tasks.execute_next(0, at=moment)
        moment += timedelta(minutes=10)
    task = fresh(task)
    assert (task.status, task.error_code, task.tries) == ("FAILED", "INTERNAL", tasks.MAX_TRIES)
    assert not tasks.execute_next(0, at=moment)


def test_a_task_is_found_by_its_own_game_only_and_kept_for_thirty_days(floor):
    task = floor.submit(operations.create(floor.game))
    queued = floor.submit(operations.create(floor.game), sync=False)
    whose = {"operator_id": floor.operator.pk, "public_id": task.public_id}
    assert tasks.find(game_id="ludo", **whose) == task
    with pytest.raises(errors.TaskNotFound):
        tasks.find(game_id="chess", **whose)
    assert tasks.forget(at=AT + timedelta(days=30)) == 0
    assert tasks.forget(at=AT + timedelta(days=30, seconds=1)) == 1
    with pytest.raises(errors.TaskNotFound):
        tasks.find(game_id="ludo", **whose)
    assert fresh(queued).status == "QUEUED"
