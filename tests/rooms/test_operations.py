"""Each operation does all of what it says, in whole units."""

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.events.models import Fact
from apps.ledger.models import Journal
from apps.rooms import operations
from apps.rooms.models import Activity, Room
from apps.rooms.operations import Entry
from tests.rooms.floor import AT


def test_a_room_is_created_for_a_day_unless_told_otherwise(floor):
    told = floor.do(operations.create(floor.game))
    room = Room.objects.get(pk=told["roomId"])
    assert told == {"gameId": "ludo", "roomId": str(room.pk), "roomAddress": room.address}
    assert (room.status, room.max_players, room.expires_at) == ("OPEN", 0, AT + timedelta(days=1))
    assert room.address.startswith("0x")
    assert len(room.address) == 42
    short = floor.do(operations.create(floor.game, lifetime=60, max_players=3))
    room = Room.objects.get(pk=short["roomId"])
    assert (room.expires_at, room.max_players) == (AT + timedelta(minutes=1), 3)
    assert floor.facts(room) == ["room.created"]


def test_the_settings_of_the_game_say_how_many_a_new_room_takes_unless_it_says_so_itself(floor):
    floor.settings(max_players=2)
    told = [floor.do(operations.create(floor.game, max_players=limit)) for limit in (None, 0, 5)]
    assert [Room.objects.get(pk=each["roomId"]).max_players for each in told] == [2, 0, 5]


def test_create_join_pay_opens_a_room_lets_everybody_in_and_takes_the_money(floor):
    told = floor.do(operations.create_join_pay(floor.game, floor.entries(ana=30, bo=20)))
    room = Room.objects.get(pk=told["roomId"])
    assert told["plyrIds"] == ["ana", "bo"]
    assert told["payments"] == [
        {"plyrId": "ana", "token": "upx", "amount": 30},
        {"plyrId": "bo", "token": "upx", "amount": 20},
    ]
    assert (floor.wallet("ana"), floor.wallet("bo"), floor.held(room)) == (70, 80, 50)
    assert (floor.allowance("ana"), floor.allowance("bo")) == (70, 80)
    assert floor.inside(room) == ["ana", "bo"]
    assert floor.facts(room) == ["room.created", "room.joined", "room.paid"]
    journal = Journal.objects.get(subject=room.subject)
    assert (journal.kind, journal.legs, journal.actor, journal.request_id) == ("room.pay", 3, "game:ludo", "req_test")
    logged = Activity.objects.order_by("pk").values_list("player__external_id", "action", "data")
    about = {"roomId": str(room.pk), "taskId": None}
    assert list(logged) == [
        ("ana", "createJoinPay", {**about, "entries": [{"token": "upx", "amount": 30}]}),
        ("bo", "createJoinPay", {**about, "entries": [{"token": "upx", "amount": 20}]}),
    ]


def test_one_player_may_pay_in_several_tokens_at_once(floor):
    floor.player("ana", funds=5, approved=5, asset="USD")
    room = floor.room()
    floor.do(operations.join(floor.game, room.pk, floor.ids("ana", "bo")))
    mixed = [*floor.entries(ana=3), *floor.entries("USD", ana=50), *floor.entries(bo=3, ana=4)]
    told = floor.do(operations.pay(floor.game, room.pk, mixed))
    assert told["payments"] == [
        {"plyrId": "ana", "token": "upx", "amount": 7},
        {"plyrId": "ana", "token": "usd", "amount": Decimal("0.5")},
        {"plyrId": "bo", "token": "upx", "amount": 3},
    ]
    assert (floor.held(room), floor.held(room, "USD"), floor.wallet("ana"), floor.wallet("ana", "USD")) == (
        10, 50, 93, 450,
    )  # fmt: skip
    assert Fact.objects.get(type="room.paid").data["payments"] == told["payments"]


def test_joining_again_changes_nothing_and_leaving_leaves_the_money(floor):
    room = floor.room(ana=30)
    before = floor.everything()
    told = floor.do(operations.join(floor.game, room.pk, floor.ids("ana")))
    assert told["plyrIds"] == ["ana"]
    assert floor.everything()[3:] == before[3:]
    floor.do(operations.leave(floor.game, room.pk, floor.ids("ana")))
    assert (floor.inside(room), floor.held(room)) == ([], 30)
    floor.do(operations.join(floor.game, room.pk, floor.ids("ana")))
    assert floor.inside(room) == ["ana"]
    assert room.members.count() == 2


def test_a_player_may_earn_what_others_paid_and_the_fee_is_rounded_down(floor):
    floor.settings(earn_fee_percent=2)
    room = floor.room(ana=100, bo=100)
    told = floor.do(operations.earn(floor.game, room.pk, floor.entries(ana=149)))
    assert told["distributions"] == [{"plyrId": "ana", "token": "upx", "amount": 149, "fee": 2, "net": 147}]
    assert (floor.wallet("ana"), floor.fees(), floor.held(room)) == (147, 2, 51)
    assert floor.facts(room)[-1] == "room.earned"


