"""The course of play as the game reports it: eliminations, rounds, rooms, rebuys, the end."""

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.core.clock import iso
from apps.core.errors import Invalid
from apps.events.models import Fact
from apps.ledger.models import SettlementPlan
from apps.tournaments.models import Entry, GameEvent
from apps.tournaments.services import entries, rooms, running, tally
from apps.tournaments.services.entries import TournamentNotFound
from apps.tournaments.services.intake import take_events
from apps.tournaments.services.states import InvalidState
from tests.factories import OperatorFactory
from tests.racing import race
from tests.tournaments import world
from tests.tournaments.intake.events import (
    GAME_SERVER,
    entry_of,
    event,
    fresh,
    out,
    outcomes,
    points,
    scored,
    take,
)
from tests.tournaments.world import STAFF, START

pytestmark = pytest.mark.django_db

FIVE = {"ann": 50, "bob": 40, "cid": 30, "dan": 20, "eve": 10}


def facts_of(kind):
    return list(Fact.objects.filter(type=kind).order_by("pk").values_list("data", flat=True))


def active(tournament):
    return tally.totals(tournament.pk).active


def test_an_elimination_puts_the_player_out_and_is_reported():
    tournament = world.played()
    take(tournament, event("round.started", round=2))
    assert outcomes(tournament, out("cid", after=90)) == ["accepted"]
    cid = entry_of(tournament, "cid")
    assert (cid.status, cid.elimination_round, cid.points) == ("OUT", 2, 10)
    assert cid.eliminated_at == START + timedelta(seconds=90)
    assert active(tournament) == 2
    assert facts_of("player.eliminated") == [
        {
            "playerId": str(cid.player_id),
            "userId": "cid",
            "displayName": "Cid",
            "eliminatedAt": iso(START + timedelta(seconds=90)),
            "finalPosition": 3,
            "finalPoints": 10,
            "eliminationRound": 2,
        }
    ]


def test_those_who_go_out_together_are_placed_by_round_and_points():
    tournament = world.played(points=FIVE)
    given = [out("bob", eliminationRound=2), out("dan", eliminationRound=1), out("cid", eliminationRound=2)]
    assert outcomes(tournament, *given) == ["accepted"] * 3
    placed = {data["userId"]: data["finalPosition"] for data in facts_of("player.eliminated")}
    assert placed == {"dan": 5, "cid": 4, "bob": 3}
    assert active(tournament) == 2


def test_the_final_points_of_an_elimination_count():
    tournament = world.played()
    moment = iso(START + timedelta(seconds=30))
    given = out("bob", finalPoints=Decimal("25.5"), eliminationRound=4, finalPosition=9, eliminatedAt=moment)
    assert outcomes(tournament, given) == ["accepted"]
    bob = entry_of(tournament, "bob")
    assert (bob.points, bob.elimination_round, bob.eliminated_at) == (
        Decimal("25.5"),
        4,
        START + timedelta(seconds=30),
    )


def test_nobody_goes_out_twice():
    tournament = world.played()
    assert outcomes(tournament, out("cid"), out("cid"), scored("bob", 1, after=70)) == ["accepted", "stale", "accepted"]
    assert outcomes(tournament, out("cid")) == ["stale"]
    assert active(tournament) == 2
    assert len(facts_of("player.eliminated")) == 1


def test_nobody_goes_out_of_what_does_not_run():
    tournament = world.make()
    world.enter(tournament, "ann", "bob")
    assert outcomes(tournament, out("ann"), event("round.started", round=1), event("round.completed", round=1)) == [
        "rejected",
        "rejected",
        "rejected",
    ]
    assert outcomes(tournament, event("tournament.completed")) == ["rejected"]
    assert entry_of(tournament, "ann").status == "IN"
    assert (active(tournament), world.state(tournament)) == (2, "REGISTERING")
    assert not facts_of("player.eliminated")


