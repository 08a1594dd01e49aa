"""The worked examples and edge checks of rumble.md 5.3, paid out."""

from decimal import Decimal

import pytest

from apps.core.errors import DomainError
from apps.rumble.services import boards, tournaments
from apps.rumble.services.ground import TooFewParticipants
from tests.rumble import world
from tests.rumble.world import APP, RICH, THEN

pytestmark = pytest.mark.django_db


def played(app, count, *, unscored=0, force=False, **more):
    """Play a tournament of so many to its end; return it, the answer to resolve, and the prizes by name."""
    rumble = world.running(app, count, **more)
    fee = int(rumble.tournament.fee_units)
    world.score_all(rumble, count - unscored)
    board = tournaments.resolve(rumble.pk, force=force, actor=APP, at=THEN)
    assert world.status(rumble) == "DISTRIBUTING_PRIZES"
    world.settle(THEN.replace(second=10))
    assert world.status(rumble) == "CLOSED"
    assert boards.scoreboard(world.fresh(rumble)) == board
    found = world.wallets(app.operator)
    prizes = {name: found.get(name, 0) - RICH + fee for name in world.names(count)}
    assert world.drift(app) == []
    return rumble, board, [prizes[name] for name in world.names(count)], found


def test_example_a_no_rounding():
    app = world.application()
    _, board, prizes, money = played(app, 7)
    assert (board.participants, board.pool_units, board.developer_units, board.stakeholder_units) == (7, 630, 35, None)
    assert [(one.place, one.eos_id, one.score, one.units) for one in board.prizes] == [
        (1, "racera", Decimal(1000), 441),
        (2, "racerb", Decimal(999), 189),
    ]
    assert prizes == [441, 189, 0, 0, 0, 0, 0]
    assert money["PLATFORM:eos:devfarm12345"] == 35
    assert money["PLATFORM"] == 35


def test_example_b_everything_rounds():
    app = world.application()
    _, board, prizes, money = played(
        app, 8, fee=333, stakeholder="brandacct123", developer_percentage=Decimal(3), stakeholder_percentage=Decimal(2)
    )
    assert (board.pool_units, board.developer_units, board.stakeholder_units) == (2399, 79, 53)
    assert prizes == [1202, 599, 359, 239, 0, 0, 0, 0]
    assert money["PLATFORM:eos:devfarm12345"] == 79
    assert money["PLATFORM:eos:brandacct123"] == 53
    assert money["PLATFORM"] == 133


def test_example_c_override_top_percentages_forced():
    app = world.application(platform_bps=0)
    ten = {"developer_percentage": Decimal(10), "stakeholder_percentage": Decimal(10)}
    _, board, prizes, money = played(app, 9, unscored=1, force=True, fee=125, stakeholder="brandacct123", **ten)
    assert (board.participants, board.pool_units, board.developer_units, board.stakeholder_units) == (9, 901, 112, 112)
    assert prizes == [451, 225, 135, 90, 0, 0, 0, 0, 0]
    assert "PLATFORM" not in money


def test_three_players_with_a_rule_from_four_on_cannot_start():
    app = world.application()
    rumble = world.make(app)
    world.join(rumble, *world.names(3))
    world.settle()
    with pytest.raises(TooFewParticipants, match=r"needs at least 4 active participants to start \(3 now\)"):
        tournaments.start(rumble.pk, actor=APP, at=THEN)
    assert world.status(rumble) == "WAITING_FOR_PARTICIPANTS"


def test_fees_of_a_tiny_pot_round_to_nothing():
    app = world.application()
    ten = {"developer_percentage": Decimal(10), "stakeholder_percentage": Decimal(10)}
    _, board, prizes, _ = played(app, 5, fee=1, stakeholder="brandacct123", **ten)
    assert (board.pool_units, board.developer_units, board.stakeholder_units) == (5, 0, 0)
    assert prizes == [4, 1, 0, 0, 0]


def test_percentages_may_have_decimals():
    app = world.application()
    share = {"developer_percentage": Decimal("2.5"), "stakeholder_percentage": Decimal("1.25")}
    _, board, prizes, money = played(app, 4, fee=250, stakeholder="brandacct123", **share)
    assert (board.pool_units, board.developer_units, board.stakeholder_units) == (913, 25, 12)
    assert prizes == [640, 273, 0, 0]
    assert money["PLATFORM"] == 50


