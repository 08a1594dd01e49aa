"""Held results, disputes, and results that two people enter by hand (matches.md 7)."""

from datetime import timedelta

import pytest

from apps.core.errors import Invalid
from apps.events.models import Fact
from apps.matches.models import Dispute, Match
from apps.matches.reconcile import CHECKS
from apps.matches.services import disputing, happening, staff, timekeeping
from apps.matches.services.states import InvalidState, MatchNotLive, TeamNotFound
from tests.matches import world
from tests.matches.world import ADA, AT, BOB, GAME, RICH

pytestmark = pytest.mark.django_db

HELD = {"ann": 9000, "bob": 9000, "ESCROW": 2000}
ANN_WON = {"ann": 10800, "bob": 9000, "REVENUE": 200}
BOB_WON = {"ann": 9000, "bob": 10800, "REVENUE": 200}
ALL_BACK = {"ann": RICH, "bob": RICH}


@pytest.fixture
def game():
    return world.client(hold_minutes=30)


@pytest.fixture
def held(game):
    """A match that ann has won, on hold."""
    match = world.make(game).match
    world.result(match)
    return match


def sound(game):
    return [drift for check in CHECKS for drift in check(game.operator_id)] == []


def contest(match, at=AT, **more):
    said = {"participant_id": "bob", "note": "he cheated", "evidence": [{"url": "https://x.example/1.png"}]} | more
    return disputing.open_dispute(match.pk, actor=GAME, at=at, **said)


def test_a_result_is_held_before_it_is_paid(game, held):
    assert (world.fresh(held).status, world.wallets(game.operator)) == ("SETTLING", HELD)
    assert sound(game)
    timekeeping.tick(at=AT + timedelta(minutes=29))
    assert world.wallets(game.operator) == HELD
    timekeeping.tick(at=AT + timedelta(minutes=30))
    assert (world.fresh(held).status, world.wallets(game.operator)) == ("FINISHED", ANN_WON)


def test_a_repeat_during_the_hold_is_a_repeat(held):
    told = world.result(held)
    assert (told.status, told.accepted, told.duplicate) == ("SETTLING", True, True)


def test_while_a_dispute_is_open_the_escrow_stays_put(game, held):
    contest(held)
    timekeeping.tick(at=AT + timedelta(days=30))
    assert (world.fresh(held).status, world.wallets(game.operator)) == ("DISPUTED", HELD)
    assert sound(game)


@pytest.mark.parametrize(
    "decision, leaders, status, money, verdict",
    [
        ("stands", [], "FINISHED", ANN_WON, "REJECTED"),
        ("refund", [], "ABORTED", ALL_BACK, "UPHELD"),
        ("other", ["t-blue"], "FINISHED", BOB_WON, "UPHELD"),
        ("other", ["t-blue", "t-red"], "TIED", ALL_BACK, "UPHELD"),
    ],
)
def test_staff_decide_every_open_dispute_at_once_and_for_good(game, held, decision, leaders, status, money, verdict):
    contest(held)
    contest(held, participant_id="ann")
    disputing.decide(held.pk, decision=decision, leaders=leaders, reason="looked at it", actor=ADA, at=AT)
    assert (world.fresh(held).status, world.wallets(game.operator)) == (status, money)
    assert set(Dispute.objects.values_list("status", "decided_by")) == {(verdict, str(ADA))}
    assert sound(game)
    with pytest.raises(InvalidState):
        disputing.decide(held.pk, decision="stands", reason="again", actor=ADA, at=AT)
    assert world.wallets(game.operator) == money


def test_a_dispute_after_the_money_has_moved_is_refused(game, held):
    timekeeping.tick(at=AT + timedelta(hours=1))
    before = world.everything(game.operator)
    with pytest.raises(InvalidState):
        contest(held)
    assert world.everything(game.operator) == before


def test_a_decision_needs_a_reason(game, held):
    contest(held)
    before = world.everything(game.operator)
    with pytest.raises(Invalid):
        disputing.decide(held.pk, decision="refund", reason=" ", actor=ADA, at=AT)
    with pytest.raises(TeamNotFound):
        disputing.decide(held.pk, decision="other", leaders=["x"], reason="x", actor=ADA, at=AT)
    assert world.everything(game.operator) == before


def test_staff_do_not_abort_over_an_open_dispute(game, held):
    contest(held)
    with pytest.raises(InvalidState):
        staff.abort(held.pk, reason="x", actor=ADA, at=AT)


# --- by hand --------------------------------------------------------------------------------------------------------


