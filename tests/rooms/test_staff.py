"""What staff do to rooms: give money back, close what has expired, take a player out."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.actors import Actor
from apps.core.errors import Invalid
from apps.events.models import Fact
from apps.jobs.models import Job
from apps.ledger.models import Journal
from apps.ledger.services import accounts
from apps.rooms import errors, operations, rules
from apps.rooms.models import Room, Task
from apps.rooms.services import expiry, leftovers, staff, tasks
from tests.ledger.factories import fund
from tests.rooms.floor import AT

STAFF = Actor("staff", "ada@podium.example", "req_staff")
LATER = AT + timedelta(days=2)


def ask(verb, pk, *, reason="Server lost", at=AT):
    return verb(pk, reason=reason, actor=STAFF, at=at)


def work(room, at=AT) -> None:
    tasks.execute_all(room.pk, at=at)


def previewed(room, sweep="refund"):
    return [
        (line.player and line.player.external_id, line.asset.code, line.units)
        for line in leftovers.preview(room, sweep)
    ]


def state(room) -> str:
    return Room.objects.get(pk=room.pk).status


def test_a_refund_gives_everybody_what_they_paid_less_what_they_got_and_ends_the_room(floor):
    floor.player("ana", funds=5, approved=5, asset="USD")
    room = floor.room(ana=30, bo=20)
    floor.do(operations.pay(floor.game, room.pk, floor.entries("USD", ana=150)))
    floor.do(operations.earn(floor.game, room.pk, floor.entries(ana=10)))
    before = floor.everything()
    lines = previewed(room)
    assert lines == [("ana", "UPX", 20), ("bo", "UPX", 20), ("ana", "USD", 150)]
    assert floor.everything() == before

    task = ask(staff.refund, room.pk)
    job = Job.objects.get()
    assert (job.kind, job.status, job.total, job.subject, job.asked_by) == (
        "room.refund", "QUEUED", 3, room.subject, "staff:ada@podium.example",
    )  # fmt: skip
    work(room)
    job = Job.objects.get()
    assert (job.status, job.done, job.result["roomId"]) == ("SUCCEEDED", 3, str(room.pk))
    assert (floor.wallet("ana"), floor.wallet("bo"), floor.wallet("ana", "USD")) == (100, 100, 500)
    assert (floor.held(room), floor.held(room, "USD"), state(room)) == (0, 0, "ENDED")
    journal = Journal.objects.get(kind="room.refund")
    assert (journal.memo, journal.actor) == ("Server lost", "staff:ada@podium.example")
    assert Task.objects.get(pk=task.pk).status == "SUCCEEDED"
    assert floor.facts(room)[-2:] == ["room.refunded", "room.ended"]
    refunded = Fact.objects.get(type="room.refunded").data
    assert refunded["reason"] == "Server lost"
    assert refunded["distributions"][0] == {"plyrId": "ana", "token": "upx", "amount": 20, "fee": 0, "net": 20}


def test_whoever_left_is_refunded_too_and_no_fee_is_taken(floor):
    floor.settings(earn_fee_percent=10)
    room = floor.room(ana=30)
    floor.do(operations.leave(floor.game, room.pk, floor.ids("ana")))
    ask(staff.refund, room.pk)
    work(room)
    assert (floor.wallet("ana"), floor.fees()) == (100, 0)


def test_what_is_left_after_somebody_won_is_shared_in_proportion_and_odd_units_go_to_the_first(floor):
    floor.player("cy")
    room = floor.room(ana=10, bo=10, cy=10)
    floor.do(operations.earn(floor.game, room.pk, floor.entries(house=10, cy=10)))
    assert previewed(room) == [("ana", "UPX", 5), ("bo", "UPX", 5)]
    floor.do(operations.earn(floor.game, room.pk, floor.entries(house=5)))
    assert previewed(room) == [("ana", "UPX", 3), ("bo", "UPX", 2)]
    ask(staff.refund, room.pk)
    work(room)
    assert (floor.wallet("ana"), floor.wallet("bo"), floor.wallet("cy"), floor.held(room)) == (93, 92, 100, 0)


@given(units=st.integers(0, 10**30), weights=st.dictionaries(st.integers(1, 50), st.integers(-(10**6), 10**30)))
def test_the_parts_add_up_to_the_whole(units, weights):
    parts = rules.split(units, weights)
    assert sum(parts.values()) == (units if any(weight > 0 for weight in weights.values()) else 0)
    assert all(part > 0 and weights[key] > 0 for key, part in parts.items())


def test_a_refund_waits_behind_what_the_game_asked_for(floor):
    room = floor.room(ana=30)
    floor.submit(operations.earn(floor.game, room.pk, floor.entries(ana=25)), sync=False)
    ask(staff.refund, room.pk)
    work(room)
    assert (floor.wallet("ana"), state(room)) == (100, "ENDED")


def test_a_refund_that_finds_nothing_left_fails_with_its_job_and_moves_nothing(floor):
    room = floor.room(ana=30)
    floor.submit(operations.earn(floor.game, room.pk, floor.entries(ana=30)), sync=False)
    task = ask(staff.refund, room.pk)
    work(room)
    job = Job.objects.get()
    assert (job.status, job.error) == ("FAILED", "The room holds nothing.")
    assert Task.objects.get(pk=task.pk).error_code == "ROOM_EMPTY"
    assert (floor.wallet("ana"), state(room)) == (100, "OPEN")


@pytest.mark.parametrize("verb", [staff.refund, staff.close])
def test_without_a_reason_or_in_the_wrong_state_nothing_is_even_asked(floor, verb):
    room = floor.room(ana=30)
    empty = floor.room()
    ended = floor.room()
    floor.do(operations.end(floor.game, ended.pk))
    before = floor.everything()
    for reason in ("", "  ", "x" * 201):
        with pytest.raises(Invalid):
            ask(verb, room.pk, reason=reason, at=LATER)
    with pytest.raises(errors.RoomEnded):
        ask(verb, ended.pk)
    with pytest.raises(errors.RoomEmpty if verb is staff.refund else errors.RoomNotExpired):
        ask(verb, empty.pk)
    assert not Job.objects.exists()
    assert not Task.objects.exists()
    assert floor.everything() == before


def test_money_that_no_player_paid_in_is_refunded_to_nobody(floor):
    room = floor.room(ana=10)
    floor.do(operations.earn(floor.game, room.pk, floor.entries(ana=10)))
    escrow = accounts.open_escrow(room.subject, floor.asset(), hot=False)
    fund(escrow, 7)
    assert previewed(room) == []
    with pytest.raises(errors.NobodyPaid):
        ask(staff.refund, room.pk)
    ask(staff.close, room.pk, at=LATER)
    work(room, at=LATER)
    assert (floor.house(), state(room)) == (7, "ENDED")


def test_closing_an_expired_room_gives_what_it_holds_to_the_game(floor):
    room = floor.room(ana=30)
    ask(staff.close, room.pk, reason="Nobody came back", at=LATER)
    assert previewed(room, "close") == [(None, "UPX", 30)]
    work(room, at=LATER)
    assert (floor.held(room), floor.house(), floor.wallet("ana"), state(room)) == (0, 30, 70, "ENDED")
    assert floor.facts(room)[-2:] == ["room.closed", "room.ended"]
    assert Job.objects.get().status == "SUCCEEDED"


def test_closing_an_expired_room_that_is_empty_just_ends_it(floor):
    room = floor.room()
    ask(staff.close, room.pk, at=LATER)
    work(room, at=LATER)
    assert state(room) == "ENDED"
    assert floor.facts(room)[1:] == ["room.closed", "room.ended"]


def test_staff_end_an_empty_room_and_no_other(floor):
    room = floor.room(ana=3)
    with pytest.raises(errors.RoomNotEmpty):
        staff.end(room.pk, actor=STAFF, at=AT)
    floor.do(operations.earn(floor.game, room.pk, floor.entries(ana=3)))
    staff.end(room.pk, actor=STAFF, at=AT)
    assert state(room) == "ENDED"


def test_staff_take_a_player_out_and_the_money_stays(floor):
    room = floor.room(ana=3, bo=3)
    ana = {"player": floor.people["ana"], "actor": STAFF, "at": AT}
    with pytest.raises(Invalid):
        staff.remove_player(room.pk, reason="", **ana)
    staff.remove_player(room.pk, reason="Cheating", **ana)
    assert (floor.inside(room), floor.held(room)) == (["bo"], 6)
    assert Fact.objects.get(type="room.left").data == {
        "roomId": str(room.pk), "gameId": "ludo", "taskId": None, "plyrIds": ["ana"], "reason": "Cheating",
    }  # fmt: skip
    with pytest.raises(errors.NotJoined):
        staff.remove_player(room.pk, reason="Cheating", **ana)


def test_expired_rooms_are_noticed_once_told_and_found_and_nothing_of_them_moves(floor):
    held, empty = floor.room(ana=30), floor.room()
    ended = floor.room()
    floor.do(operations.end(floor.game, ended.pk))
    assert expiry.notice(at=AT + timedelta(days=1) - timedelta(microseconds=1)) == 0
    assert expiry.notice(at=AT + timedelta(days=1)) == 2
    assert expiry.notice(at=LATER) == 0
    assert Fact.objects.get(type="room.expired", subject=held.subject).data["balances"] == {"UPX": "30"}
    assert set(Room.objects.expired()) == {held, empty}
    assert list(Room.objects.expired().with_money()) == [held]
    assert (floor.held(held), state(held)) == (30, "OPEN")
