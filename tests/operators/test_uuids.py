from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from apps.operators import uuids

numbers = st.integers(min_value=1, max_value=(1 << 61) - 1)


@given(numbers)
def test_a_uuid_leads_back_to_its_number_and_looks_like_a_random_one(number):
    text = uuids.uuid_of("player", number)
    assert uuids.number_behind("player", text) == number
    assert uuids.number_behind("player", f" {text.upper()} ") == number
    assert uuids.number_behind("tournament", text) is None
    assert (UUID(text).version, UUID(text).variant) == (4, "specified in RFC 4122")


@given(st.text() | st.uuids().map(str))
def test_any_other_text_leads_nowhere(text):
    assert uuids.number_behind("player", text) is None


def test_a_uuid_is_the_same_for_ever():
    assert uuids.uuid_of("player", 1) == uuids.uuid_of("player", 1) != uuids.uuid_of("player", 2)
