"""What reconcile finds about matches when their rows and the books disagree."""

import pytest
from django.db import connection

from apps.ledger.models import Hold
from apps.matches.models import Match, Participant
from apps.matches.reconcile import CHECKS
from apps.matches.services import correcting, creation
from tests.matches import world
from tests.matches.world import ADA, AT, KEY

pytestmark = pytest.mark.django_db


def drift(game):
    return [(one.check, one.detail) for check in CHECKS for one in check(game.operator_id)]


@pytest.fixture
def game():
    return world.client()


@pytest.fixture
def won(game):
    match = world.make(game).match
    world.result(match)
    return match


def test_an_ordinary_day_has_none(game, won):
    world.make(game)
    world.make(game, entry_fee=0)
    world.make(game, confirmed=False)
    correcting.correct(won.pk, leaders=["t-blue"], reason="x", actor=ADA, at=AT)
    correcting.correct(won.pk, leaders=[], reason="x", actor=ADA, at=AT)
    assert drift(game) == []


def test_a_pot_that_is_not_what_was_staked_is_named(game):
    match = world.make(game).match
    Match.objects.filter(pk=match.pk).update(pot_units=1900)
    assert drift(game) == [
        ("match escrows", "LIVE: holds 2000, should hold 1900"),
        ("match pots", "LIVE: pot 1900, stakes 2000, paid and fee 0"),
    ]


def test_a_payment_that_is_not_what_the_journal_says_is_named(game, won):
    Participant.objects.filter(match=won, wire_id="ann").update(paid_units=1799)
    assert drift(game) == [("match pots", "FINISHED: pot 2000, stakes 2000, paid and fee 1999")]


def test_a_result_without_its_journal_is_named(game, won):
    Match.objects.filter(pk=won.pk).update(settlement_id=None)
    assert drift(game) == [("match settlements", "FINISHED: pot 2000, its journal paid 0")]


def test_a_reserve_that_outlives_its_match_is_named(game):
    match = world.make(game, confirmed=False).match
    creation.confirm(match.pk, participant_id="ann", actor=KEY, at=AT)
    assert Hold.objects.get().status == "ACTIVE"
    with connection.cursor() as cursor:
        cursor.execute("UPDATE matches_match SET status = 'CANCELLED', ended_at = now() WHERE id = %s", [match.pk])
    assert drift(game) == [("match reserves", "CANCELLED: 1 stakes are still set aside")]