def test_without_settings_there_is_no_fee(floor):
    room = floor.room(ana=100)
    floor.do(operations.earn(floor.game, room.pk, floor.entries(ana=100)))
    assert (floor.wallet("ana"), floor.fees(), floor.held(room)) == (100, 0, 0)


def test_the_game_always_counts_as_joined_and_takes_its_cut_by_earning(floor):
    room = floor.room(ana=50, bo=50)
    told = floor.do(operations.earn_leave_end(floor.game, room.pk, floor.entries(ana=90, bo=0, house=10)))
    assert told["plyrIds"] == ["ana", "bo"]
    assert told["distributions"][2] == {"plyrId": "ludo", "token": "upx", "amount": 10, "fee": 0, "net": 10}
    assert (floor.house(), floor.wallet("ana"), floor.wallet("bo"), floor.held(room)) == (10, 140, 50, 0)
    room = Room.objects.get(pk=room.pk)
    assert (room.status, room.ended_at, floor.inside(room)) == ("ENDED", AT, [])
    assert floor.facts(room)[-3:] == ["room.earned", "room.left", "room.ended"]


def test_earn_leave_pays_first_and_nothing_means_nothing(floor):
    room = floor.room(ana=50, bo=50)
    floor.do(operations.earn_leave(floor.game, room.pk, floor.entries(ana=4, bo=0)))
    assert (floor.wallet("ana"), floor.wallet("bo"), floor.held(room), floor.inside(room)) == (54, 50, 96, [])


def test_join_pay_lets_in_whoever_is_not_in_and_takes_from_everybody(floor):
    room = floor.room(ana=5)
    floor.do(operations.join_pay(floor.game, room.pk, floor.entries(ana=1, bo=2)))
    assert (floor.held(room), floor.inside(room)) == (8, ["ana", "bo"])


def test_an_empty_room_ends_and_ending_it_again_changes_nothing(floor):
    room = floor.room(ana=5)
    floor.do(operations.earn(floor.game, room.pk, floor.entries(ana=5)))
    floor.do(operations.end(floor.game, room.pk))
    before = floor.everything()
    assert floor.do(operations.end(floor.game, room.pk))["roomId"] == str(room.pk)
    assert floor.everything() == before


def test_an_amount_of_nothing_needs_no_approval_and_no_money(floor):
    floor.player("cy", funds=0, approved=None)
    room = floor.room(cy=0)
    assert (floor.held(room), floor.inside(room)) == (0, ["cy"])
    assert not Journal.objects.filter(subject=room.subject).exists()


def test_an_expired_room_still_pays_out_lets_out_and_ends(floor):
    room = floor.room(ana=5, bo=5)
    later = AT + timedelta(days=2)
    floor.do(operations.earn(floor.game, room.pk, floor.entries(ana=10)), at=later)
    floor.do(operations.leave(floor.game, room.pk, floor.ids("bo")), at=later)
    floor.do(operations.end(floor.game, room.pk), at=later)
    assert floor.wallet("ana") == 105


def test_tokens_of_eighteen_decimals_keep_every_digit(floor):
    floor.operator.assets.create(code="PLYR", scale=18)
    floor.player("ana", funds="123456789012345.123456789012345678", approved="123456789012345.123456789012345678",
                 asset="PLYR")  # fmt: skip
    units = 123456789012345123456789012345678
    told = floor.do(operations.create_join_pay(floor.game, [Entry(floor.people["ana"].pk, "PLYR", units)]))
    assert told["payments"][0]["amount"] == Decimal("123456789012345.123456789012345678")
    room = Room.objects.get(pk=told["roomId"])
    assert floor.held(room, "PLYR") == units
    assert Fact.objects.get(type="room.paid").data["payments"] == told["payments"]


def test_a_blocked_player_is_still_paid(floor):
    room = floor.room(ana=5)
    floor.people["ana"].block_kind, floor.people["ana"].blocked_at = "SUSPENDED", AT
    floor.people["ana"].save()
    floor.do(operations.earn_leave(floor.game, room.pk, floor.entries(ana=5)))
    assert floor.wallet("ana") == 100


@pytest.mark.parametrize("length", [5, 59, 60, 120])
def test_a_game_of_any_name_has_an_account_of_its_own(floor, length):
    floor.game_id = "g" * length
    floor.approve("ana", 50)
    room = floor.room(ana=5)
    floor.do(operations.earn(floor.game, room.pk, floor.entries(house=5)))
    assert floor.held(room) == 0
