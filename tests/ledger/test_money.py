from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.errors import Invalid
from apps.ledger.money import to_amount, to_units, written


@pytest.mark.parametrize(
    ("amount", "scale", "units"),
    [
        ("12.50", 2, 1250),
        ("12.5000000", 2, 1250),
        (12, 2, 1200),
        (Decimal("1E+2"), 2, 10_000),
        (Decimal("1E-2"), 2, 1),
        ("-0.01", 2, -1),
        ("0", 18, 0),
        (Decimal("0E+9999"), 2, 0),
        (Decimal("0E-9999"), 2, 0),
        ("1000", 18, 10**21),
        ("0.000000000000000001", 18, 1),
        ("5", 0, 5),
        ("+5", 0, 5),
        ("9" * 36, 0, int("9" * 36)),
    ],
)
def test_an_amount_becomes_exactly_its_base_units(amount, scale, units):
    assert to_units(amount, scale) == units


@pytest.mark.parametrize(
    ("amount", "scale"),
    [
        ("0.001", 2),
        ("12.505", 2),
        ("0.5", 0),
        (Decimal("1E-9999999"), 18),
        (Decimal("1E+9999999"), 0),
        ("9" * 37, 0),
        ("9" * 35, 2),
        (Decimal("NaN"), 2),
        (Decimal("Infinity"), 2),
        ("NaN", 2),
        ("1e2", 2),
        ("1_000", 2),
        ("١٢", 2),
        ("", 2),
        (" 1", 2),
        ("1\n", 2),
        (".5", 2),
        ("1" * 5000, 2),
        (1.5, 2),
        (True, 2),
        (None, 2),
        ([], 2),
    ],
)
def test_what_is_no_exact_amount_of_the_asset_is_refused(amount, scale):
    with pytest.raises(Invalid):
        to_units(amount, scale)


@given(st.integers(min_value=-(10**36) + 1, max_value=10**36 - 1), st.integers(min_value=0, max_value=18))
def test_units_survive_the_way_to_an_amount_and_back(units, scale):
    amount = to_amount(units, scale)
    assert to_units(amount, scale) == units
    assert to_units(written(units, scale), scale) == units
    assert amount.as_tuple().exponent == -scale


@pytest.mark.parametrize(
    ("units", "scale", "text"),
    [(1250, 2, "12.50"), (-1, 2, "-0.01"), (0, 2, "0.00"), (7, 0, "7"), (10**21 + 1, 18, "1000.000000000000000001")],
)
def test_amounts_are_written_out_in_full(units, scale, text):
    assert written(units, scale) == text
