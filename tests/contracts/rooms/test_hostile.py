"""Whatever a game sends, it gets an answer: any JSON in any field, signed, is refused or done, and never a crash."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.rooms.api import signatures, values
from tests.contracts.rooms.game import GameServer

CALLS = "create join pay earn leave end joinPay earnLeave createJoinPay earnLeaveEnd".split()
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["", "0", "1e3", "NaN", "gamr", "0x" + "0" * 40, "\u0661", "\x00", "\ud800"])
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
FIELDS = "roomId sessionJwts plyrIds tokens amounts sync expiresIn maxPlayers gameId".split()


@pytest.mark.django_db
@settings(max_examples=80, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_body_of_any_call_is_answered(game, room, data):
    sound = {"roomId": room, **game.taking(ana_11=1), **game.giving(ana_11=1)}
    odd = data.draw(st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=3))
    kept = {name: value for name, value in sound.items() if data.draw(st.booleans())}
    raw = json.dumps(kept | odd).encode()
    call = data.draw(st.sampled_from(CALLS))
    answer = game.send("POST", f"/api/game/{call}", raw)
    assert answer.status_code in {200, 400, 401, 404}, (call, raw, answer.content)
    if answer.status_code != 200:
        assert answer.json()["error"] == "; ".join(answer.json()["errors"])
        assert answer.json()["code"]


@pytest.fixture
def game(db, settings):
    settings.ROOM_SYNC_SECONDS = 0.0
    game = GameServer()
    game.player("ana-11")
    return game


@pytest.fixture
def room(game):
    return game.stake(ana_11=3)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(value=ANYTHING)
def test_what_is_written_again_stays_as_it_is(value):
    try:
        raw = json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raw = json.dumps(value).encode()
    once = signatures.canonical(raw)
    assert once is not None
    assert signatures.canonical(once) == once


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(number=st.decimals(min_value=0, max_value=10**20, allow_nan=False, allow_infinity=False, places=18))
def test_a_shown_amount_is_the_amount_whoever_reads_it(number):
    shown = values.exact(number)
    assert values.as_number(shown) == number
    if not isinstance(shown, str):
        assert values.as_number(repr(float(json.loads(str(shown))))) == number
