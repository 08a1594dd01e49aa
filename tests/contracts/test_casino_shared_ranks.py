"""Equal points have one rank wherever one is told, if the tournament says SHARE_RANK (podium.md 3): 1, 2, 2, 2, 5."""

import json
import re
from datetime import timedelta
from decimal import Decimal

import pytest

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.events.models import Fact
from apps.ledger.models import Payout
from apps.rounds.services.scoring import scorer
from apps.tournaments import board
from apps.tournaments.live import source
from apps.tournaments.models import Entry, Tournament
from apps.tournaments.services import planning, running, settlement
from tests import factories
from tests.admin.scenes import change, signed_in, text
from tests.contracts.casino import Casino, an_operator
from tests.factories import GAME
from tests.rounds.world import BRAND, ROUND_GAME, Integration, a_round
from tests.tournaments.operator_rail import spins, with_spins

pytestmark = pytest.mark.django_db

BETS = {"ann": 9, "bob": 5, "cid": 5, "dan": 5, "eva": 1}
RANKS = {"ann": 1, "bob": 2, "cid": 2, "dan": 2, "eva": 5}


@pytest.fixture
def acme():
    return Integration(an_operator(), watched=False)


@pytest.fixture
def casino(acme):
    return Casino(acme.operator)


@pytest.fixture(params=["a board", "no board"])
def with_board(request, redis):
    return request.param == "a board"


def opened(casino, prize_pool=None, **scoring):
    """A tournament that began a minute ago."""
    start = clock.now() - timedelta(minutes=1)
    body = {
        "name": "March Sprint",
        "game": GAME,
        "scheduled_start": start.isoformat(),
        "endTime": (start + timedelta(hours=1)).isoformat(),
        "entry_fee": 0,
        "currency": "EUR",
        "prize_pool": prize_pool or {"total": 1000, "distribution": {"1": 50, "2": 30, "3": 20}},
        "scoring": {"source": "rounds", "method": "WAGERED_AMOUNT", "games": [ROUND_GAME], "tieBreak": "SHARE_RANK"}
        | scoring,
    }
    answer = casino.post("/api/tournaments", body)
    assert answer.status_code == 201, answer.content
    return Tournament.objects.get(pk=answer.json()["tournament"]["id"])


def play(acme, made, *, with_board=True, bets=BETS):
    """Everybody bets once, a second after the one before."""
    first = clock.now() - timedelta(seconds=30)
    rounds = [
        a_round(
            timestamp=(first + timedelta(seconds=k)).isoformat(),
            roundId=f"r-{name}",
            playerId=name,
            betAmount=bet,
        )
        for k, (name, bet) in enumerate(bets.items())
    ]
    assert acme.batch(rounds).status_code == 202
    scorer.drain()
    if with_board:
        assert board.rebuild(made.pk)
    else:
        board.drop(made.pk)


def complete(made):
    running.complete(made.pk, actor=SYSTEM, at=clock.now())
    while settlement.pay_on(made.pk, at=clock.now()):
        pass
    assert Tournament.objects.get(pk=made.pk).status == "CLOSED"


def ranks(rows, name="position"):
    return {row["userId"]: row[name] for row in rows}


def users():
    return {str(player): user for player, user in Entry.objects.values_list("player_id", "player__external_id")}


def told(kind):
    return [fact.data for fact in Fact.objects.filter(type=kind).order_by("pk")]


def standings(casino, made):
    """The ranks of everybody by every call that tells one."""
    path = f"/api/tournaments/{made.pk}"
    each = [casino.get(f"{path}/leaderboard?limit=1&offset={k}").json()["leaderboard"][0] for k in range(len(BETS))]
    picture = source.picture(made.operator_id, made.pk, at=clock.now())
    names = users()
    return {
        "board": ranks(casino.get(f"{path}/leaderboard").json()["leaderboard"]),
        "everybody": ranks(casino.get(f"{path}/leaderboard?include_eliminated=true").json()["leaderboard"]),
        "a row a page": ranks(each),
        "around": ranks(casino.get(f"{path}/leaderboard?around=dan").json()["leaderboard"]),
        "players": ranks(casino.get(f"{path}/players").json()["players"], "currentPosition"),
        "a player a page": ranks(
            (casino.get(f"{path}/players?limit=1&offset={k}").json()["players"][0] for k in range(len(BETS))),
            "currentPosition",
        ),
        "player": {name: casino.get(f"{path}/players/{name}").json()["position"] for name in BETS},
        "score": {name: casino.get(f"{path}/players/{name}/score").json()["position"] for name in BETS},
        "details": {names[row["player_id"]]: row["position"] for row in casino.get(path).json()["leaderboard_preview"]},
        "socket board": ranks(json.loads(picture.text)["leaderboard"]),
        "socket scores": {names[str(pk)]: json.loads(said)["position"] for pk, said in picture.scores.items()},
        "socket finals": {
            names[str(entry.player_id)]: json.loads(source.finals([entry.pk])[entry.pk])["position"]
            for entry in Entry.objects.all()
        },
    }


