"""A tournament that is only read is shared between requests and never stale."""

import pytest

from apps.operators.models import Game, Operator
from apps.tournaments.models import Tournament
from apps.tournaments.services import lookup, tally
from tests.factories import OperatorFactory
from tests.tournaments import world

pytestmark = pytest.mark.django_db


def test_two_looks_at_the_same_version_are_one_object_with_everything_on_it(django_assert_num_queries):
    made = world.make()
    found = lookup.tournament(made.operator_id, made.pk)
    with django_assert_num_queries(1):
        again = lookup.tournament(made.operator_id, made.pk)
        assert again is found
        assert (again.game.slug, again.asset.code) == ("crash-classic", "USD")


def test_every_change_is_seen_at_once_also_two_in_one_transaction():
    made = world.make()
    seen = []
    for name in ("One", "Two", "Three"):
        Tournament.objects.filter(pk=made.pk).update(name=name)
        seen.append(lookup.tournament(made.operator_id, made.pk).name)
    Operator.objects.filter(pk=made.operator_id).update(name="Renamed")
    Game.objects.filter(pk=made.game_id).update(display_name="Renamed")
    found = lookup.tournament(made.operator_id, made.pk)
    assert (seen, found.operator.name, found.game.display_name) == (["One", "Two", "Three"], "Renamed", "Renamed")


def test_nobody_finds_a_draft_or_what_belongs_to_another():
    made, draft = world.make(), world.make(draft=True)
    assert lookup.tournament(made.operator_id, made.pk)
    assert lookup.tournament(OperatorFactory().pk, made.pk) is None
    assert lookup.tournament(draft.operator_id, draft.pk) is None
    assert lookup.tournament(made.operator_id, 10**18 - 1) is None


def test_totals_of_nothing_are_zero():
    assert tally.totals(10**9) == tally.Totals()
    assert tally.totals_of([]) == {}
