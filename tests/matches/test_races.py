"""Whatever happens at once happens once."""

import pytest

from apps.core.errors import DomainError
from apps.matches.models import Report
from apps.matches.reconcile import CHECKS
from apps.matches.services import correcting, creation, staff
from tests.matches import world
from tests.matches.world import ADA, AT, KEY, RICH
from tests.racing import in_parallel, race

pytestmark = pytest.mark.django_db(transaction=True)

ENDS = (
    {"ann": 10800, "bob": 9000, "REVENUE": 200},
    {"ann": 9000, "bob": 10800, "REVENUE": 200},
    {"ann": RICH, "bob": RICH},
)


@pytest.fixture
def game():
    return world.client()


def sound(game):
    return [drift for check in CHECKS for drift in check(game.operator_id)] == []


def test_a_result_an_abort_a_forfeit_and_staff_at_once_end_a_match_once(game):
    match = world.make(game).match
    outcomes = race(
        lambda: world.result(match),
        lambda: world.result(match, ranks={"t-red": 2, "t-blue": 1}),
        lambda: world.tell(match, {"match_id": match.public_id, "error": {}}),
        lambda: staff.forfeit(match.pk, team_id="t-red", actor=KEY, at=AT),
        lambda: staff.abort(match.pk, reason="x", actor=ADA, at=AT),
    )
    assert all(isinstance(one, DomainError) or not isinstance(one, Exception) for one in outcomes)
    assert world.wallets(game.operator) in ENDS
    ends = {"match.finished", "match.aborted", "match.tied"}
    assert sum(fact in ends for fact in world.facts(match)) == 1
    assert sound(game)


def test_both_confirm_at_once_and_it_starts_once(game):
    match = world.make(game, confirmed=False).match
    race(*[lambda name=name: creation.confirm(match.pk, participant_id=name, actor=KEY, at=AT)
           for name in ("ann", "bob", "ann", "bob")])  # fmt: skip
    assert world.facts(match).count("match.live") == 1
    assert world.wallets(game.operator) == {"ann": 9000, "bob": 9000, "ESCROW": 2000}


def test_matches_that_share_players_escrow_side_by_side_without_a_deadlock(game):
    world.rich(game.operator, "ann", "bob", "cid")
    first = world.make(game, {"a": ["ann"], "b": ["bob"]}, confirmed=False).match
    second = world.make(game, {"a": ["bob"], "b": ["ann"]}, confirmed=False).match
    for match in (first, second):
        creation.confirm(match.pk, participant_id="ann", actor=KEY, at=AT)
    outcomes = race(*[lambda match=match: creation.confirm(match.pk, participant_id="bob", actor=KEY, at=AT)
                      for match in (first, second)] * 2)  # fmt: skip
    assert not [one for one in outcomes if isinstance(one, Exception)]
    assert world.wallets(game.operator) == {"ann": 8000, "bob": 8000, "cid": RICH, "ESCROW": 4000}


def test_one_fee_that_pays_for_one_match_starts_one(game):
    world.rich(game.operator, "ann", units=1000)
    world.rich(game.operator, "bob")
    outcomes = in_parallel(5, lambda: world.make(game))
    assert sum(isinstance(one, Exception) for one in outcomes) == 4
    assert world.wallets(game.operator) == {"bob": 9000, "ESCROW": 2000}


def test_all_scores_at_once_settle_once(game):
    match = world.make(game, {"a": ["ann"], "b": ["bob"], "c": ["cid"], "d": ["dan"]}, mode="ASYNC").match
    race(*[lambda n=n, name=name: world.score(match, **{name: n})
           for n, name in enumerate(("ann", "bob", "cid", "dan"))] * 3)  # fmt: skip
    assert world.wallets(game.operator) == {"ann": 9000, "bob": 9000, "cid": 9000, "dan": 12600, "REVENUE": 400}
    assert Report.objects.filter(match=match, accepted=True).count() == 4


def test_two_corrections_at_once_leave_one_result(game):
    match = world.make(game).match
    world.result(match)
    race(*[lambda names=names: correcting.correct(match.pk, leaders=names, reason="x", actor=ADA, at=AT)
           for names in (["t-blue"], ["t-blue"], ["t-red", "t-blue"])])  # fmt: skip
    assert world.wallets(game.operator) in ENDS[1:]
    assert sound(game)


def test_two_people_at_once_are_two_people(game):
    match = world.make(game).match
    race(*[lambda actor=actor: staff.enter_result(match.pk, leaders=["t-red"], reason="x", actor=actor, at=AT)
           for actor in (world.ADA, world.BOB)])  # fmt: skip
    assert world.wallets(game.operator) == ENDS[0]
