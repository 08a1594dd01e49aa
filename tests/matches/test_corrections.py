"""A correction leaves every account as if the right result had come first (matches.md 7, extension 8)."""

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.ledger.models import Hold, Journal
from apps.ledger.services import transfers
from apps.ledger.services.journals import InsufficientFunds
from apps.matches import rules
from apps.matches.models import Match, Report
from apps.matches.reconcile import CHECKS
from apps.matches.services import correcting, creation, staff
from apps.matches.services.states import InvalidState
from tests.matches import world
from tests.matches.world import ADA, AT, KEY, RICH

pytestmark = pytest.mark.django_db

BOB_WON = {"ann": 9000, "bob": 10800, "REVENUE": 200}


def correct(match, *leaders):
    return correcting.correct(match.pk, leaders=leaders, reason="wrong player", actor=ADA, at=AT)


def sound(game):
    return [drift for check in CHECKS for drift in check(game.operator_id)] == []


@pytest.fixture
def game():
    return world.client()


@pytest.fixture
def won(game):
    """A match that ann has won and was paid for."""
    match = world.make(game).match
    world.result(match)
    return match


def test_the_opposite_is_posted_and_then_what_is_right(game, won):
    correct(won, "t-blue")
    assert world.wallets(game.operator) == BOB_WON
    keys = list(Journal.objects.filter(subject=won.subject).order_by("pk").values_list("kind", "key"))
    first = Journal.objects.get(key=f"{won.subject}:settle:1")
    assert keys == [
        ("match.escrow", f"{won.subject}:escrow"),
        ("match.settle", f"{won.subject}:settle:1"),
        ("correction", f"journal:{first.pk}:reversal"),
        ("match.settle", f"{won.subject}:settle:2"),
    ]
    assert list(Report.objects.order_by("pk").values_list("kind", flat=True)) == ["RESULT", "CORRECTION"]
    assert world.facts(won)[-2:] == ["journal.reversed", "match.corrected"]
    assert sound(game)


def test_a_correction_can_be_corrected(game, won):
    for leaders in (["t-blue"], ["t-red", "t-blue"], [], ["t-red"], ["t-blue"]):
        correct(won, *leaders)
        assert sound(game)
    assert (world.fresh(won).status, world.wallets(game.operator)) == ("FINISHED", BOB_WON)


def test_the_same_again_is_nothing_to_correct(game, won):
    before = world.everything(game.operator)
    with pytest.raises(correcting.NothingToCorrect):
        correct(won, "t-red")
    assert world.everything(game.operator) == before


def test_what_has_not_been_paid_is_not_corrected(game):
    match = world.make(game).match
    with pytest.raises(InvalidState):
        correct(match, "t-red")


def test_money_that_is_gone_can_not_be_taken_back_and_nothing_moves(game, won):
    ann = won.participants.get(user_id="ann").player_id
    transfers.withdraw(ann, asset_code="USD", amount="100.00", reference="out", actor=ADA, at=AT)
    before = world.everything(game.operator)
    with pytest.raises(InsufficientFunds):
        correct(won, "t-blue")
    assert world.everything(game.operator) == before


def test_a_team_that_had_forfeited_may_be_put_first(game):
    match = world.make(game).match
    staff.forfeit(match.pk, team_id="t-blue", actor=ADA, at=AT)
    correct(match, "t-blue")
    assert world.wallets(game.operator) == BOB_WON
    assert match.teams.get(wire_id="t-blue").forfeited_at is None


def test_a_tie_that_was_none_calls_its_rematch_off_and_gives_back_what_was_reserved():
    game = world.client(tie_policy="REMATCH")
    match = world.make(game).match
    world.result(match, ranks={"t-red": 1, "t-blue": 1})
    again = Match.objects.get(rematch_of=match)
    creation.confirm(again.pk, participant_id="ann", actor=KEY, at=AT)
    correct(match, "t-blue")
    assert (world.fresh(again).status, world.wallets(game.operator)) == ("CANCELLED", BOB_WON)
    assert Hold.objects.get().status == "RELEASED"
    # And a tie after all is one that may be broken.
    correct(match, "t-blue", "t-red")
    assert list(Match.objects.filter(rematch_of=match).order_by("pk").values_list("status", flat=True)) == [
        "CANCELLED", "INVITED",
    ]  # fmt: skip
    assert sound(game)


TEAMS = ("a", "b", "c")
leaders = st.sets(st.sampled_from(TEAMS)).map(sorted)
stakes = st.lists(st.integers(0, 2000), min_size=6, max_size=6)


def play(game, units, right, wrongs):
    """Run one match to its end, with wrong results first, and say where all the money is then."""
    names = [f"p{n}" for n in range(6)]
    teams = {team: names[2 * n : 2 * n + 2] for n, team in enumerate(TEAMS)}
    paid = {name: f"{each // 100}.{each % 100:02d}" for name, each in zip(names, units, strict=True)}
    match = world.make(game, teams, stakes=paid, fee_bps=777).match
    first, *others = [*wrongs, right]
    for actor in (world.ADA, world.BOB):
        staff.enter_result(match.pk, leaders=first, reason="x", actor=actor, at=AT)
    for one in others:
        try:
            correct(match, *one)
        except correcting.NothingToCorrect:
            continue
    assert sound(game)
    return world.wallets(game.operator), world.fresh(match).status


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(units=stakes, right=leaders, wrongs=st.lists(leaders, min_size=1, max_size=3))
def test_whatever_came_before_the_right_result_everything_is_as_if_it_had_come_first(db, units, right, wrongs):
    found = []
    for before in ([], wrongs):
        with transaction.atomic():
            found.append(play(world.client(client_id="kart"), units, right, before))
            transaction.set_rollback(True)
    assert found[0] == found[1]
    assert sum(found[0][0].values()) == 6 * RICH


@settings(max_examples=300, deadline=None)
@given(units=stakes, right=leaders, bps=st.integers(0, 10_000), splits=st.booleans())
def test_shares_add_up_to_the_pot_and_differ_by_one_unit_at_most(units, right, bps, splits):
    given_stakes = [rules.Stake(f"p{n}", TEAMS[n // 2], each) for n, each in enumerate(units)]
    decision = rules.decided_by(right)
    found = rules.shares(decision, given_stakes, fee_bps=bps, splits_ties=splits)
    assert found.fee + sum(found.paid.values()) == sum(units)
    assert min(found.paid.values()) >= 0
    assert found.fee == (sum(units) * bps // 10_000 if decision.outcome == "WON" else 0)
    if decision.outcome == "VOID":
        assert list(found.paid.values()) == units
