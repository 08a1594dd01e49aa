"""Tournaments that are scored by rounds, made and made anew in the admin."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from apps.core import clock
from apps.rounds.models import Rule
from apps.tournaments.models import Tournament
from tests import factories
from tests.admin.scenes import change, fresh, operation, press, signed_in, text, url
from tests.rounds.world import BRAND, ROUND_GAME, Integration

pytestmark = pytest.mark.django_db

NEW = {
    "name": "March Sprint",
    "starts_at": "2031-03-01T00:00",
    "ends_at": "2031-03-08T00:00",
    "games": [ROUND_GAME],
    "brands": [BRAND],
    "method": "WIN_BET_RATIO",
    "ratio": "RATIO_OF_SUMS",
    "factor": "2.5",
    "tie_break": "FEWEST_ROUNDS",
    "round_types": "REGULAR, BONUS_BUY",
    "min_bet": "0.50",
    "limit_rounds": 500,
    "min_rounds": 20,
    "grace_seconds": 600,
    "opt_in": "BUY_IN",
    "entry_fee": "5",
    "asset": "EUR",
    "guarantee": "1000",
    "prizes": "1: cash 500\n2-3: share 10%, cash 100\n4-10: share 2%",
    "auto_payout": "",
}


@pytest.fixture
def acme() -> Integration:
    return Integration(watched=False)


@pytest.fixture
def manager(acme):
    return signed_in(factories.staff(acme.operator, "manager"))


@pytest.fixture
def page(acme):
    return url(Tournament, "add") + f"?operator={acme.operator.pk}&scoring=rounds"


def create(manager, page, **more):
    said = {name: value for name, value in (NEW | more).items() if value != ""}
    form = manager.get(page).context["form"]
    filled = {field.name: field.value() for field in form if field.value() is not None and field.name not in NEW}
    return manager.post(page, {**filled, **said})


def test_the_usual_form_leads_to_the_one_for_rounds(acme, manager, page):
    words = text(manager.get(url(Tournament, "add") + f"?operator={acme.operator.pk}"))
    assert "score it by game rounds instead" in words
    assert "Which rounds count" in text(manager.get(page))


def test_the_whole_policy_is_kept_as_it_was_typed(acme, manager, page):
    answer = create(manager, page)
    made = Tournament.objects.get(name="March Sprint")
    assert answer["Location"] == change(made)
    assert (made.status, made.scoring_source, made.game.slug) == ("DRAFT", "ROUNDS", ROUND_GAME)
    assert (made.starts_at, made.ends_at) == (datetime(2031, 3, 1, tzinfo=UTC), datetime(2031, 3, 8, tzinfo=UTC))
    assert (made.entry_mode, int(made.fee_units), int(made.guarantee_units)) == ("BUY_IN", 500, 100_000)
    assert made.needs_approval
    rule = Rule.objects.get(pk=made.pk)
    assert (rule.method, rule.ratio, rule.tie_break, rule.base) == (
        "WIN_BET_RATIO", "RATIO_OF_SUMS", "FEWEST_ROUNDS", "EUR",
    )  # fmt: skip
    assert (rule.games, rule.brands, rule.round_types) == ([acme.game.pk], [acme.brand.pk], ["REGULAR", "BONUS_BUY"])
    assert (rule.min_bet, rule.factor, rule.limit_rounds, rule.min_rounds, rule.grace_seconds) == (
        Decimal("0.5"), Decimal("2.5"), 500, 20, 600,
    )  # fmt: skip
    assert made.prize_table[1] == {
        "rankFrom": 2,
        "rankTo": 3,
        "prizes": [{"type": "POOL_SHARE", "percent": "10"}, {"type": "CASH", "amount": "100"}],
    }


WRONG = [
    ({"prizes": "first: cash 5"}, "Line 1: begin with a rank"),
    ({"prizes": "1: gold"}, "is none of: cash 100"),
    ({"prizes": "1: share 70%\n2: share 40%"}, "100 is all there is"),
    ({"method": "CONSECUTIVE_ROUNDS"}, "How many rounds make a run?"),
    ({"opt_in": "INVITED"}, "Who is invited?"),
    ({"opt_in": "INVITED", "invited": "superkingz"}, "a brand and a player"),
    ({"opt_in": "BUY_IN", "entry_fee": "0"}, "What does it cost?"),
    ({"min_rounds": 501}, "Nobody could reach more rounds than count."),
    ({"ends_at": "2031-02-01T00:00"}, "It would end before it starts."),
    ({"games": []}, "This field is required."),
]


@pytest.mark.parametrize("said, words", WRONG, ids=lambda case: str(case)[:40])
def test_what_makes_no_sense_is_refused_with_the_reason_and_nothing_is_stored(manager, page, said, words):
    answer = create(manager, page, **said)
    assert answer.status_code == 200
    assert words in re.sub("&#x27;", "'", text(answer))
    assert not Tournament.objects.exists()


def test_a_draft_is_made_anew_and_shows_what_was_typed_before(acme, manager, page):
    create(manager, page, opt_in="INVITED", invited="brandId,playerId\nsuperkingz,p-1\nsuperkingz,p-2")
    made = Tournament.objects.get()
    form = manager.get(operation(made, "edit-draft")).context["form"]
    assert form["prizes"].value() == NEW["prizes"]
    assert form["games"].value() == [ROUND_GAME]
    assert form["invited"].value().splitlines() == ["superkingz,p-1", "superkingz,p-2"]
    press(
        manager, operation(made, "edit-draft"),
        name="April Sprint", method="TOTAL_WIN", invited="superkingz,p-3", prizes="1: cash 7", max_players=50,
    )  # fmt: skip
    changed = fresh(made)
    assert (changed.name, changed.max_players, changed.asset.code) == ("April Sprint", 50, "EUR")
    assert Rule.objects.get(pk=made.pk).method == "TOTAL_WIN"
    assert [*changed.invitations.values_list("brand_ref", "player_ref")] == [("superkingz", "p-3")]
    assert changed.prize_table == [{"rankFrom": 1, "rankTo": 1, "prizes": [{"type": "CASH", "amount": "7"}]}]


def test_once_it_is_published_the_policy_stays(manager, page):
    create(manager, page, opt_in="AUTO")
    made = Tournament.objects.get()
    press(manager, operation(made, "publish"))
    assert fresh(made).status == "REGISTERING"
    answer = manager.get(operation(made, "edit-draft"), follow=True)
    assert "not possible any more" in text(answer)
    assert "edit-draft" not in text(manager.get(change(made)))


def test_a_clone_is_a_draft_with_the_same_policy_and_times_that_lie_ahead(manager, page):
    create(manager, page, opt_in="INVITED", invited="superkingz,p-1", external_id="march-31")
    made = Tournament.objects.get()
    past = clock.now() - timedelta(days=10)
    Tournament.objects.filter(pk=made.pk).update(starts_at=past, ends_at=past + timedelta(days=7))
    page = manager.post(operation(made, "clone"), {"ticket": "c-1"}, follow=True)
    copy = Tournament.objects.exclude(pk=made.pk).get()
    assert "The draft is there" in text(page)
    assert (copy.name, copy.status, copy.external_id) == ("March Sprint (Clone)", "DRAFT", None)
    assert copy.starts_at == past + timedelta(weeks=2)
    assert copy.ends_at - copy.starts_at == timedelta(days=7)
    assert copy.prize_table == made.prize_table
    assert copy.invitations.count() == 1
    ours, theirs = (Rule.objects.get(pk=one.pk) for one in (made, copy))
    assert (ours.method, ours.games, ours.min_bet) == (theirs.method, theirs.games, theirs.min_bet)
    assert copy.escrow_id != made.escrow_id
