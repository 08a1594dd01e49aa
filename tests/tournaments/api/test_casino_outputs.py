"""The small rules of how answers are written."""

from decimal import Decimal

import pytest

from apps.tournaments.api.casino import fields, outputs, words
from apps.tournaments.api.casino.queries import Page


@pytest.mark.parametrize(
    ("points", "text"),
    [
        ("0", "0"),
        ("640.000000", "640"),
        ("6.400000", "6.4"),
        ("100", "100"),
        ("-3.5", "-3.5"),
        ("0.000001", "0.000001"),
    ],
)
def test_points_as_text_are_short_and_plain(points, text):
    assert outputs.points_text(Decimal(points)) == text


@pytest.mark.parametrize(("total", "count", "mean"), [(13, 12, "1.08"), (0, 0, "0"), (2, 1, "2"), (25, 8, "3.13")])
def test_means_have_two_decimals(total, count, mean):
    assert outputs.average(total, count) == Decimal(mean)


@pytest.mark.parametrize(
    ("page", "shown", "more"),
    [(Page(5, 0), 5, True), (Page(5, 5), 5, False), (Page(5, 10), 0, False), (Page(None, 0), 10, False)],
)
def test_there_is_more_until_the_last_was_shown(page, shown, more):
    assert outputs.pagination(page, total=10, shown=shown)["hasMore"] is more


@pytest.mark.parametrize(
    ("number", "places"),
    [("0", 0), ("0.00", 0), ("1", 0), ("100", 0), ("1E+5", 0), ("1.50", 1), ("0.001", 3), ("1E-18", 18), ("10.010", 2)],
)
def test_decimals_are_counted_without_trailing_zeros(number, places):
    assert fields.decimals(Decimal(number)) == places


@pytest.mark.parametrize(
    ("status", "started", "won", "word"),
    [
        ("IN", False, False, "registered"),
        ("IN", True, False, "active"),
        ("OUT", True, False, "eliminated"),
        ("OUT", True, True, "winner"),
        ("IN", True, True, "winner"),
        ("WITHDRAWN", False, False, "withdrawn"),
    ],
)
def test_where_a_player_stands_has_one_word(status, started, won, word):
    assert words.entry_word(status, started=started, won=won) == word
