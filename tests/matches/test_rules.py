"""Who is in first place (matches.md 4.3), without a database."""

from datetime import UTC, datetime, timedelta

import pytest

from apps.matches import rules
from apps.matches.rules import Decision, Stake, Standing

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def ranked(*rankings):
    """Teams a, b, c with these rankings; "out" has forfeited, with a ranking that must not matter."""
    return [
        Standing(name, ranking=1 if ranking == "out" else ranking, forfeited=ranking == "out")
        for name, ranking in zip("abc", rankings, strict=False)
    ]


def scored(*scores):
    return [
        Standing(name, score=999 if score == "out" else score, forfeited=score == "out")
        for name, score in zip("abc", scores, strict=False)
    ]


@pytest.mark.parametrize(
    "rankings, decision",
    [
        ((1, 2), Decision("WON", ("a",))),
        ((2, 1), Decision("WON", ("b",))),
        ((5, 9, 7), Decision("WON", ("a",))),
        ((1, 1), Decision("TIED", ("a", "b"))),
        ((1, 1, 2), Decision("TIED", ("a", "b"))),
        ((1, 3, 1), Decision("TIED", ("a", "c"))),
        ((1, 2, 2), Decision("WON", ("a",))),
        (("out", 7), Decision("WON", ("b",))),
        (("out", None), Decision("WON", ("b",))),
        (("out", 2, 3), Decision("WON", ("b",))),
        (("out", 2, 2), Decision("TIED", ("b", "c"))),
        (("out", "out"), Decision("VOID")),
    ],
)
def test_the_lowest_ranking_of_those_who_are_in_wins(rankings, decision):
    assert rules.decide_by_ranking(ranked(*rankings)) == decision


@pytest.mark.parametrize(
    "scores, higher, lower",
    [
        ((300, 100), ("a",), ("b",)),
        ((7, 7), ("a", "b"), ("a", "b")),
        ((0, None), ("a",), ("a",)),
        ((None, None), (), ()),
        (("out", 5), ("b",), ("b",)),
        (("out", None), ("b",), ("b",)),
        (("out", None, 3), ("c",), ("c",)),
        (("out", None, None), (), ()),
        (("out", "out"), (), ()),
    ],
)
def test_the_best_score_of_those_who_are_in_wins_in_either_direction(scores, higher, lower):
    assert rules.decide_by_score(scored(*scores), higher_wins=True) == rules.decided_by(higher)
    assert rules.decide_by_score(scored(*scores), higher_wins=False) == rules.decided_by(lower)


@pytest.mark.parametrize(
    "first, second, leaders", [(0, 1, ("a",)), (1, 0, ("b",)), (0, 0, ("a", "b")), (None, 0, ("a", "b"))]
)
def test_a_tie_is_broken_by_time_only_where_the_times_are_known_and_differ(first, second, leaders):
    teams = [
        Standing(name, score=7, reached_at=None if seconds is None else NOON + timedelta(seconds=seconds))
        for name, seconds in (("a", first), ("b", second))
    ]
    assert rules.break_tie_by_time(rules.decided_by(["a", "b"]), teams).leaders == leaders


def test_odd_units_go_one_by_one_in_ascending_order_of_ids():
    stakes = [Stake(f"p{n}", "a", 1) for n in (3, 1, 2)] + [Stake("q", "b", 8)]
    found = rules.shares(Decision("WON", ("a",)), stakes, fee_bps=0, splits_ties=False)
    assert (found.fee, found.paid) == (0, {"p3": 3, "p1": 4, "p2": 4, "q": 0})
