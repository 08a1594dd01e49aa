"""JSON in the database holds exact numbers."""

import json
from decimal import Decimal
from types import MappingProxyType

import pytest
from django.utils.functional import lazystr

from apps.core.exact import ExactDecoder, ExactEncoder, dumps
from apps.core.ids import ALPHABET, token, tokens


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("7.50"), "7.50"),
        (Decimal("0.000000000000000001"), "1E-18"),
        (10**40, "1" + "0" * 40),
        ({"a": [Decimal(-1), None, True, "é"]}, '{"a":[-1,null,true,"é"]}'),
        (MappingProxyType({"a": lazystr("b")}), '{"a":"b"}'),
    ],
)
def test_values_are_written_with_their_own_digits(value, text):
    assert dumps(value) == text
    assert json.dumps(value, cls=ExactEncoder) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7.50", Decimal("7.50")),
        ("12345678901234567890.000000000000000001", Decimal("12345678901234567890.000000000000000001")),
        ("1E-18", Decimal("1E-18")),
        ("123456789012345678901234567890", 123456789012345678901234567890),
        ('{"a": [1, 0.1]}', {"a": [1, Decimal("0.1")]}),
    ],
)
def test_numbers_are_read_without_floats(text, value):
    read = json.loads(text, cls=ExactDecoder)
    assert read == value
    assert type(read) is type(value)


def test_what_json_cannot_say_is_a_type_error():
    with pytest.raises(TypeError, match="object has no JSON form"):
        dumps({"x": object()})


def test_tokens_are_of_the_alphabet_and_differ():
    many = tokens(2000, 12)
    assert len(set(many)) == 2000
    assert {len(one) for one in many} == {12}
    assert set("".join(many)) == set(ALPHABET)
    assert len(token(1)) == 1
    assert tokens(0, 12) == []