def test_a_current_rank_is_shared_by_every_call_and_socket(acme, casino, with_board):
    made = opened(casino)
    play(acme, made, with_board=with_board)
    found = standings(casino, made)
    assert found == dict.fromkeys(found, RANKS)


def test_a_page_says_how_many_rows_come_before_it_though_they_share_a_rank(acme, casino, with_board):
    made = opened(casino)
    more = {f"p{k}": 5 for k in range(12)}
    play(acme, made, with_board=with_board, bets={"ann": 9} | more)
    near = casino.get(f"/api/tournaments/{made.pk}/leaderboard?around=p11").json()
    assert [row["position"] for row in near["leaderboard"]] == [2] * 6
    assert (near["pagination"]["offset"], near["pagination"]["total"]) == (7, 13)


def test_a_final_rank_is_the_one_that_was_paid_and_told(acme, casino):
    made = opened(casino)
    play(acme, made)
    dry = planning.preview_settlement(made.pk)
    complete(made)
    found = standings(casino, made)
    assert found == dict.fromkeys(found, RANKS)

    # 500 for rank 1; the places 2, 3 and 4 are worth 300, 200 and nothing.
    paid = [(1, Decimal(500)), (2, Decimal("166.67")), (2, Decimal("166.67")), (2, Decimal("166.66"))]
    assert [(line.position, Decimal(line.units) / 100) for line in dry.lines] == paid
    assert [(row.position, row.units / 100) for row in Payout.objects.order_by("pk")] == paid
    winners = casino.get(f"/api/tournaments/{made.pk}/results").json()["winners"]
    names = users()
    assert [names[row["playerId"]] for row in winners] == ["ann", "bob", "cid", "dan"]
    for rows in (winners, told("tournament.completed")[0]["winners"], told("tournament.results")[0]["winners"]):
        assert [(row["position"], Decimal(str(row["prizeAmount"]))) for row in rows] == paid
    assert [
        (fact["userId"], fact["position"], Decimal(str(fact["prizeAmount"]))) for fact in told("prize.distributed")
    ] == [(name, *one) for name, one in zip(["ann", "bob", "cid", "dan"], paid, strict=True)]
    # What places are worth is told by place: together it is the pool.
    pool = casino.get(f"/api/tournaments/{made.pk}/prize-pool").json()
    assert [(row["position"], Decimal(str(row["amount"]))) for row in pool["payouts"]] == [
        (place, units) for place, (_, units) in enumerate(paid, start=1)
    ]


def test_a_players_history_tells_the_shared_rank_of_such_tournaments_only(acme, casino):
    shared, unique = opened(casino), opened(casino, tieBreak="SPLIT_PRIZE")
    play(acme, shared)
    for made in (shared, unique):
        complete(made)
    for name, (rank, place) in {"cid": (2, 3), "dan": (2, 4), "eva": (5, 5)}.items():
        history = casino.get(f"/api/players/{name}/tournaments").json()
        rows = {row["tournament_id"]: row["final_position"] for row in history["tournament_history"]["data"]}
        assert rows == {str(shared.pk): rank, str(unique.pk): place}
        statistics = history["performance_statistics"]
        assert (statistics["best_position"], statistics["average_position"]) == (rank, (rank + place) / 2)


def test_split_prizes_are_paid_alike_and_told_with_places_of_their_own(acme, casino):
    made = opened(casino, tieBreak="SPLIT_PRIZE")
    play(acme, made)
    complete(made)
    winners = casino.get(f"/api/tournaments/{made.pk}/results").json()["winners"]
    assert [(row["position"], row["prizeAmount"]) for row in winners] == [
        (1, 500), (2, 166.67), (3, 166.67), (4, 166.66),
    ]  # fmt: skip
    places = {"ann": 1, "bob": 2, "cid": 3, "dan": 4, "eva": 5}
    found = standings(casino, made)
    assert found == dict.fromkeys(found, places)


def test_a_table_of_prizes_is_shared_prize_by_prize_by_those_of_one_rank(acme, casino):
    prizes = [
        {"rankFrom": 1, "prizes": [{"type": "CASH", "amount": 60}]},
        {"rankFrom": 2, "prizes": [{"type": "CASH", "amount": 30}, {"type": "POOL_SHARE", "percent": 10}]},
        {"rankFrom": 5, "prizes": [{"type": "CASH", "amount": 7}]},
    ]
    made = opened(casino, {"total": 90}, prizes=prizes)
    play(acme, made)
    complete(made)
    results = casino.get(f"/api/tournaments/{made.pk}/results").json()["winners"]
    names = users()
    assert [(names[row["playerId"]], row["position"], row["prizeAmount"]) for row in results] == [
        ("ann", 1, 60), ("bob", 2, 13), ("cid", 2, 13), ("dan", 2, 13), ("eva", 5, 7),
    ]  # fmt: skip
    shown = casino.get(f"/api/tournaments/{made.pk}/leaderboard").json()["prizePool"]["distribution"]
    assert shown == {"1st": 60, "2nd": 13, "3rd": 13, "4th": 13, "5th": 7}


