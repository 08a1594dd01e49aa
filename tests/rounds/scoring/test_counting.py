"""What rounds come to, by every method; which rounds count; and that each counts once."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection

from apps.rounds.models import PendingRound, Score
from apps.tournaments.board import packing
from apps.tournaments.models import Entry
from tests.rounds.arena import NOON, Arena, board, played

pytestmark = pytest.mark.django_db


def D(text):  # noqa: N802 - reads like a number
    return Decimal(str(text))


# bet, win, second
SERIES = [(2, 1, 1), (4, 0, 2), (1, 3, 3), (10, 5, 4), (0, 7, 5)]
METHODS = [
    ({"method": "WAGERED_AMOUNT"}, 17),
    ({"method": "TOTAL_WIN"}, 16),
    ({"method": "ROUND_COUNT"}, 5),
    ({"method": "WIN_BET_RATIO"}, 4),
    ({"method": "WIN_BET_RATIO", "ratio": "RATIO_OF_SUMS"}, "0.529411764706"),
    ({"method": "BEST_MULTIPLIER"}, 3),
    ({"method": "CONSECUTIVE_ROUNDS", "window": 2}, "3.5"),
    ({"method": "CONSECUTIVE_ROUNDS", "window": 5}, 0),
    ({"method": "WAGERED_AMOUNT", "factor": D("2.5")}, "42.5"),
    ({"method": "WAGERED_AMOUNT", "min_rounds": 6}, 0),
    ({"method": "WAGERED_AMOUNT", "min_bet": 2}, 16),
    ({"method": "WAGERED_AMOUNT", "limit_rounds": 3}, 7),
]


@pytest.mark.parametrize(("asked", "points"), METHODS)
@pytest.mark.parametrize("together", [True, False])
def test_points_are_what_the_method_says(asked, points, together):
    arena = Arena()
    tournament = arena.open(**asked)
    rounds = [played("ann", bet, win, second=second) for bet, win, second in SERIES]
    if together:
        arena.take(*rounds)
        arena.count()
    else:
        for one in rounds:
            arena.take(one)
            arena.count()
    assert board(tournament) == [("ann", D(points))]
    assert not PendingRound.objects.exists()
    assert Score.objects.get().rounds == (3 if "limit_rounds" in asked else Score.objects.get().rounds)


def test_a_player_joins_by_the_first_round_that_fits():
    arena = Arena()
    tournament = arena.open(min_bet=5)
    arena.take(played("ann", 1), played("bob", 5), played("bob", 1))
    arena.count()
    assert board(tournament) == [("bob", D(5))]


def test_who_has_to_opt_in_plays_from_then_on():
    arena = Arena()
    tournament = arena.open(opt_in="MANUAL")
    arena.take(played("ann", 1, second=10))
    arena.count()
    assert not Entry.objects.exists()
    arena.join(tournament, "ann", at=NOON + timedelta(seconds=20))
    arena.take(played("ann", 2, second=15), played("ann", 4, second=20), played("bob", 8, second=30))
    arena.count()
    assert board(tournament) == [("ann", D(4))]


@pytest.mark.parametrize(
    "misfit",
    [
        {"second": -1},
        {"second": 3600},
        {"roundType": "BONUS_BUY"},
        {"gameId": "OTHER"},
        {"brandId": "other"},
    ],
)
def test_a_round_of_another_time_kind_game_or_brand_does_not_count(misfit):
    arena = Arena()
    tournament = arena.open()
    arena.take(played("ann", 1), played("ann", 2, **misfit))
    arena.count()
    assert board(tournament) == [("ann", D(1))]


def test_late_rounds_count_by_their_own_time_until_the_grace_is_over():
    arena = Arena()
    tournament = arena.open(hours=1, grace_seconds=60)
    end = NOON + timedelta(hours=1)
    arena.take(played("ann", 1, second=3599), at=end + timedelta(seconds=60))
    arena.take(played("ann", 2, second=3599), at=end + timedelta(seconds=61))
    arena.count(at=end + timedelta(seconds=61))
    assert board(tournament) == [("ann", D(1))]


def test_one_round_counts_in_every_tournament_that_wants_it():
    arena = Arena()
    tournaments = [arena.open(), arena.open(method="ROUND_COUNT"), arena.open(min_bet=3)]
    arena.take(played("ann", 2), played("bob", 4))
    arena.count()
    assert [board(one) for one in tournaments] == [
        [("bob", D(4)), ("ann", D(2))],
        [("ann", D(1)), ("bob", D(1))],
        [("bob", D(4))],
    ]


def test_a_limit_takes_the_first_rounds_by_arrival_even_if_an_earlier_one_is_seen_later():
    arena = Arena()
    tournament = arena.open(limit_rounds=3)
    arena.take(played("ann", 8))
    arena.count()
    arena.take(played("ann", 1), played("ann", 2), played("ann", 4))
    first = PendingRound.objects.order_by("number").first()
    held = {"number": first.number, "received_at": first.received_at, "operator_id": first.operator_id}
    PendingRound.objects.filter(number=first.number).delete()
    arena.count()
    assert board(tournament) == [("ann", D(14))]
    PendingRound.objects.create(**held)
    arena.count()
    assert board(tournament) == [("ann", D(11))]


def test_consecutive_rounds_follow_their_own_time_whenever_they_come_in():
    arena = Arena()
    tournament = arena.open(method="CONSECUTIVE_ROUNDS", window=2)
    for second, win in [(10, 5), (30, 5), (20, 1), (5, 9), (40, 2)]:
        arena.take(played("ann", 1, win, second=second))
        arena.count()
    # 9 5 1 5 2
    assert board(tournament) == [("ann", D(14))]
    assert Entry.objects.get().scored_at == NOON + timedelta(seconds=10)


def test_ties_are_broken_as_the_policy_says():
    arena = Arena()
    ways = {way: arena.open(tie_break=way) for way in ("EARLIEST", "LATEST", "FEWEST_ROUNDS", "SHARE_RANK")}
    arena.take(
        played("ann", 1, second=1), played("ann", 2, second=2), played("bob", 3, second=3), played("cyd", 3, second=1)
    )
    arena.count()
    order = {way: [name for name, _ in board(one)] for way, one in ways.items()}
    assert order == {
        "EARLIEST": ["cyd", "ann", "bob"],
        "LATEST": ["bob", "ann", "cyd"],
        "FEWEST_ROUNDS": ["cyd", "bob", "ann"],
        "SHARE_RANK": ["cyd", "ann", "bob"],
    }


def test_more_points_than_there_is_room_for_are_as_many_as_there_is():
    arena = Arena()
    tournament = arena.open(method="WIN_BET_RATIO")
    arena.take(played("ann", "0.000000000000000001", "99999999999999999999"), played("bob", 1, 1))
    arena.count()
    assert board(tournament) == [("ann", D("999999999999999999.999999999999")), ("bob", D(1))]


def test_the_database_packs_entries_for_the_board_as_python_does():
    arena = Arena()
    tournament = arena.open(tie_break="LATEST")
    arena.take(played("ann", "1.234567891234", second=0.5), played("bob", 2, second=7), played("cyd", "99999999999"))
    arena.count()
    Entry.objects.filter(player__external_id="bob").update(
        status="OUT", eliminated_at=NOON, elimination_round=3, points=Decimal("-2.5")
    )
    entries = {entry.pk: entry for entry in Entry.objects.filter(tournament=tournament)}
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id, {packing.RECORD} FROM tournaments_entry")
        assert {pk: bytes(record) for pk, record in cursor.fetchall()} == {
            pk: packing.pack_entry(entry)[2] for pk, entry in entries.items()
        }
