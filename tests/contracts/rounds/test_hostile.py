"""Whatever JSON a client makes up, the answer is never 5xx, and whatever is taken can be read back."""

import json
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.rounds.models import Round
from tests.rounds.world import Integration, a_round

pytestmark = pytest.mark.django_db

TEXT = st.text(max_size=12) | st.sampled_from(["\x00", "\ud800", "𝔘", "superkingz", "EVO_ANDAR_BAHAR_1", "x" * 300])
NUMBERS = st.sampled_from(
    [
        "1e999",
        "-1E+400",
        "0e-400000000",
        "0E99999999",
        "1e-19",
        "-0",
        "1" * 400,
        "0." + "3" * 400,
        "99999999999999999999",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
FIELDS = [*a_round()]
# A round in which some fields are anything at all.
ALMOST = st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=3).map(lambda changed: a_round() | changed)
FAST = settings(
    max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def acme() -> Integration:
    return Integration()


def fine(*responses):
    for response in responses:
        assert response.status_code in {200, 202, 400}, response.content
    for kept in Round.objects.all()[:200]:
        assert kept.bet >= 0
        assert Decimal(kept.win).is_finite()


@FAST
@given(body=JSON | ALMOST | st.lists(ALMOST | JSON, max_size=5))
def test_made_up_json(acme, body):
    text = json.dumps(body)
    fine(acme.single(text), acme.batch(text), acme.sync_games(text), acme.sync_brands(text))


@FAST
@given(number=NUMBERS, field=st.sampled_from(FIELDS))
def test_made_up_numbers(acme, number, field):
    text = json.dumps(a_round(**{field: "HERE"})).replace('"HERE"', number)
    fine(acme.single(text), acme.batch(f"[{text},{text}]"))


@FAST
@given(body=st.binary(max_size=60))
def test_made_up_bytes(acme, body):
    fine(acme.single(body), acme.batch(body), acme.sync_games(body), acme.sync_brands(body))


@FAST
@given(names=st.dictionaries(TEXT, JSON, max_size=3))
def test_unknown_fields_of_any_kind(acme, names):
    text = json.dumps(names | a_round())
    fine(acme.single(text), acme.batch(f"[{text}]"))


SYNC = st.fixed_dictionaries(
    {"gameId": TEXT, "displayName": TEXT, "gameProviderDisplayName": TEXT, "isEnabled": st.booleans()},
    optional={"iconUrl": TEXT, "enabledBrandRefs": st.lists(TEXT, max_size=3), "isFreeroundSupported": JSON},
)


@FAST
@given(games=st.lists(SYNC, max_size=4))
def test_made_up_games(acme, games):
    fine(acme.sync_games(games))
    acme.active_games()
