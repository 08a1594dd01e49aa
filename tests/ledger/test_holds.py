from datetime import timedelta

import pytest
from django.db import IntegrityError

from apps.events.models import Fact
from apps.ledger.models import Hold, Journal
from apps.ledger.services import accounts, holds
from apps.ledger.services.journals import InsufficientFunds
from apps.operators.services import players
from apps.operators.services.admission import PlayerBlocked
from tests.ledger.factories import AT, TESTER, a_player, an_asset, an_operator, fund
from tests.racing import in_parallel, race

pytestmark = pytest.mark.django_db
WHO = {"actor": TESTER, "at": AT}


@pytest.fixture
def player(operator, usd):
    player = a_player(operator)
    fund(accounts.wallet(player.pk, usd), 100)
    return player


def place(player, usd, units=40, key="match:1", **more):
    return holds.place(player.pk, usd, units=units, key=key, **more, **WHO)


def money(player, usd):
    return accounts.balance(accounts.wallet(player.pk, usd).pk), accounts.balance(accounts.held(player.pk, usd).pk)


def test_a_hold_sets_units_aside_and_tells_of_it(player, usd):
    hold = place(player, usd, subject="match:1")
    assert (hold.status, int(hold.units), hold.placed_at, hold.ended_at) == ("ACTIVE", 40, AT, None)
    assert money(player, usd) == (60, 40)
    fact = Fact.objects.get()
    assert (fact.type, fact.subject) == ("hold.placed", f"player:{player.pk}")
    assert fact.data == {"userId": player.external_id, "asset": "USD", "amount": "0.40", "purpose": "match:1"}


def test_a_captured_hold_moves_on_once(player, usd):
    hold = place(player, usd)
    escrow = accounts.open_escrow("match:1", usd, hot=False)
    captured = holds.capture(hold.pk, target_id=escrow.pk, **WHO)
    assert (captured.status, captured.ended_at) == ("CAPTURED", AT)
    assert money(player, usd) == (60, 0)
    assert accounts.balance(escrow.pk) == 40
    for again in (holds.release, lambda pk, **who: holds.capture(pk, target_id=escrow.pk, **who)):
        with pytest.raises(holds.HoldEnded):
            again(hold.pk, **WHO)
    assert accounts.balance(escrow.pk) == 40
    assert list(Fact.objects.order_by("pk").values_list("type", flat=True)) == ["hold.placed", "hold.captured"]


def test_a_released_hold_comes_back_once(player, usd):
    hold = place(player, usd)
    assert holds.release(hold.pk, **WHO).status == "RELEASED"
    with pytest.raises(holds.HoldEnded):
        holds.release(hold.pk, **WHO)
    assert money(player, usd) == (100, 0)
    assert place(player, usd).status == "RELEASED"  # the same key is the same hold, and it has ended
    assert money(player, usd) == (100, 0)


def test_no_more_is_held_than_there_is(player, usd):
    place(player, usd, 60, "one")
    with pytest.raises(InsufficientFunds):
        place(player, usd, 41, "other")
    assert money(player, usd) == (40, 60)
    assert Hold.objects.count() == 1
    assert Fact.objects.count() == 1


@pytest.mark.parametrize("units", [0, -5])
def test_nothing_or_less_can_not_be_held(player, usd, units):
    with pytest.raises(ValueError, match="aside"):
        place(player, usd, units)
    assert not Hold.objects.exists()


def test_a_key_is_one_hold(operator, player, usd):
    hold = place(player, usd)
    assert place(player, usd) == hold
    other = a_player(operator)
    fund(accounts.wallet(other.pk, usd), 100)
    for differs in (lambda: place(player, usd, 41), lambda: place(other, usd), lambda: place(player, usd, subject="x")):
        with pytest.raises(holds.HoldDiffers):
            differs()
    assert money(player, usd) == (60, 40)
    assert money(other, usd) == (100, 0)


def test_units_go_to_no_other_operator_or_asset(player, usd):
    hold = place(player, usd)
    stranger = an_operator()
    for target in (accounts.clearing(an_asset(stranger)), accounts.clearing(an_asset(player.operator, "EUR"))):
        with pytest.raises(IntegrityError):
            holds.capture(hold.pk, target_id=target.pk, **WHO)
    assert money(player, usd) == (60, 40)
    assert Hold.objects.get().status == "ACTIVE"


def test_nothing_of_a_blocked_player_is_held_or_captured_but_it_can_be_released(player, usd):
    hold = place(player, usd)
    players.self_exclude(player.pk, reason="rest", until=AT + timedelta(days=1), **WHO)
    facts = Fact.objects.count()
    with pytest.raises(PlayerBlocked):
        place(player, usd, key="match:2")
    with pytest.raises(PlayerBlocked):
        holds.capture(hold.pk, target_id=accounts.clearing(usd).pk, **WHO)
    assert money(player, usd) == (60, 40)
    assert Fact.objects.count() == facts
    assert place(player, usd) == hold
    holds.release(hold.pk, **WHO)
    assert money(player, usd) == (100, 0)


def test_a_block_that_is_over_stops_nothing(player, usd):
    players.self_exclude(player.pk, reason="rest", until=AT + timedelta(days=1), **WHO)
    holds.place(player.pk, usd, units=10, key="k", actor=TESTER, at=AT + timedelta(days=1))
    assert money(player, usd) == (90, 10)


@pytest.mark.django_db(transaction=True)
def test_a_capture_and_a_release_at_once_are_one_of_them():
    operator = an_operator()
    usd, player = an_asset(operator), a_player(operator)
    fund(accounts.wallet(player.pk, usd), 100)
    hold, target = place(player, usd), accounts.revenue(usd)
    outcomes = race(
        *[lambda: holds.capture(hold.pk, target_id=target.pk, **WHO), lambda: holds.release(hold.pk, **WHO)] * 4
    )
    assert sum(isinstance(outcome, holds.HoldEnded) for outcome in outcomes) == 7
    status = Hold.objects.get().status
    expected = {"CAPTURED": ((60, 0), 40), "RELEASED": ((100, 0), 0)}[status]
    assert (money(player, usd), accounts.balance(target.pk)) == expected


@pytest.mark.django_db(transaction=True)
def test_the_same_hold_eight_times_at_once_is_one_and_eight_different_ones_stop_at_the_balance():
    operator = an_operator()
    usd, player = an_asset(operator), a_player(operator)
    fund(accounts.wallet(player.pk, usd), 100)
    assert len({hold.pk for hold in in_parallel(8, lambda: place(player, usd))}) == 1
    assert money(player, usd) == (60, 40)
    keys = iter(range(8))
    outcomes = in_parallel(8, lambda: place(player, usd, 20, f"other:{next(keys)}"))
    assert sum(isinstance(outcome, InsufficientFunds) for outcome in outcomes) == 5
    assert money(player, usd) == (0, 100)
    assert Journal.objects.filter(kind="hold.placed").count() == 4
