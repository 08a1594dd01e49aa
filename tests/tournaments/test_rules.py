from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.errors import Invalid
from apps.tournaments import rules

SHARES = st.lists(st.integers(1, 1000), min_size=1, max_size=40).map(
    lambda weights: [Decimal(w) * 100 / sum(weights) for w in weights]
)


@pytest.mark.parametrize(
    ("total", "percentages", "finishers", "expected"),
    [
        (87000, [50, 30, 20], 87, [43500, 26100, 17400]),  # the documented leaderboard
        (9750, [60, 40], 12, [5850, 3900]),  # the contract's running sample
        (101, [50, 30, 20], 3, [51, 30, 20]),  # the odd unit goes to the first place
        (100, [50, 30, 20], 2, [63, 37]),  # fewer finishers: 50 and 30 of 80
        (100, [50, 30, 20], 1, [100]),
        (100, [50, 30, 20], 0, []),
        (0, [100], 5, []),
    ],
)
def test_prizes_by_place(total, percentages, finishers, expected):
    assert rules.prizes(total, [Decimal(share) for share in percentages], finishers) == expected


@given(st.integers(1, 10**30), SHARES, st.integers(1, 60))
def test_prizes_add_up_to_the_whole(total, percentages, finishers):
    parts = rules.prizes(total, percentages, finishers)
    assert sum(parts) == total
    assert all(part >= 0 for part in parts)
    assert len(parts) == min(len(percentages), finishers)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=30), st.data())
def test_split_ties_moves_money_only_among_equals(amounts, data):
    marks = sorted(data.draw(st.lists(st.integers(0, 5), min_size=len(amounts), max_size=40)), reverse=True)
    shared = rules.split_ties(amounts, marks)
    assert sum(shared) == sum(amounts)
    worth = [*amounts, *[0] * (len(marks) - len(amounts))]
    for mark in set(marks):
        places = [place for place, other in enumerate(marks) if other == mark]
        group = [shared[place] for place in places]
        assert sum(group) == sum(worth[place] for place in places)
        assert max(group) - min(group) <= 1


@pytest.mark.parametrize(
    ("collected", "guarantee", "rake", "total", "overlay", "fees"),
    [
        (87000, 50000, 0, 87000, 0, {}),
        (40000, 50000, 0, 50000, 10000, {}),
        (1001, 0, 500, 951, 0, {"rake": 50}),
        (1000, 1000, 500, 1000, 50, {"rake": 50}),
    ],
)
def test_the_pool_is_the_larger_of_guarantee_and_net(collected, guarantee, rake, total, overlay, fees):
    pool = rules.pool(collected, basis_points={"rake": rake}, guarantee=guarantee)
    assert (pool.total, pool.overlay, dict(pool.fees)) == (total, overlay, fees)


@pytest.mark.parametrize("bad", [[], [0, 100], [50, 49], [101], [-1, 101], ["50.02", 50]])
def test_percentages_that_make_no_whole_are_refused(bad):
    with pytest.raises(Invalid):
        rules.check_percentages([Decimal(share) for share in bad])


def test_thirds_are_close_enough_to_a_whole():
    rules.check_percentages([Decimal("33.33")] * 3)
    assert rules.prizes(100, [Decimal("33.33")] * 3, 3) == [34, 33, 33]


def test_the_last_rule_that_fits_counts():
    prize_rules = [{"minPlayers": 0, "percentages": ["100"]}, {"minPlayers": 10, "percentages": ["70", "30"]}]
    assert rules.percentages_for(prize_rules, 9) == (Decimal(100),)
    assert rules.percentages_for(prize_rules, 10) == (Decimal(70), Decimal(30))


@pytest.mark.parametrize(
    ("places", "marks", "expected"),
    [
        ([1, 2, 3, 4], "abbc", [1, 2, 2, 4]),
        ([1, 2, 3], "aaa", [1, 1, 1]),
        ([1, 2, 3], "abc", [1, 2, 3]),
        # A page in the middle, whose first row shares its rank with rows before it, and one with gaps between its rows.
        ([2, 4, 5], "bbc", [2, 2, 5]),
        ([1, 5, 6, 9], "abbc", [1, 5, 5, 9]),
        ([], "", []),
    ],
)
def test_equal_marks_have_the_rank_of_the_first_of_them(places, marks, expected):
    assert rules.share_ranks(places, marks) == expected


@given(st.lists(st.integers(0, 3), max_size=12), st.lists(st.integers(0, 1000), max_size=12))
def test_who_shares_a_rank_is_paid_alike_but_for_one_unit(points, amounts):
    marks = sorted(points, reverse=True)
    ranks = rules.share_ranks(range(1, len(marks) + 1), marks)
    assert ranks == [1 + sum(other > mark for other in marks) for mark in marks]
    paid = rules.split_ties(amounts[: len(marks)], marks)
    for rank in set(ranks):
        alike = [units for own, units in zip(ranks, paid, strict=True) if own == rank]
        assert max(alike) - min(alike) <= 1
