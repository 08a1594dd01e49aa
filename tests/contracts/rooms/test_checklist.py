"""rooms.md 8, line by line, where no test of another file says it in so many words."""

from datetime import timedelta

import pytest

from apps.core import clock
from apps.events.models import Fact
from apps.rooms.models import Member, Room
from tests.contracts.rooms.game import GameServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def game():
    game = GameServer()
    for name in ("ana-11", "bo-2222"):
        game.player(name, gamr=100, plyr=10)
    return game


def short_of_money(game):
    """The second payer has less than they let the game take."""
    game.player("cy-33333", approved=50, gamr=1)
    return game.taking(ana_11=3, cy_33333=2)


@pytest.mark.parametrize("sync", [True, False])
def test_when_the_last_payment_fails_there_is_no_room_and_nobody_has_paid(game, sync):
    body = short_of_money(game)
    before = game.everything()
    answer = game.post("createJoinPay", body | {"sync": sync})
    assert (answer.status_code, answer.json()["code"]) == (400, "INSUFFICIENT_BALANCE")
    assert "roomId" not in answer.json()
    assert not Room.objects.filter(operator=game.operator).exists()
    assert game.everything() == before
    assert game.wallet("ana-11") == 100


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("joinPay", "INSUFFICIENT_BALANCE"),
        ("earnLeave", "INSUFFICIENT_ROOM_BALANCE"),
        ("earnLeaveEnd", "ROOM_NOT_EMPTY"),
    ],
)
def test_when_the_last_step_of_a_combined_call_fails_none_of_it_is_done(game, call, code):
    room = game.stake(ana_11=3, bo_2222=3)
    bodies = {
        "joinPay": short_of_money(game),
        "earnLeave": game.giving(ana_11=5, bo_2222=2),
        "earnLeaveEnd": game.giving(ana_11=3, bo_2222=2),
    }
    before = game.everything()
    seen = game.get(f"/game/room/{room}").json()
    answer = game.post(call, {"roomId": room, **bodies[call], "sync": True})
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert game.everything() == before
    assert game.get(f"/game/room/{room}").json() == seen
    assert (seen["plyrIds"], seen["balances"], seen["status"]) == (["ana-11", "bo-2222"], {"gamr": "6"}, "created")


def test_players_join_alone_or_in_groups_and_pay_before_and_after_the_game_as_much_as_each_likes(game):
    game.player("cy-33333")
    room = game.done("create", expiresIn=60, maxPlayers=3)["roomId"]
    game.done("join", roomId=room, sessionJwts=[game.jwts["ana-11"]])
    game.done("join", roomId=room, sessionJwts=[game.jwts["bo-2222"], game.jwts["cy-33333"]])
    game.done("pay", roomId=room, **game.taking(ana_11=1, bo_2222="2.5"))
    game.done("earn", roomId=room, **game.giving(ana_11=2))
    game.done("pay", roomId=room, **game.taking(cy_33333=4, ana_11=0))
    game.done("pay", roomId=room, **game.taking("plyr", ana_11=1))
    assert game.get(f"/game/room/{room}").json()["balances"] == {"gamr": "5.5", "plyr": "1"}
    several = {"plyrIds": ["ana-11", "bo-2222", "cy-33333"], "tokens": ["plyr", "gamr", "gamr"], "amounts": [1, 5, 0.5]}
    assert game.done("earnLeaveEnd", roomId=room, **several)["status"] == "SUCCESS"
    assert game.wallet("ana-11", "plyr") == 10


def test_nothing_keeps_a_player_who_wants_to_leave(game):
    room = game.stake(ana_11=3, bo_2222=3)
    Room.objects.filter(pk=room).update(expires_at=clock.now() - timedelta(seconds=1))
    assert game.done("leave", roomId=room, sessionJwts=[game.jwts["ana-11"]])["plyrIds"] == ["ana-11"]
    game.done("earn", roomId=room, **game.giving(bo_2222=6))
    assert game.done("leave", roomId=room, sessionJwts=[game.jwts["bo-2222"]])["plyrIds"] == ["bo-2222"]
    assert not Member.objects.filter(room=room, left_at=None).exists()


def test_every_operation_is_in_the_logs_of_its_players_and_among_the_facts(game):
    ana = game.jwts["ana-11"]
    room = game.done("create")["roomId"]
    game.done("join", roomId=room, sessionJwts=[ana])
    game.done("pay", roomId=room, **game.taking(ana_11=2))
    game.done("earn", roomId=room, **game.giving(ana_11=1))
    game.done("leave", roomId=room, sessionJwts=[ana])
    game.done("joinPay", roomId=room, **game.taking(ana_11=1, bo_2222=1))
    game.done("earnLeave", roomId=room, **game.giving(ana_11=1))
    game.done("earnLeaveEnd", roomId=room, **game.giving(bo_2222=2))
    other = game.done("createJoinPay", **game.taking(ana_11=1))["roomId"]
    game.done("earnLeaveEnd", roomId=other, **game.giving(ana_11=1))
    empty = game.done("create")["roomId"]
    game.done("end", roomId=empty)

    told = [line["action"] for line in game.get("/actionLog/ana-11?limit=50").json()]
    steps = ["join", "pay", "earn", "leave", "joinPay", "earnLeave", "createJoinPay", "earnLeaveEnd"]
    assert told == steps[::-1]
    assert [line["action"] for line in game.get("/activityLogs/bo-2222").json()["logs"]] == ["earnLeaveEnd", "joinPay"]
    facts = list(Fact.objects.filter(subject=f"room:{room}").order_by("pk").values_list("type", flat=True))
    assert facts == [
        f"room.{step}" for step in "created joined paid earned left joined paid earned left earned left ended".split()
    ]
    ended = list(Fact.objects.filter(subject=f"room:{empty}").order_by("pk").values_list("type", flat=True))
    assert ended == ["room.created", "room.ended"]
