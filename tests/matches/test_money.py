"""Who is paid what, whatever way a match ends (matches.md 4.4)."""

from datetime import timedelta

import pytest

from apps.core.errors import Invalid
from apps.ledger.services.journals import InsufficientFunds
from apps.matches.models import Match
from apps.matches.reconcile import CHECKS
from apps.matches.services import creation, staff, timekeeping
from apps.matches.services.states import InvalidState
from apps.operators.services import players
from apps.operators.services.admission import PlayerBlocked
from tests.matches import world
from tests.matches.world import AT, KEY, RICH

pytestmark = pytest.mark.django_db


@pytest.fixture
def game():
    return world.client()


def sound(game):
    return [drift for check in CHECKS for drift in check(game.operator_id)] == []


def test_a_confirmed_match_takes_its_stakes_and_is_live_at_once_where_the_game_polls(game):
    match = world.make(game).match
    assert world.wallets(game.operator) == {"ann": 9000, "bob": 9000, "ESCROW": 2000}
    assert world.facts(match) == ["match.created", "match.escrowed", "match.live"]
    assert (match.status, match.result_by, match.due_at) == ("LIVE", AT + timedelta(hours=24), AT + timedelta(hours=24))
    assert sound(game)


# The worked cases of 4.4: two players who stake 1,000 each, a fee of 10 %.
def ranks(first, second):
    return lambda match: world.result(match, ranks={"t-red": first, "t-blue": second}, ann=300, bob=100)


def forfeit(match):
    teams = [{"id": "t-red", "score": 1, "forfeit": True}, {"id": "t-blue", "score": 9}]
    players = [{"id": "ann", "score": 1}, {"id": "bob", "score": 9}]
    return world.tell(match, {"match_id": match.public_id, "participants": players, "teams": teams})


def abort(match):
    return world.tell(match, {"match_id": match.public_id, "error": {"reason": "lost"}})


@pytest.mark.parametrize(
    "play, status, ann, bob, fee",
    [
        (ranks(1, 2), "FINISHED", 800, -1000, 200),
        (ranks(2, 1), "FINISHED", -1000, 800, 200),
        (forfeit, "FINISHED", -1000, 800, 200),
        (ranks(1, 1), "TIED", 0, 0, 0),
        (abort, "ABORTED", 0, 0, 0),
    ],
)
def test_the_worked_cases(game, play, status, ann, bob, fee):
    match = world.make(game).match
    told = play(match)
    assert (told.status, told.accepted, told.duplicate) == (status, True, False)
    expected = {"ann": RICH + ann, "bob": RICH + bob} | ({"REVENUE": fee} if fee else {})
    assert world.wallets(game.operator) == expected
    assert world.facts(match)[-1] == f"match.{status.lower()}"
    assert sound(game)


def test_a_free_match_runs_the_same_states_without_a_journal(game):
    match = world.make(game, entry_fee=0).match
    world.result(match)
    assert world.fresh(match).status == "FINISHED"
    assert world.wallets(game.operator) == {"ann": RICH, "bob": RICH}
    assert sound(game)


def test_a_team_shares_by_stake_and_odd_units_go_in_ascending_order(game):
    teams = {"t-red": ["cid", "ann", "bob"], "t-blue": ["dan"]}
    stakes = {"ann": "0.01", "bob": "0.01", "cid": "0.01", "dan": "1.00"}
    match = world.make(game, teams, stakes=stakes, fee_bps=0).match
    world.result(match)
    # 103 in three equal parts: 34 each, and the odd one to ann.
    assert world.wallets(game.operator) == {"ann": RICH + 34, "bob": RICH + 33, "cid": RICH + 33, "dan": RICH - 100}


def test_the_leaders_of_three_split_the_pot_without_a_fee(game):
    match = world.make(game, {"a": ["ann"], "b": ["bob"], "c": ["cid"]}, entry_fee="0.33").match
    world.result(match, ranks={"a": 1, "b": 1, "c": 3})
    assert world.wallets(game.operator) == {"ann": RICH + 17, "bob": RICH + 16, "cid": RICH - 33}
    assert world.fresh(match).status == "TIED"


def test_all_forfeited_refunds_and_asks_for_somebody_to_look(game):
    match = world.make(game).match
    teams = [{"id": "t-red", "forfeit": True}, {"id": "t-blue", "forfeit": True}]
    told = world.tell(match, {"match_id": match.public_id, "teams": teams})
    assert told.status == "ABORTED"
    assert world.wallets(game.operator) == {"ann": RICH, "bob": RICH}
    assert world.fresh(match).needs_review == "Every team has forfeited."
    assert "system.alert" in world.facts(match)


def test_who_can_not_pay_is_not_in_and_nothing_exists(game):
    world.rich(game.operator, "ann", units=0)
    world.rich(game.operator, "bob")
    before = world.everything(game.operator)
    with pytest.raises(InsufficientFunds):
        world.make(game)
    assert world.everything(game.operator) == before
    assert not Match.objects.exists()


def test_a_blocked_player_is_not_taken_money_from(game):
    (ann, _) = world.rich(game.operator, "ann", "bob")
    players.suspend(ann.pk, reason="test", until=None, actor=KEY, at=AT)
    with pytest.raises(PlayerBlocked):
        world.make(game)
    assert world.wallets(game.operator) == {"ann": RICH, "bob": RICH}