def test_the_last_player_left_ends_an_elimination():
    tournament = world.played(tournament_type="elimination")
    last = scored("ann", 99, after=100)
    assert outcomes(tournament, out("cid"), out("bob"), last) == ["accepted", "accepted", "rejected"]
    assert world.state(tournament) == "SETTLING"
    assert SettlementPlan.objects.count() == 1
    winners = facts_of("tournament.completed")[0]["winners"]
    assert [(one["position"], one["displayName"]) for one in winners] == [(1, "Ann"), (2, "Bob"), (3, "Cid")]
    assert points(tournament)["ann"] == 30


def test_an_eliminated_player_who_bought_again_may_go_out_again():
    tournament = world.played(rebuy_enabled=True)
    take(tournament, out("cid"))
    entries.rebuy(entry_of(tournament, "cid").pk, actor=STAFF, at=START)
    assert active(tournament) == 3
    assert outcomes(tournament, scored("cid", 45, after=120), out("cid", after=180)) == ["accepted", "accepted"]
    assert (active(tournament), points(tournament)["cid"]) == (2, 45)


def test_rounds_count_up_and_never_back():
    tournament = world.played()
    given = [event("round.started", round=1), event("round.started", round=3), event("round.started", round=2)]
    assert outcomes(tournament, *given) == ["accepted", "accepted", "stale"]
    assert fresh(tournament).current_round == 3
    assert outcomes(tournament, event("round.completed"), event("round.started", roundNumber=4)) == ["accepted"] * 2
    assert fresh(tournament).current_round == 4


def test_a_round_that_nobody_began_can_not_end():
    tournament = world.played()
    [one] = take(tournament, event("round.completed"))
    assert (one.outcome, one.note) == ("rejected", "no round has begun")


def test_the_last_round_ends_the_tournament():
    tournament = world.played(config={"maxRounds": 3})
    assert outcomes(tournament, event("round.completed", round=2)) == ["accepted"]
    assert world.state(tournament) == "RUNNING"
    assert (
        outcomes(tournament, scored("cid", 70, after=9_000_000), event("round.completed", round=3)) == ["accepted"] * 2
    )
    assert world.state(tournament) == "SETTLING"
    assert facts_of("tournament.completed")[0]["winners"][0]["displayName"] == "Cid"


def test_the_server_leaves_eliminations_to_the_game_unless_told():
    tournament = world.played(points=FIVE, config={"eliminationRate": Decimal("0.5")})
    take(tournament, event("round.completed", round=1))
    assert active(tournament) == 5


def test_the_server_drops_the_lowest_after_each_round_when_told():
    config = {"eliminationRate": Decimal("0.5"), "serverEliminates": True}
    tournament = world.played(points=FIVE, config=config, tournament_type="elimination")
    first = event("round.completed", round=1)
    assert outcomes(tournament, scored("cid", 5, after=9_000_000), first) == ["accepted"] * 2
    gone = Entry.objects.filter(status="OUT").values_list("player__external_id", "elimination_round")
    assert sorted(gone) == [("cid", 1), ("eve", 1)]
    placed = {data["userId"]: data["finalPosition"] for data in facts_of("player.eliminated")}
    assert placed == {"cid": 5, "eve": 4}
    assert outcomes(tournament, event("round.completed", round=1), first) == ["accepted", "duplicate"]
    assert active(tournament) == 3
    take(tournament, event("round.completed", round=2))
    assert (active(tournament), world.state(tournament)) == (2, "RUNNING")
    take(tournament, event("round.completed", round=3))
    assert (active(tournament), world.state(tournament)) == (1, "SETTLING")


def test_the_server_does_not_add_to_the_games_own_eliminations():
    tournament = world.played(points=FIVE, config={"eliminationRate": Decimal("0.5"), "serverEliminates": True})
    take(tournament, event("round.started", round=1), out("ann"), event("round.completed", round=1))
    assert active(tournament) == 4


def test_never_is_the_last_player_dropped():
    tournament = world.played(points={"ann": 2, "bob": 1}, config={"eliminationRate": 1, "serverEliminates": True})
    take(tournament, event("round.completed", round=1))
    assert active(tournament) == 1
    take(tournament, event("round.completed", round=2))
    assert (active(tournament), world.state(tournament)) == (1, "RUNNING")