def test_two_people_who_say_the_same_settle_a_match(game):
    match = world.make(game).match
    first = staff.enter_result(match.pk, leaders=["t-blue"], reason="server died", actor=ADA, at=AT)
    assert (first.status, world.fresh(match).status) == ("PROPOSED", "LIVE")
    told = Fact.objects.get(type="match.hand_result.proposed")
    assert "t-blue" not in str(told.data)
    staff.enter_result(match.pk, leaders=["t-blue"], reason="server died", actor=BOB, at=AT)
    assert (world.fresh(match).status, world.wallets(game.operator)) == ("FINISHED", BOB_WON)
    assert sound(game)


def test_one_person_is_not_two(game):
    match = world.make(game).match
    staff.enter_result(match.pk, leaders=["t-blue"], reason="x", actor=ADA, at=AT)
    before = world.everything(game.operator)
    with pytest.raises(staff.SecondPersonNeeded):
        staff.enter_result(match.pk, leaders=["t-blue"], reason="x", actor=ADA, at=AT)
    assert world.everything(game.operator) == before


def test_two_who_disagree_begin_again(game):
    match = world.make(game).match
    staff.enter_result(match.pk, leaders=["t-blue"], reason="x", actor=ADA, at=AT)
    second = staff.enter_result(match.pk, leaders=["t-red"], reason="x", actor=BOB, at=AT)
    assert (second.status, world.fresh(match).status) == ("DISAGREED", "LIVE")
    assert world.wallets(game.operator) == HELD
    staff.enter_result(match.pk, leaders=[], reason="x", actor=BOB, at=AT)
    staff.enter_result(match.pk, leaders=[], reason="x", actor=ADA, at=AT)
    assert (world.fresh(match).status, world.wallets(game.operator)) == ("ABORTED", ALL_BACK)


def test_what_the_game_has_reported_is_not_settled_by_hand(held):
    with pytest.raises(MatchNotLive):
        staff.enter_result(held.pk, leaders=["t-blue"], reason="x", actor=ADA, at=AT)


# --- events and ties ------------------------------------------------------------------------------------------------


def tell(match, kind, at=AT, event_id=None):
    return happening.take(
        match.client_id, match_id=match.public_id, event_type=kind, event_id=event_id, occurred_at=None,
        payload={"map": "de_dust"}, actor=GAME, at=at,
    )  # fmt: skip


def test_a_server_that_is_gone_for_too_long_aborts_the_match(game):
    match = world.make(game).match
    tell(match, "STARTED")
    tell(match, "GONE")
    tell(match, "GONE", at=AT + timedelta(minutes=9))
    tell(match, "STATS", at=AT + timedelta(minutes=9))
    timekeeping.tick(at=AT + timedelta(minutes=9, seconds=59))
    assert (world.fresh(match).status, world.wallets(game.operator)) == ("LIVE", HELD)
    timekeeping.tick(at=AT + timedelta(minutes=10))
    ended = world.fresh(match)
    assert (ended.status, ended.abort_code, world.wallets(game.operator)) == ("ABORTED", "server_crash", ALL_BACK)


def test_a_server_that_is_back_goes_on(game):
    match = world.make(game).match
    tell(match, "GONE")
    tell(match, "UPDATED", at=AT + timedelta(minutes=5))
    timekeeping.tick(at=AT + timedelta(hours=1))
    assert world.fresh(match).status == "LIVE"
    assert world.fresh(match).due_at == match.result_by


def test_an_event_counts_once_by_its_id(game):
    match = world.make(game).match
    assert [tell(match, "READY", event_id="e1")[1] for _ in range(3)] == [True, False, False]
    assert match.game_events.count() == 1


def test_a_tie_may_mean_a_rematch_that_takes_nobodys_money_unasked():
    game = world.client(tie_policy="REMATCH")
    match = world.make(game).match
    world.result(match, ranks={"t-red": 1, "t-blue": 1})
    again = Match.objects.get(rematch_of=match)
    assert (again.status, again.entry_fee_units, again.participants.count()) == ("INVITED", 1000, 2)
    assert world.wallets(game.operator) == ALL_BACK


def test_a_tie_may_go_to_whoever_scored_first():
    game = world.client(tie_policy="EARLIEST", mode="ASYNC")
    match = world.make(game).match
    world.score(match, bob=7)
    world.score(match, at=AT + timedelta(seconds=1), ann=7)
    assert (world.fresh(match).status, world.wallets(game.operator)) == ("FINISHED", BOB_WON)


def test_a_tie_may_split_the_pot():
    game = world.client(tie_policy="SPLIT")
    match = world.make(game, stakes={"ann": 30, "bob": 10}).match
    world.result(match, ranks={"t-red": 1, "t-blue": 1})
    assert world.wallets(game.operator) == {"ann": 9000, "bob": 11000}