def test_confirmations_reserve_and_the_last_one_starts(game):
    match = world.make(game, confirmed=False).match
    assert (match.status, world.wallets(game.operator)) == ("INVITED", {"ann": RICH, "bob": RICH})
    creation.confirm(match.pk, participant_id="ann", actor=KEY, at=AT)
    creation.confirm(match.pk, participant_id="ann", actor=KEY, at=AT)
    assert world.fresh(match).status == "CONFIRMING"
    assert world.wallets(game.operator) == {"ann": 9000, "HELD": 1000, "bob": RICH}
    creation.confirm(match.pk, participant_id="bob", actor=KEY, at=AT)
    assert world.fresh(match).status == "LIVE"
    assert world.wallets(game.operator) == {"ann": 9000, "bob": 9000, "ESCROW": 2000}
    assert sound(game)


@pytest.mark.parametrize("by_clock", [True, False])
def test_before_escrow_a_match_is_cancelled_and_reserves_come_back(game, by_clock):
    match = world.make(game, confirmed=False).match
    creation.confirm(match.pk, participant_id="ann", actor=KEY, at=AT)
    if by_clock:
        timekeeping.tick(at=AT + timedelta(hours=24))
    else:
        creation.cancel(match.pk, reason="no time", actor=KEY, at=AT)
    assert world.fresh(match).status == "CANCELLED"
    assert world.wallets(game.operator) == {"ann": RICH, "bob": RICH}
    assert sound(game)
    with pytest.raises(InvalidState):
        creation.confirm(match.pk, participant_id="bob", actor=KEY, at=AT)


def test_after_escrow_a_match_can_not_be_cancelled(game):
    match = world.make(game).match
    before = world.everything(game.operator)
    with pytest.raises(InvalidState):
        creation.cancel(match.pk, reason="no", actor=KEY, at=AT)
    assert world.everything(game.operator) == before


def test_without_a_result_in_time_a_sync_match_is_aborted(game):
    match = world.make(game).match
    timekeeping.tick(at=AT + timedelta(hours=23, minutes=59))
    assert world.fresh(match).status == "LIVE"
    timekeeping.tick(at=AT + timedelta(hours=24))
    timekeeping.tick(at=AT + timedelta(hours=25))
    assert world.fresh(match).status == "ABORTED"
    assert world.wallets(game.operator) == {"ann": RICH, "bob": RICH}
    assert "system.alert" in world.facts(match)


def test_an_async_match_is_decided_at_its_deadline_by_who_scored(game):
    match = world.make(game, mode="ASYNC").match
    world.score(match, bob=5)
    timekeeping.tick(at=AT + timedelta(hours=24))
    ended = world.fresh(match)
    assert (ended.status, [t.wire_id for t in ended.teams.filter(leads=True)]) == ("FINISHED", ["t-blue"])
    assert ended.teams.get(wire_id="t-red").forfeited_by == "DEADLINE"
    assert world.wallets(game.operator) == {"ann": 9000, "bob": 10800, "REVENUE": 200}


def test_an_async_match_without_any_score_is_aborted_at_its_deadline(game):
    match = world.make(game, mode="ASYNC").match
    timekeeping.tick(at=AT + timedelta(hours=24))
    assert world.fresh(match).status == "ABORTED"
    assert world.wallets(game.operator) == {"ann": RICH, "bob": RICH}


def test_a_forfeit_on_the_platform_leaves_the_other_team_the_winner(game):
    match = world.make(game).match
    staff.forfeit(match.pk, team_id="t-red", actor=KEY, at=AT)
    staff.forfeit(match.pk, team_id="t-red", actor=KEY, at=AT)
    assert world.fresh(match).status == "FINISHED"
    assert world.wallets(game.operator) == {"ann": 9000, "bob": 10800, "REVENUE": 200}
    assert world.facts(match)[-2:] == ["match.forfeited", "match.finished"]


def test_a_later_result_does_not_reverse_a_forfeit_of_the_platform(game):
    match = world.make(game, {"a": ["ann"], "b": ["bob"], "c": ["cid"]}).match
    staff.forfeit(match.pk, team_id="a", actor=KEY, at=AT)
    assert world.fresh(match).status == "LIVE"
    world.result(match, ranks={"a": 1, "b": 2, "c": 3})
    assert world.wallets(game.operator) == {"ann": 9000, "bob": 11700, "cid": 9000, "REVENUE": 300}


def test_staff_abort_gives_everything_back(game):
    match = world.make(game).match
    staff.abort(match.pk, reason="power cut", actor=world.ADA, at=AT)
    assert world.wallets(game.operator) == {"ann": RICH, "bob": RICH}
    with pytest.raises(InvalidState):
        staff.abort(match.pk, reason="again", actor=world.ADA, at=AT)


@pytest.mark.parametrize(
    "teams",
    [
        {"a": ["ann"]},
        {"a": ["ann"], "b": ["ann"]},
        {"a": ["ann"], "b": []},
    ],
)
def test_a_match_that_could_not_be_played_is_refused(game, teams):
    with pytest.raises(Invalid):
        world.make(game, teams)
    assert not Match.objects.exists()
