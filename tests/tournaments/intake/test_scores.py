"""Scores: absolute, newest wins, each report once."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.core.errors import Invalid
from apps.tournaments.models import Entry, GameEvent
from apps.tournaments.services import entries, running
from tests.factories import OperatorFactory, PlayerFactory
from tests.racing import race
from tests.tournaments import world
from tests.tournaments.intake.events import entry_of, event, fresh, out, outcomes, points, scored, take
from tests.tournaments.world import START

pytestmark = pytest.mark.django_db


@pytest.fixture
def tournament():
    """Ann, Bob and Cid play; nobody has a point."""
    tournament = world.make()
    world.enter(tournament, "ann", "bob", "cid")
    return running.start(tournament.pk, actor=world.STAFF, at=START)


def test_a_report_sets_the_points_the_time_and_the_version(tournament):
    later = START + timedelta(seconds=5)
    assert outcomes(tournament, scored("ann", 640, after=3, round=2), at=later) == ["accepted"]
    ann = entry_of(tournament, "ann")
    assert (ann.points, ann.current_round, ann.score_version) == (640, 2, 1)
    assert ann.scored_at == ann.score_reported_at == START + timedelta(seconds=3)
    assert ann.changed_at == later


def test_the_first_report_counts_whatever_its_clock_says(tournament):
    assert outcomes(tournament, scored("ann", 7, after=-1_000_000)) == ["accepted"]
    assert points(tournament)["ann"] == 7


def test_a_report_older_than_the_one_applied_is_stale(tournament):
    take(tournament, scored("ann", 10, after=9))
    assert outcomes(tournament, scored("ann", 99, after=8)) == ["stale"]
    assert points(tournament)["ann"] == 10
    assert outcomes(tournament, scored("ann", 5, after=10)) == ["accepted"]
    assert points(tournament)["ann"] == 5


def test_of_two_reports_of_one_moment_the_higher_score_stands_in_any_order(tournament):
    assert outcomes(tournament, scored("ann", 3), scored("ann", 4)) == ["accepted", "accepted"]
    assert outcomes(tournament, scored("bob", 4), scored("bob", 3)) == ["accepted", "stale"]
    assert points(tournament) == {"ann": 4, "bob": 4, "cid": 0}


def test_points_reported_again_keep_the_time_they_were_reached_at(tournament):
    take(tournament, scored("ann", 10, after=1), scored("bob", 10, after=2))
    take(tournament, scored("ann", 10, after=50))
    ann = entry_of(tournament, "ann")
    assert ann.scored_at == START + timedelta(seconds=1)
    assert ann.score_reported_at == START + timedelta(seconds=50)
    assert ann.score_version == 1
    assert [e.player.external_id for e in Entry.objects.ranked().select_related("player")] == ["ann", "bob", "cid"]


def test_the_same_event_again_changes_nothing(tournament):
    report = scored("ann", 10)
    assert outcomes(tournament, report, report) == ["accepted", "duplicate"]
    [again] = take(tournament, {**report, "data": {"playerId": "ann", "score": 999}})
    assert (again.outcome, again.note) == ("duplicate", "taken before: accepted")
    assert points(tournament)["ann"] == 10
    assert GameEvent.objects.count() == 1


def test_an_event_id_is_known_per_tournament(tournament):
    other = world.played()
    report = scored("ann", 50, id="evt_shared", after=9_000_000)
    assert outcomes(tournament, report) == outcomes(other, report) == ["accepted"]


@pytest.mark.parametrize("spelling", ["internal", "player", "player as a number", "user"])
def test_a_player_goes_by_three_ids(tournament, spelling):
    ann = entry_of(tournament, "ann")
    named = {
        "internal": ann.internal_player_id,
        "player": str(ann.player_id),
        "player as a number": ann.player_id,
        "user": "ann",
    }[spelling]
    assert outcomes(tournament, scored(named, 8)) == ["accepted"]
    assert points(tournament)["ann"] == 8


def test_a_user_id_that_looks_like_a_player_id_comes_second(tournament):
    ann = entry_of(tournament, "ann")
    world.enter(other := world.make(operator=tournament.operator), "ann", "bob", "666")
    running.start(other.pk, actor=world.STAFF, at=START)
    assert outcomes(other, scored("666", 8), scored(str(ann.player_id), 5)) == ["accepted", "accepted"]
    assert points(other) == {"ann": 5, "bob": 0, "666": 8}


def test_who_is_not_in_the_tournament_is_refused_and_the_others_are_taken(tournament):
    stranger = PlayerFactory(operator=tournament.operator)
    elsewhere = world.played(operator=OperatorFactory())
    foreign = entry_of(elsewhere, "ann").internal_player_id
    given = [scored("nobody", 1), scored(stranger.pk, 1), scored(foreign, 1), scored("bob", 1)]
    taken = take(tournament, *given)
    assert [one.outcome for one in taken] == ["rejected", "rejected", "rejected", "accepted"]
    assert taken[0].note == "no such player in this tournament"
    assert points(tournament) == {"ann": 0, "bob": 1, "cid": 0}
    assert points(elsewhere)["ann"] == 30


def test_only_a_running_tournament_takes_scores():
    upcoming = world.make()
    world.enter(upcoming, "ann")
    assert outcomes(upcoming, scored("ann", 5)) == ["rejected"]
    over = world.played()
    running.complete(over.pk, actor=world.STAFF, at=START)
    [late] = take(over, scored("ann", 5, after=99))
    assert (late.outcome, late.note) == ("rejected", "the tournament is not running")
    assert points(upcoming) == {"ann": 0}
    assert points(over) == {"ann": 30, "bob": 20, "cid": 10}


def test_a_player_who_left_before_the_start_scores_no_more(tournament):
    entry = world.enter(upcoming := world.make(), "ann", "bob")[0]
    entries.remove_with_refund(entry.pk, reason="left", actor=world.STAFF, at=START)
    running.start(upcoming.pk, actor=world.STAFF, at=START)
    [refused] = take(upcoming, scored("ann", 5))
    assert (refused.outcome, refused.note) == ("rejected", "the player has withdrawn")


def test_a_report_from_before_the_elimination_still_counts_and_a_later_one_does_not(tournament):
    take(tournament, scored("ann", 1, after=1), out("ann", after=60))
    assert outcomes(tournament, scored("ann", 5, after=59)) == ["accepted"]
    assert outcomes(tournament, scored("ann", 9, after=61)) == ["rejected"]
    assert points(tournament)["ann"] == 5
    assert entry_of(tournament, "ann").status == "OUT"


def test_six_decimals_are_kept_exactly(tournament):
    take(tournament, scored("ann", Decimal("123456789012.345678")), scored("bob", -7), scored("cid", Decimal("1.50")))
    rows = dict(Entry.objects.values_list("player__external_id", "points"))
    assert rows == {"ann": Decimal("123456789012.345678"), "bob": -7, "cid": Decimal("1.5")}


@pytest.mark.parametrize(
    ("broken", "field"),
    [
        ({"eventId": None}, "eventId"),
        ({"eventId": ""}, "eventId"),
        ({"eventId": "x" * 129}, "eventId"),
        ({"eventId": 5}, "eventId"),
        ({"eventType": 5}, "eventType"),
        ({"timestamp": "yesterday"}, "timestamp"),
        ({"timestamp": 1767225600}, "timestamp"),
        ({"timestamp": "2031-05-02T12:00:00"}, "timestamp"),
        ({"timestamp": "0001-01-01T00:00:00+14:00"}, "timestamp"),
        ({"timestamp": "9999-12-31T23:59:59-14:00"}, "timestamp"),
        ({"tournamentId": "1"}, "tournamentId"),
        ({"operatorId": "op_somebody"}, "operatorId"),
        ({"event_id": "another"}, "eventId"),
        ({"data": []}, "data"),
        ({"data": {}}, "data"),
        ({"data": {"playerId": "ann"}}, "data"),
        ({"data": {"playerId": "ann", "score": "many"}}, "data.score"),
        ({"data": {"playerId": "ann", "score": True}}, "data.score"),
        ({"data": {"playerId": "ann", "score": None}}, "data.score"),
        ({"data": {"playerId": "ann", "score": "NaN"}}, "data.score"),
        ({"data": {"playerId": "ann", "score": "-Infinity"}}, "data.score"),
        ({"data": {"playerId": "ann", "score": "1e999999999"}}, "data.score"),
        ({"data": {"playerId": "ann", "score": "1e-999999999"}}, "data.score"),
        ({"data": {"playerId": "ann", "score": 10**17}}, "data.score"),
        ({"data": {"playerId": "ann", "score": Decimal("0.0000001")}}, "data.score"),
        ({"data": {"playerId": "ann", "score": 1, "round": -1}}, "data.round"),
        ({"data": {"playerId": "ann", "score": 1, "round": 2**31}}, "data.round"),
        ({"data": {"playerId": {"a": 1}, "score": 1}}, "data.playerId"),
        ({"data": {"playerId": "", "score": 1}}, "data.playerId"),
        ({"data": {"playerId": -1, "score": 1}}, "data.playerId"),
        ({"data": {"playerId": 10**18, "score": 1}}, "data.playerId"),
        ({"data": {"playerId": "ann", "player_id": "bob", "score": 1}}, "data.playerId"),
    ],
)
def test_one_malformed_event_keeps_all_of_them_out(tournament, broken, field):
    with pytest.raises(Invalid) as refusal:
        take(tournament, scored("bob", 5), {**scored("ann", 1), **broken})
    assert list(refusal.value.details["fields"]) == [f"events[1].{field}"]
    assert points(tournament) == {"ann": 0, "bob": 0, "cid": 0}
    assert not GameEvent.objects.exists()


@pytest.mark.parametrize("bodies", [[], [None], ["x"], [[]], [5], [{}] * 1001])
def test_what_is_no_list_of_events_is_refused(tournament, bodies):
    with pytest.raises(Invalid):
        take(tournament, *bodies)
    assert not GameEvent.objects.exists()


def test_snake_case_is_read_as_well(tournament):
    report = {
        "event_type": "player.score.updated",
        "event_id": "evt_1",
        "timestamp": "2031-05-02T14:00:00.5+02:00",
        "tournament_id": tournament.pk,
        "operator_id": tournament.operator.public_id,
        "data": {"player_id": "ann", "score": 5},
    }
    assert outcomes(tournament, report) == ["accepted"]
    stored = GameEvent.objects.get()
    assert stored.payload == report
    assert stored.occurred_at == START + timedelta(milliseconds=500)


def test_an_unknown_type_is_stored_and_acknowledged(tournament):
    [one] = take(tournament, event("player.dances", playerId=5, anything=[None]))
    assert (one.outcome, one.note) == ("ignored", "unknown type")
    stored = GameEvent.objects.get()
    assert (stored.type, stored.outcome, stored.payload["data"]) == (
        "player.dances",
        "ignored",
        {"playerId": 5, "anything": [None]},
    )


def test_what_became_of_each_event_is_kept(tournament):
    take(tournament, scored("ann", 5, after=9), scored("ann", 4, after=8), scored("zoe", 1))
    rows = GameEvent.objects.order_by("pk").values_list("outcome", "note")
    assert sorted(rows) == [
        ("accepted", ""),
        ("rejected", "no such player in this tournament"),
        ("stale", "a newer score has been applied"),
    ]


def test_a_thousand_scores_are_a_handful_of_statements():
    tournament = world.make(entry_fee=Decimal(0))
    operator = tournament.operator
    players = [PlayerFactory(operator=operator) for _ in range(100)]
    Entry.objects.bulk_create(
        Entry(
            operator=operator,
            tournament=tournament,
            player=player,
            display_name="x",
            scored_at=world.AT,
            registered_at=world.AT,
            changed_at=world.AT,
        )
        for player in players
    )
    tournament = world.running.begin(tournament, immediately=False, actor=world.STAFF, at=START)
    given = [scored(player.external_id, n, after=n) for n in range(10) for player in players]
    with CaptureQueriesContext(connection) as queries:
        assert outcomes(tournament, *given) == ["accepted"] * 1000
    assert len(queries) <= 10, [query["sql"][:100] for query in queries]
    assert set(points(tournament).values()) == {9}


@pytest.mark.django_db(transaction=True)
def test_ten_at_once_with_the_same_events_are_one():
    tournament = world.played()
    given = [scored(name, n, after=n) for n in range(1, 20) for name in ("ann", "bob", "cid")]
    results = race(*[taking(tournament, given[n:] + given[:n]) for n in range(10)])
    assert not [result for result in results if isinstance(result, Exception)]
    flat = [word for words in results for word in words]
    assert len(flat) == 10 * len(given)
    assert flat.count("duplicate") == 9 * len(given)
    assert GameEvent.objects.count() == len(given)
    assert points(tournament) == {"ann": 19, "bob": 19, "cid": 19}


def taking(tournament, given_events):
    return lambda: outcomes(tournament, *given_events)


reports = st.lists(
    st.tuples(st.sampled_from(["ann", "bob", "cid"]), st.integers(-5, 5), st.integers(0, 6)), min_size=1, max_size=12
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(reports, st.data())
def test_any_order_and_repetition_of_the_same_reports_ends_in_the_same_points(tournament, plan, data):
    given_events = [scored(name, score, after=after, id=f"evt_{n}") for n, (name, score, after) in enumerate(plan)]
    shuffled = data.draw(st.permutations(given_events * 2))
    cuts = data.draw(st.lists(st.integers(0, len(shuffled)), max_size=3).map(sorted))
    expected = {"ann": 0.0, "bob": 0.0, "cid": 0.0}
    for name in expected:
        own = [(after, score) for who, score, after in plan if who == name]
        if own:
            expected[name] = max(own)[1]
    reset(tournament)
    for start, stop in zip([0, *cuts], [*cuts, len(shuffled)], strict=True):
        if shuffled[start:stop]:
            take(tournament, *shuffled[start:stop])
    assert points(tournament) == expected
    assert GameEvent.objects.count() == len(given_events)


def reset(tournament):
    GameEvent.objects.all().delete()
    Entry.objects.filter(tournament=tournament).update(points=0, score_reported_at=None, scored_at=START)
    assert fresh(tournament).status == "RUNNING"
