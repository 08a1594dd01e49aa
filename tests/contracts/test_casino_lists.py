"""Lists: filters, pages, order, positions; and that no list asks the database more for more rows."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.operators.models import Player
from apps.tournaments.models import Entry, TiePolicy, Tournament
from apps.tournaments.services import tally
from tests.contracts.casino import NOW, Casino, at_time, complete, report, score
from tests.tournaments import world

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_that_day")]

TEN = {f"p{number:02}": 1000 - number for number in range(1, 11)}


@pytest.fixture
def casino():
    return Casino()


def names(answer, list_name="tournaments", field="name"):
    assert answer.status_code == 200, answer.content
    return [row[field] for row in answer.json()[list_name]]


@pytest.fixture
def week(casino):
    """Five tournaments, created out of order."""
    casino.create(name="Wed", scheduled_start="2031-05-07T10:00:00Z", external_id="w")
    casino.create(name="Mon", scheduled_start="2031-05-05T10:00:00Z")
    casino.create(name="Tue", scheduled_start="2031-05-06T10:00:00Z")
    casino.create(name="Mon again", scheduled_start="2031-05-05T10:00:00Z")
    casino.running("ann", name="Now")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Now", "Mon", "Mon again", "Tue", "Wed"]),
        ("status=active", ["Now"]),
        ("status=in_progress", ["Now"]),
        ("status=scheduled, in_progress&limit=2", ["Now", "Mon"]),
        ("status=cancelled", []),
        ("gameSlug=crash-classic&limit=1", ["Now"]),
        ("game_slug=crash-classic&limit=1", ["Now"]),
        ("game=other", []),
        ("startDate=2031-05-05T10:00:00Z", ["Tue", "Wed"]),
        ("start_date=2031-05-06", ["Tue", "Wed"]),
        ("endDate=2031-05-06T10:00:00Z", ["Now", "Mon", "Mon again"]),
        ("startDate=2031-05-05T12:00:00%2B02:00&end_date=2031-05-07", ["Tue"]),
        ("startDate=2031-05-05T12:00:00+02:00&end_date=2031-05-07", ["Tue"]),
        ("external_id=w", ["Wed"]),
        ("externalId=w", ["Wed"]),
        ("limit=2&offset=1", ["Mon", "Mon again"]),
        ("page=2&per_page=2", ["Mon again", "Tue"]),
        ("page=9", []),
        ("offset=1000000000", []),
        ("colour=red", ["Now", "Mon", "Mon again", "Tue", "Wed"]),
    ],
)
def test_tournaments_are_found_and_in_the_order_of_their_start(casino, week, query, found):
    assert names(casino.get(f"/api/tournaments?{query}")) == found


def test_a_page_says_what_is_left(casino, week):
    first = casino.get("/api/tournaments?limit=2").json()
    assert first["pagination"] == {"total": 5, "limit": 2, "offset": 0, "hasMore": True}
    last = casino.get("/api/tournaments?page=3&perPage=2").json()
    assert last["pagination"] == {"total": 5, "limit": 2, "offset": 4, "hasMore": False}
    assert last["totalCount"] == 5


@pytest.fixture
def ten(casino):
    """Ten players, p01 first; p03 and p06 are out."""
    made = casino.running(*TEN, config={"maxRounds": 3})
    score(made, **TEN)
    for user in ("p03", "p06"):
        report(made, "player.eliminated", playerId=user)
    return made


def board(casino, made, query=""):
    answer = casino.get(f"/api/tournaments/{made}/leaderboard?{query}")
    assert answer.status_code == 200, answer.content
    rows = [(row["position"], row["userId"]) for row in answer.json()["leaderboard"]]
    return rows, answer.json()["pagination"]


def places(*numbers):
    return [(number, f"p{number:02}") for number in numbers]


def test_a_board_hides_who_is_out_and_keeps_the_positions(casino, ten):
    rows, page = board(casino, ten)
    assert rows == places(1, 2, 4, 5, 7, 8, 9, 10)
    assert page == {"total": 8, "limit": 50, "offset": 0, "hasMore": False}
    rows, page = board(casino, ten, "includeEliminated=true")
    assert rows == places(*range(1, 11))
    assert page["total"] == 10
    assert board(casino, ten, "include_eliminated=1&limit=2&offset=2") == (
        places(3, 4),
        {"total": 10, "limit": 2, "offset": 2, "hasMore": True},
    )


def test_a_limit_above_two_hundred_is_two_hundred(casino, ten):
    assert board(casino, ten, "limit=201")[1]["limit"] == 200
    assert board(casino, ten, "limit=99999999999999999999")[1]["limit"] == 200
    assert board(casino, ten, "limit=200")[1]["limit"] == 200


@pytest.mark.parametrize(
    ("who", "around"), [("p01", range(1, 7)), ("p04", range(1, 10)), ("p07", range(2, 11)), ("p10", range(5, 11))]
)
def test_around_a_player_are_five_neighbours_each_way(casino, ten, who, around):
    rows, page = board(casino, ten, f"around={who}")
    assert rows == places(*around)
    assert page["offset"] == around[0] - 1
    assert page["total"] == 10


def test_around_somebody_who_is_not_there_is_404(casino, ten):
    answer = casino.get(f"/api/tournaments/{ten}/leaderboard?around=nobody")
    assert (answer.status_code, answer.json()["code"]) == (404, "PLAYER_NOT_FOUND")


def test_before_the_start_everyone_registered_has_no_points(casino):
    made = casino.create()
    for user in ("ann", "bob"):
        casino.register(made, user)
    answer = casino.get(f"/api/tournaments/{made}/leaderboard").json()
    assert [(row["userId"], row["points"], row["status"]) for row in answer["leaderboard"]] == [
        ("ann", 0, "registered"),
        ("bob", 0, "registered"),
    ]
    assert answer["currentRound"] == 0
    assert answer["totalRounds"] is None
    # What each place will be worth is told before anyone knows how many there will be.
    assert answer["prizePool"]["distribution"] == {"1st": 7.5, "2nd": 4.5, "3rd": 3}


def test_an_empty_tournament_has_an_empty_board(casino):
    made = casino.create(prizePool={"guaranteedPrize": 100})
    answer = casino.get(f"/api/tournaments/{made}/leaderboard").json()
    assert answer["leaderboard"] == []
    assert answer["prizePool"] == {"totalAmount": 100, "distribution": {"1st": 50, "2nd": 30, "3rd": 20}}
    assert casino.get(f"/api/tournaments/{made}").json()["participation_stats"]["average_entries_per_player"] == 0


def test_ordinals_go_on_as_in_english(casino):
    made = casino.create(prizePool={"total": 25, "distribution": [4] * 25})
    ordinals = list(casino.get(f"/api/tournaments/{made}/leaderboard").json()["prizePool"]["distribution"])
    assert [ordinals[place - 1] for place in (1, 2, 3, 4, 11, 12, 13, 21, 22, 23, 24)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "23rd", "24th",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", range(1, 11)),
        ("status=active", (1, 2, 4, 5, 7, 8, 9, 10)),
        ("status=eliminated", (3, 6)),
        ("status=registered", ()),
        ("status=winner", ()),
        ("status=withdrawn", ()),
        ("limit=3", (1, 2, 3)),
        ("limit=3&offset=8", (9, 10)),
        ("status=eliminated&limit=1&offset=1", (6,)),
        ("page=2&per_page=4", (5, 6, 7, 8)),
    ],
)
def test_players_are_filtered_and_keep_their_true_positions(casino, ten, query, found):
    answer = casino.get(f"/api/tournaments/{ten}/players?{query}").json()
    assert [(row["currentPosition"], row["userId"]) for row in answer["players"]] == places(*found)
    whole = {"status=active": 8, "status=eliminated": 2}.get(query.split("&")[0], 10 if found else 0)
    assert answer["totalCount"] == whole


def test_winners_are_whoever_a_prize_was_fixed_for(casino, ten):
    complete(ten)
    winners = casino.get(f"/api/tournaments/{ten}/players?status=winner").json()
    assert [(row["userId"], row["prizeAmount"], row["status"]) for row in winners["players"]] == [
        ("p01", 37.5, "winner"),
        ("p02", 22.5, "winner"),
        ("p03", 15, "winner"),
    ]
    assert names(casino.get(f"/api/tournaments/{ten}/players?status=eliminated"), "players", "userId") == ["p06"]
    assert casino.get(f"/api/tournaments/{ten}/players/p03").json()["status"] == "winner"
    rows = casino.get(f"/api/tournaments/{ten}/leaderboard?includeEliminated=true").json()["leaderboard"]
    assert [row["status"] for row in rows[:4]] == ["winner", "winner", "winner", "active"]


def test_those_who_withdrew_are_listed_only_when_asked_for(casino):
    made = casino.create()
    for user in ("ann", "bob"):
        casino.register(made, user)
    casino.delete(f"/api/tournaments/{made}/players/ann", {"reason": "voluntary_exit"})
    assert names(casino.get(f"/api/tournaments/{made}/players"), "players", "userId") == ["bob"]
    gone = casino.get(f"/api/tournaments/{made}/players?status=withdrawn").json()
    assert [(row["userId"], row["currentPosition"], row["status"]) for row in gone["players"]] == [
        ("ann", None, "withdrawn")
    ]


def test_prizes_shared_by_those_who_tied_are_told_as_they_are(casino):
    made = casino.running("ann", "bob", "cid", tiePolicy="split", prizePool={"distribution": [60, 40]})
    score(made, ann=10, bob=10, cid=5)
    complete(made)
    assert Tournament.objects.get().tie_policy == TiePolicy.SPLIT
    pool = casino.get(f"/api/tournaments/{made}/prize-pool").json()
    assert [(row["position"], row["percentage"], row["amount"]) for row in pool["payouts"]] == [
        (1, 60, 11.25),
        (2, 40, 11.25),
    ]
    assert pool["isFinal"] is True
    told = casino.get(f"/api/tournaments/{made}/leaderboard").json()["prizePool"]
    assert told == {"totalAmount": 22.5, "distribution": {"1st": 11.25, "2nd": 11.25}}


def test_rake_and_guarantee_are_told(casino):
    made = casino.running("ann", "bob", rakePercent=10, prizePool={"total": 20, "distribution": [100]})
    pool = casino.get(f"/api/tournaments/{made}/prize-pool").json()
    assert (pool["entryFees"], pool["rakePercent"], pool["rakeAmount"]) == (15, 10, 1.5)
    assert (pool["totalAmount"], pool["guaranteedPrize"]) == (20, 20)
    complete(made)
    statistics = casino.get(f"/api/tournaments/{made}/results").json()["statistics"]
    assert statistics["operatorRevenue"] == -5


def test_events_come_by_type_and_page(casino):
    made = casino.create()
    for user in ("ann", "bob", "cid"):
        casino.register(made, user)
    path = f"/api/tournaments/{made}/events"
    kinds = names(casino.get(path), "events", "eventType")
    assert kinds == ["tournament.created", *["player.registered"] * 3]
    assert names(casino.get(f"{path}?type=tournament.*"), "events", "eventType") == ["tournament.created"]
    assert len(names(casino.get(f"{path}?type=tournament.created,player.registered"), "events", "eventId")) == 4
    page = casino.get(f"{path}?type=player.registered&limit=2&offset=1").json()
    assert [event["data"]["userId"] for event in page["events"]] == ["bob", "cid"]
    assert page["pagination"] == {"total": 3, "limit": 2, "offset": 1, "hasMore": False}


def test_a_history_has_pages_and_statistics_over_all_of_it(casino):
    for place, users in enumerate([("ann", "bob", "cid"), ("bob", "ann", "cid"), ("cid", "bob", "ann")], start=1):
        made = casino.running(*users, name=f"T{place}")
        score(made, **{user: 30 - 10 * rank for rank, user in enumerate(users)})
        complete(made)
    withdrawn = casino.create(name="Left")
    casino.register(withdrawn, "ann")
    casino.delete(f"/api/tournaments/{withdrawn}/players/ann", {"reason": "voluntary_exit"})
    answer = casino.get("/api/players/ann/tournaments?page=2&per_page=2").json()
    history = answer["tournament_history"]
    assert [row["tournament_name"] for row in history["data"]] == ["T1"]
    assert {name: history[name] for name in ("current_page", "per_page", "total", "last_page")} == {
        "current_page": 2,
        "per_page": 2,
        "total": 3,
        "last_page": 2,
    }
    assert answer["performance_statistics"] == {
        "total_tournaments": 3,
        "completed_tournaments": 3,
        "average_position": 2,
        "best_position": 1,
        "total_points_earned": 60,
    }
    first = casino.get("/api/players/ann/tournaments?limit=2").json()["tournament_history"]
    assert [(row["tournament_name"], row["final_position"], row["points_earned"]) for row in first["data"]] == [
        ("T3", 3, "10"),
        ("T2", 2, "20"),
    ]


def test_final_positions_follow_the_whole_ranking(casino):
    """Equal points: later elimination first, then who scored first, fewer entries, earlier registration."""
    users = ["late", "early", "rebought", "out1", "out2", "same1", "same2"]
    made = casino.running(*users, rebuyEnabled=True, config={"maxRounds": 9})
    casino.post(f"/api/tournaments/{made}/players/rebought/rebuy")
    for user, after in [("late", 50), ("early", 10), ("rebought", 20), ("same1", 20), ("same2", 20)]:
        report(made, "player.score.updated", after=after, playerId=user, score=100)
    for round_number, user in [(1, "out1"), (2, "out2")]:
        report(made, "player.score.updated", after=5, playerId=user, score=100)
        report(made, "round.started", round=round_number)
        report(made, "player.eliminated", playerId=user, eliminationRound=round_number)
    complete(made)
    listed = names(casino.get(f"/api/tournaments/{made}/players"), "players", "userId")
    assert listed == ["early", "same1", "same2", "rebought", "late", "out2", "out1"]
    for position, user in enumerate(listed, start=1):
        (row,) = casino.get(f"/api/players/{user}/tournaments").json()["tournament_history"]["data"]
        assert row["final_position"] == position
        assert casino.get(f"/api/tournaments/{made}/players/{user}").json()["position"] == position
    shown = casino.get(f"/api/tournaments/{made}/leaderboard?includeEliminated=true").json()["leaderboard"]
    assert [row["userId"] for row in shown] == listed


# --- how often the database is asked ----------------------------------------------------------------------------------


def asked(casino, path):
    casino.get(path)  # whatever is looked up once per process
    with CaptureQueriesContext(connection) as queries:
        assert casino.get(path).status_code == 200
    return [query["sql"] for query in queries if query["sql"].startswith(("SELECT", "\n    SELECT", "WITH"))]


def test_two_hundred_tournaments_are_no_more_questions_than_one(casino):
    for number in range(3):
        world.make(casino.operator, name=str(number))
    few = asked(casino, "/api/tournaments?limit=200")
    for number in range(197):
        world.make(casino.operator, name=str(number))
    many = asked(casino, "/api/tournaments?limit=200")
    assert casino.get("/api/tournaments?limit=200").json()["pagination"]["total"] == 200
    assert len(many) == len(few) <= 5


@pytest.mark.parametrize(
    "path", ["", "/status", "/players", "/players/p01", "/leaderboard", "/results", "/prize-pool", "/events"]
)
def test_more_players_are_no_more_questions(casino, path):
    counts = []
    for users in (["p01", "p02"], [f"p{number:02}" for number in range(1, 31)]):
        made = casino.running(*users)
        complete(made)
        counts.append(len(asked(casino, f"/api/tournaments/{made}{path}")))
    assert counts[0] == counts[1] <= 9


def test_a_long_history_is_no_more_questions(casino):
    counts = []
    for _ in range(2):
        for _ in range(4):
            complete(casino.running("ann", "bob"))
        counts.append(len(asked(casino, "/api/players/ann/tournaments")))
    assert counts[0] == counts[1] <= 7


def many_players(casino, made, number):
    """Players by the thousand, as registration would leave them."""
    at, brand = datetime(2031, 4, 30, 8, tzinfo=UTC), casino.operator.brands.get()
    players = Player.objects.bulk_create(
        Player(operator=casino.operator, brand=brand, external_id=f"m-{n}", created_at=at) for n in range(number)
    )
    Entry.objects.bulk_create(
        (
            Entry(
                operator=casino.operator,
                tournament_id=int(made),
                player=player,
                display_name=f"Player {n}",
                points=Decimal(n),
                scored_at=at + timedelta(seconds=n),
                registered_at=at,
                changed_at=at,
            )
            for n, player in enumerate(players)
        ),
        batch_size=5000,
    )
    tally.move(int(made), players=number, active=number, entries=number)


def test_a_long_list_of_players_is_written_as_it_is_read(casino):
    made = casino.create()
    many_players(casino, made, 5000)
    answer = casino.get(f"/api/tournaments/{made}/players")
    assert answer.status_code == 200
    assert answer.streaming
    assert answer["Content-Type"] == "application/json"
    pieces = list(answer.streaming_content)
    assert len(pieces) == 7
    body = json.loads(b"".join(pieces))
    assert body["totalCount"] == len(body["players"]) == 5000
    assert [row["currentPosition"] for row in body["players"]] == list(range(1, 5001))
    assert (body["players"][0]["userId"], body["players"][0]["currentScore"]) == ("m-4999", 4999)
    short = casino.get(f"/api/tournaments/{made}/players?limit=2000&offset=1000")
    assert not short.streaming
    assert short.json()["players"] == body["players"][1000:3000]
    assert short.json()["totalCount"] == 5000


def test_time_passes_between_pages_and_the_board_says_when(casino):
    made = casino.running("ann", "bob")
    with at_time(NOW + timedelta(minutes=1)):
        score(made, bob=5)
    answer = casino.get(f"/api/tournaments/{made}/leaderboard").json()
    assert answer["lastUpdated"] == "2031-04-30T09:01:00Z"