def test_a_share_that_somebody_may_not_have_goes_back_and_the_others_keep_rank_and_prize(acme, casino):
    made = opened(casino, method="TOTAL_WIN", optIn="MANUAL")
    for name in ("ann", "bob", "cid"):
        casino.register(made.pk, name, brand_id=BRAND)
    moment = clock.now().isoformat()
    won = {"ann": 9, "cid": 0}
    rounds = [a_round(timestamp=moment, playerId=name, winAmount=amount) for name, amount in won.items()]
    assert acme.batch(rounds).status_code == 202
    scorer.drain()
    complete(made)
    # Bob has never played and cid has won nothing: 300 and 200 are theirs together, and nothing is for who never plays.
    assert list(Payout.objects.order_by("pk").values_list("position", "units", "status")) == [
        (1, 50000, "PAID"), (2, 25000, "NOT_ELIGIBLE"), (2, 25000, "PAID"),
    ]  # fmt: skip
    winners = casino.get(f"/api/tournaments/{made.pk}/results").json()["winners"]
    assert [(row["position"], row["prizeAmount"]) for row in winners] == [(1, 500), (2, 250)]


def test_a_tie_that_is_broken_is_broken_for_the_prizes_whatever_the_operator_prefers(acme, casino):
    acme.operator.preferences |= {"tiePolicy": "split"}
    acme.operator.save()
    made = {way: opened(casino, tieBreak=way).tie_policy for way in ("EARLIEST", "LATEST", "FEWEST_ROUNDS")}
    assert made == dict.fromkeys(made, "unique")
    assert opened(casino, tieBreak="SPLIT_PRIZE").tie_policy == "split"


def test_free_rounds_go_by_place_where_the_rank_is_shared(acme, casino):
    with_spins(acme.operator)
    prizes = [
        {"rankFrom": 2, "prizes": [{"type": "CASH", "amount": 30}, spins(40)]},
        {"rankFrom": 3, "prizes": [spins(10)]},
    ]
    made = opened(casino, {"total": 0}, prizes=prizes)
    play(acme, made)
    complete(made)
    winners = casino.get(f"/api/tournaments/{made.pk}/results").json()["winners"]
    names = users()
    assert [
        (
            names[row["playerId"]],
            row["position"],
            row["prizeAmount"],
            [one["count"] for one in row.get("freeRounds", ())],
        )
        for row in winners
    ] == [("bob", 2, 10, [40]), ("cid", 2, 10, [10]), ("dan", 2, 10, [])]
    assert {(fact["userId"], fact["position"]) for fact in told("prize.distributed")} == {
        ("bob", 2), ("cid", 2), ("dan", 2),
    }  # fmt: skip


def test_a_void_tells_how_the_shared_rank_moved(acme, casino):
    made = opened(casino)
    play(acme, made)
    for name, (before, after) in {"dan": (2, 5), "ann": (1, 4)}.items():
        answer = acme.send("/gamerounds/{id}/void", {"roundId": f"r-{name}", "reason": "rolled back"})
        moved = answer.json()["tournaments"][0]
        assert (moved["rankBefore"], moved["rankAfter"]) == (before, after)
        assert told("round.voided")[-1]["moves"] == answer.json()["tournaments"]
    # Nobody has more than bob and cid now, and ann and dan have nothing: they share the last rank.
    board.drop(made.pk)  # it hears of changes after the commit, which this test never comes to
    rows = casino.get(f"/api/tournaments/{made.pk}/leaderboard").json()["leaderboard"]
    assert ranks(rows) == {"bob": 1, "cid": 1, "eva": 3, "ann": 4, "dan": 4}


def test_staff_see_the_shared_rank_before_and_after_the_end(acme, casino):
    made = opened(casino)
    play(acme, made)
    owner = signed_in(factories.staff(acme.operator, "owner"))
    for moment in ("running", "over"):
        if moment == "over":
            complete(made)
        shown = owner.get(change(made)).context["page"]["board"]["rows"]
        assert [row[0] for row in shown] == [1, 2, 2, 2, 5]
        last = Entry.objects.get(player__external_id="dan")
        page = re.sub(r"<[^>]*>|\s+", " ", text(owner.get(change(last))))
        assert re.search(r"\bPlace\W+2\b", page)