@pytest.mark.parametrize(
    ("count", "places"), [(2, None), (4, [70, 30]), (7, [70, 30]), (8, [50, 25, 15, 10]), (9, [50, 25, 15, 10])]
)
def test_the_rule_is_the_one_with_the_largest_minimum_that_is_reached(count, places):
    app = world.application(platform_bps=0)
    rumble = world.make(app, developer_percentage=Decimal(0), fee=100)
    world.join(rumble, *world.names(count))
    world.settle()
    if places is None:
        with pytest.raises(DomainError):
            tournaments.start(rumble.pk, actor=APP, at=THEN)
        assert boards.distribution(world.fresh(rumble)).prizes == []
    else:
        shares = [(place, count * share) for place, share in enumerate(places, start=1)]
        assert boards.distribution(world.fresh(rumble)).prizes == shares


def test_rules_may_come_in_any_order():
    app = world.application(platform_bps=0)
    rules = ((8, (50, 25, 15, 10)), (4, (70, 30)))
    rumble = world.running(app, 5, rules=rules, developer_percentage=Decimal(0))
    assert boards.distribution(rumble).prizes == [(1, 350), (2, 150)]


def test_shares_of_places_that_nobody_takes_go_to_the_first():
    app = world.application(platform_bps=0)
    _, _, prizes, _ = played(app, 2, rules=((2, (50, 25, 15, 10)),), developer_percentage=Decimal(0), fee=101)
    assert prizes == [152, 50]


def test_a_stakeholder_percentage_without_a_stakeholder_stays_in_the_pool():
    app = world.application(platform_bps=0)
    _, board, prizes, _ = played(app, 4, stakeholder_percentage=Decimal(10), developer_percentage=Decimal(0))
    assert (board.pool_units, board.stakeholder_units) == (400, None)
    assert prizes == [280, 120, 0, 0]


def test_a_winner_who_is_the_developer_gets_both():
    app = world.application(developer_eos_id="racera")
    _, _, prizes, money = played(app, 7)
    assert prizes == [441 + 35, 189, 0, 0, 0, 0, 0]
    assert "PLATFORM:eos:racera" not in money


def test_ties_go_to_who_scored_first_then_to_who_joined_first():
    app = world.application(platform_bps=0)
    rumble = world.running(app, 4, developer_percentage=Decimal(0))
    world.score(rumble, racerd=5, at=THEN)
    world.score(rumble, racerb=5, racerc=5, racera=4, at=THEN.replace(second=9))
    board = tournaments.resolve(rumble.pk, actor=APP, at=THEN.replace(second=20))
    assert [one.eos_id for one in board.prizes] == ["racerd", "racerb"]


def test_who_has_no_score_stands_behind_a_score_of_zero():
    app = world.application(platform_bps=0)
    rumble = world.running(app, 4, developer_percentage=Decimal(0))
    world.score(rumble, racerd=0)
    board = tournaments.resolve(rumble.pk, force=True, actor=APP, at=THEN)
    assert [(one.eos_id, one.score) for one in board.prizes] == [("racerd", 0), ("racera", 0)]


def test_a_free_tournament_closes_at_once_and_lists_its_places():
    app = world.application()
    rumble = world.make(app, fee=0)
    world.join(rumble, *world.names(4))
    tournaments.start(rumble.pk, actor=APP, at=THEN)
    world.score_all(rumble, 4)
    board = tournaments.resolve(rumble.pk, actor=APP, at=THEN)
    assert world.status(rumble) == "CLOSED"
    assert [(one.place, one.units) for one in board.prizes] == [(1, 0), (2, 0)]
    assert world.told(rumble)[-3:] == [
        "RumbleTournamentStatusUpdated DISTRIBUTING_PRIZES",
        "RumbleTournamentStatusUpdated CLOSED",
        "RumbleTournamentClosed CLOSED",
    ]
    assert world.fresh(rumble).container.status == "resolved"
    assert world.drift(app) == []
