"""What staff see of rooms, and do to them, in the admin."""

from datetime import timedelta

import pytest

from apps.core import clock
from apps.jobs.models import Job
from apps.operators.models import Role
from apps.rooms.models import GameSettings, Room, Task
from apps.rooms.services import expiry, tasks
from tests import factories
from tests.admin.scenes import change, operation, press, signed_in, text, url


@pytest.fixture
def room(floor) -> Room:
    return floor.room(ana=30, bo=20, at=clock.now())


@pytest.fixture
def owner(floor):
    return signed_in(factories.staff(floor.operator, Role.OWNER))


def drain(room) -> None:
    tasks.execute_all(room.pk, at=clock.now())


def test_the_list_shows_members_and_money(floor, room, owner):
    page = text(owner.get(url(Room, "changelist")))
    assert "50 UPX" in page
    assert "ludo" in page
    found = owner.get(url(Room, "changelist"), {"q": str(room.pk)}).context["cl"].result_list
    assert list(found) == [room]


def test_the_page_tells_money_players_movements_and_the_story(room, owner):
    page = text(owner.get(change(room)))
    for words in ("50 UPX", "ana", "bo", "room.pay", "Paid: ana 30 upx, bo 20 upx", "Joined: ana, bo"):
        assert words in page


def test_a_refund_is_seen_before_it_is_done_and_runs_as_a_job(floor, room, owner):
    dry = text(owner.get(operation(room, "refund")))
    assert "30 UPX" in dry
    assert "20 UPX" in dry
    assert (floor.held(room), Task.objects.count()) == (50, 0)
    assert press(owner, operation(room, "refund"), reason="").status_code == 200
    press(owner, operation(room, "refund"), reason="Server lost")
    assert Job.objects.get().percent == 0
    drain(room)
    assert (floor.held(room), floor.wallet("ana"), Job.objects.get().percent) == (0, 100, 100)
    assert "Server lost" in text(owner.get(change(room)))


def test_expired_rooms_with_money_are_a_list_and_can_be_closed(floor, owner):
    old = floor.room(ana=30)
    empty = floor.room()
    floor.room(bo=1, at=clock.now())
    expiry.notice(at=clock.now())
    assert list(owner.get(url(Room, "changelist"), {"state": "leftovers"}).context["cl"].result_list) == [old]
    assert list(owner.get(url(Room, "changelist"), {"state": "expired"}).context["cl"].result_list) == [empty, old]
    assert "Expired rooms with money" in text(owner.get("/admin/"))
    press(owner, operation(old, "close"), reason="Nobody came back")
    drain(old)
    assert (floor.held(old), floor.house()) == (0, 30)


def test_a_room_whose_time_is_not_over_offers_no_closing(room, owner):
    assert 'data-operation="close"' not in text(owner.get(change(room)))
    assert 'data-operation="refund"' in text(owner.get(change(room)))


def test_a_player_is_removed_with_a_reason(floor, room, owner):
    press(owner, operation(room, "remove-player"), player=floor.people["ana"].pk, reason="Cheating")
    assert floor.inside(room) == ["bo"]


@pytest.mark.parametrize(
    "role, may",
    [
        (Role.OWNER, {"refund", "end", "remove-player"}),
        (Role.MANAGER, {"refund", "end", "remove-player"}),
        (Role.FINANCE, {"refund", "end"}),
        (Role.SUPPORT, {"remove-player"}),
        (Role.AUDITOR, set()),
    ],
)
def test_each_role_is_offered_what_it_may_do(floor, room, role, may):
    page = text(signed_in(factories.staff(floor.operator, role)).get(change(room)))
    assert {name for name in ("refund", "close", "end", "remove-player") if f'data-operation="{name}"' in page} == may


def test_the_fee_of_a_game_is_set_and_its_changes_are_kept(floor, owner):
    press(owner, url(GameSettings, "add"), operator=floor.operator.pk, game_id="ludo", earn_fee_percent=2)
    row = GameSettings.objects.get()
    assert (row.game_id, row.earn_fee_percent, row.max_players) == ("ludo", 2, 0)
    press(owner, operation(row, "edit"), earn_fee_percent=5, max_players=8)
    row.refresh_from_db()
    assert (row.earn_fee_percent, row.max_players) == (5, 8)
    assert "staff:" in text(owner.get(change(row)))
    assert press(owner, operation(row, "edit"), earn_fee_percent=101).status_code == 200
    row.refresh_from_db()
    assert row.earn_fee_percent == 5


def test_expiry_and_the_badge_agree(floor, owner):
    room = floor.room(at=clock.now() - timedelta(days=2))
    assert "Expired" in text(owner.get(change(room)))