@pytest.mark.parametrize("rate", [None, "half", True, -1, 0, 2, Decimal("1.01")])
def test_a_rate_that_is_none_drops_nobody(rate):
    tournament = world.played(points=FIVE, config={"eliminationRate": rate, "serverEliminates": True})
    assert outcomes(tournament, event("round.completed", round=1)) == ["accepted"]
    assert active(tournament) == 5


def test_the_game_ends_the_tournament():
    tournament = world.played()
    assert outcomes(tournament, event("tournament.completed")) == ["accepted"]
    assert world.state(tournament) == "SETTLING"
    assert points(tournament) == {"ann": 30, "bob": 20, "cid": 10}
    assert outcomes(tournament, event("tournament.completed")) == ["rejected"]
    assert SettlementPlan.objects.count() == 1
    world.pay(tournament)
    assert (world.state(tournament), world.escrow(tournament)) == ("CLOSED", 0)


def test_the_final_standings_are_the_last_word():
    tournament = world.played()
    take(tournament, scored("cid", 500, after=99_000_000))
    standings = [{"playerId": "bob", "score": 900}, {"playerId": "cid", "points": 800}]
    assert outcomes(tournament, event("tournament.completed", finalStandings=standings)) == ["accepted"]
    assert points(tournament) == {"ann": 30, "bob": 900, "cid": 800}
    assert [one["displayName"] for one in facts_of("tournament.completed")[0]["winners"]] == ["Bob", "Cid", "Ann"]


def test_standings_with_a_stranger_are_refused_whole():
    tournament = world.played()
    standings = [{"playerId": "bob", "score": 900}, {"playerId": "zoe", "score": 800}]
    [one] = take(tournament, event("tournament.completed", final_standings=standings))
    assert (one.outcome, one.note) == ("rejected", "zoe: no such player in this tournament")
    assert world.state(tournament) == "RUNNING"
    assert points(tournament) == {"ann": 30, "bob": 20, "cid": 10}


@pytest.mark.parametrize(
    "standings", ["ann", [1], [{"playerId": "ann"}], [{"playerId": "ann", "score": "x"}], [{"score": 5}]]
)
def test_malformed_standings_change_nothing(standings):
    tournament = world.played()
    with pytest.raises(Invalid):
        take(tournament, event("tournament.completed", finalStandings=standings))
    assert world.state(tournament) == "RUNNING"


def test_what_comes_after_the_end_in_one_call_is_refused():
    tournament = world.played()
    given = [scored("bob", 99, after=9_000_000), event("tournament.completed"), scored("cid", 500, after=9_000_001)]
    assert outcomes(tournament, *given) == ["accepted", "accepted", "rejected"]
    assert points(tournament) == {"ann": 30, "bob": 99, "cid": 10}


def test_a_room_is_noted_until_it_is_over():
    tournament = world.make()
    given = event("room.created", roomId="room_1", roomUrl="https://play.example/1")
    assert outcomes(tournament, given) == ["accepted"]
    assert (fresh(tournament).room_id, fresh(tournament).room_url) == ("room_1", "https://play.example/1")
    assert facts_of("tournament.updated")[0]["changes"] == {"roomId": "room_1", "roomUrl": "https://play.example/1"}
    assert outcomes(tournament, event("room.created", roomId="room_2")) == ["accepted"]
    assert (fresh(tournament).room_id, fresh(tournament).room_url) == ("room_2", "")
    running.cancel(tournament.pk, reason="storm", actor=STAFF, at=START)
    assert outcomes(tournament, event("room.created", roomId="room_3")) == ["rejected"]
    with pytest.raises(InvalidState):
        rooms.set_room(tournament.pk, room_id="room_3", actor=GAME_SERVER, at=START)
    assert fresh(tournament).room_id == "room_2"


@pytest.mark.parametrize(
    "room",
    [{}, {"roomId": ""}, {"roomId": 5}, {"roomId": "x" * 201}, {"roomId": "r", "roomUrl": "javascript:alert(1)"}],
)
def test_a_malformed_room_is_refused(room):
    tournament = world.make()
    with pytest.raises(Invalid):
        take(tournament, event("room.created", **room))
    assert fresh(tournament).room_id == ""


def test_coming_and_going_is_recorded_and_moves_nobody():
    tournament = world.played()
    given = [event("player.joined", playerId="ann"), event("player.left", playerId="ann")]
    assert outcomes(tournament, *given, event("player.joined", playerId="zoe")) == ["accepted", "accepted", "rejected"]
    assert entry_of(tournament, "ann").status == "IN"
    assert GameEvent.objects.count() == 3


def test_a_wish_for_a_rebuy_is_passed_on():
    tournament = world.played(rebuy_enabled=True, rebuy_fee=Decimal("7.50"), max_entries=2)
    ann = entry_of(tournament, "ann")
    asks = {"playerId": ann.internal_player_id, "rebuyAmount": 0, "currentEntries": 99, "maxEntries": 99}
    assert outcomes(tournament, event("rebuy.requested", **asks)) == ["accepted"]
    assert facts_of("rebuy.requested") == [
        {
            "playerId": str(ann.player_id),
            "userId": "ann",
            "rebuyAmount": Decimal("7.50"),
            "currentEntries": 1,
            "maxEntries": 2,
        }
    ]
    assert (entry_of(tournament, "ann").entry_count, world.escrow(tournament)) == (1, 3000)


def test_a_wish_for_a_rebuy_that_is_not_for_sale_is_refused():
    closed = world.played()
    assert outcomes(closed, event("rebuy.requested", playerId="ann")) == ["rejected"]
    open_one = world.played(rebuy_enabled=True, max_entries=2)
    late = START + timedelta(minutes=31)
    assert outcomes(open_one, event("rebuy.requested", playerId="ann"), at=late) == ["rejected"]
    entries.rebuy(entry_of(open_one, "ann").pk, actor=STAFF, at=START)
    [one] = take(open_one, event("rebuy.requested", playerId="ann"))
    assert (one.outcome, one.note) == ("rejected", "the player has no rebuy left")
    assert not facts_of("rebuy.requested")


def test_a_tournament_out_of_reach_is_not_there():
    draft = world.make(draft=True)
    stranger = OperatorFactory()
    tournament = world.played()
    for number, within in ((draft.pk, None), (tournament.pk, stranger.pk), (10**15, None)):
        with pytest.raises(TournamentNotFound):
            take_events(number, [scored("ann", 5)], within=within, actor=GAME_SERVER, at=START)
    assert points(tournament)["ann"] == 30
    assert not GameEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_ten_ends_at_once_are_one():
    tournament = world.played()
    results = race(*[lambda: outcomes(tournament, event("tournament.completed")) for _ in range(10)])
    assert sorted(results) == [["accepted"], *[["rejected"]] * 9]
    assert SettlementPlan.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_players_who_go_out_at_once_get_different_positions():
    tournament = world.played(points=FIVE, tournament_type="elimination")
    results = race(*[putting_out(tournament, name) for name in FIVE])
    assert sorted(results) == [["accepted"]] * 4 + [["rejected"]]
    assert sorted(data["finalPosition"] for data in facts_of("player.eliminated")) == [2, 3, 4, 5]
    assert (active(tournament), world.state(tournament)) == (1, "SETTLING")


def putting_out(tournament, name):
    return lambda: outcomes(tournament, out(name))


@pytest.mark.django_db(transaction=True)
def test_scores_and_the_end_at_once_leave_results_that_match_the_scores():
    tournament = world.played()
    works = [lambda: outcomes(tournament, event("tournament.completed"))]
    works += [scoring(tournament, n) for n in range(9)]
    results = race(*works)
    assert not [result for result in results if isinstance(result, Exception)]
    best = facts_of("tournament.completed")[0]["winners"][0]
    top = Entry.objects.ranked().filter(tournament=tournament).first()
    assert (best["displayName"], best["finalScore"]) == (top.display_name, top.points)


def scoring(tournament, n):
    return lambda: outcomes(tournament, scored("cid", 100 + n, after=9_000_000 + n))
