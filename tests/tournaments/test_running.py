from datetime import timedelta

import pytest
from django.db import OperationalError

from apps.core.actors import SYSTEM
from apps.core.errors import Invalid
from apps.events.models import Fact
from apps.tournaments.models import StartMode, Tournament
from apps.tournaments.services import creation, running
from apps.tournaments.services.states import InvalidState
from tests.factories import OperatorFactory
from tests.tournaments import world
from tests.tournaments.world import AT, STAFF, START

pytestmark = pytest.mark.django_db


def test_the_clock_starts_and_ends_a_tournament_however_late_it_looks():
    tournament = world.make(ends_at=START + timedelta(hours=1))
    world.enter(tournament, "ann", "bob")
    assert running.tick(at=START - timedelta(seconds=1)) == 0
    assert running.tick(at=START + timedelta(days=3)) == 1
    assert world.state(tournament) == "RUNNING"
    assert running.tick(at=START + timedelta(days=3)) == 1
    assert world.state(tournament) == "SETTLING"
    assert running.tick(at=START + timedelta(days=3)) == 0
    assert Fact.objects.get(type="tournament.started").actor == str(SYSTEM)


def test_an_empty_tournament_is_cancelled_when_its_time_comes():
    tournament = world.make()
    running.tick(at=START)
    assert world.state(tournament) == "CANCELED"
    assert Fact.objects.get(type="tournament.cancelled").data["reason"] == "Insufficient player registration"


@pytest.mark.parametrize(("enforce", "expected"), [(False, "RUNNING"), (True, "REFUNDING")])
def test_too_few_players_start_unless_the_minimum_is_enforced(enforce, expected):
    tournament = world.make(min_players=3, enforce_min_players=enforce)
    world.enter(tournament, "ann", "bob")
    running.tick(at=START)
    assert world.state(tournament) == expected


def test_a_call_does_not_start_an_empty_tournament():
    tournament = world.make()
    with pytest.raises(running.NotEnoughPlayers):
        running.start(tournament.pk, actor=STAFF, at=AT)
    assert world.state(tournament) == "REGISTERING"


def test_a_hop_on_lobby_does_not_start_by_the_clock():
    tournament = world.make(start_mode=StartMode.AT_COUNT)
    world.enter(tournament, "ann")
    running.tick(at=START + timedelta(days=1))
    assert world.state(tournament) == "REGISTERING"


@pytest.mark.parametrize("problem", [InvalidState(), OperationalError("deadlock detected"), ValueError("a bug")])
def test_one_that_fails_does_not_hold_up_the_others(monkeypatch, problem):
    first, second = world.make(), world.make()
    for tournament in (first, second):
        world.enter(tournament, "ann")
    begin = running.begin

    def refuse_first(tournament, **more):
        if tournament.pk == first.pk:
            raise problem
        return begin(tournament, **more)

    monkeypatch.setattr(running, "begin", refuse_first)
    running.tick(at=START)
    assert (world.state(first), world.state(second)) == ("REGISTERING", "RUNNING")


def test_a_draft_is_out_of_sight_until_published():
    tournament = world.make(draft=True)
    assert world.state(tournament) == "DRAFT"
    running.tick(at=START)
    assert world.state(tournament) == "DRAFT"
    creation.publish(tournament.pk, actor=STAFF, at=AT)
    assert world.state(tournament) == "REGISTERING"


@pytest.mark.parametrize("verb", [running.start, running.complete, running.close_registration])
def test_what_the_graph_lacks_is_refused(verb):
    tournament = world.make()
    world.enter(tournament, "ann")
    running.cancel(tournament.pk, reason="storm", actor=STAFF, at=AT)
    before = Fact.objects.count()
    with pytest.raises(InvalidState):
        verb(tournament.pk, actor=STAFF, at=AT)
    assert world.state(tournament) == "REFUNDING"
    assert Fact.objects.count() == before


def test_policies_are_a_snapshot():
    operator = OperatorFactory(preferences={"rakePercent": 10, "tiePolicy": "split"})
    before = world.make(operator)
    operator.preferences = {"rakePercent": 20}
    operator.save()
    after = world.make(operator)
    old = Tournament.objects.get(pk=before.pk)
    assert (old.rake_bps, old.tie_policy) == (1000, "split")
    assert (after.rake_bps, after.tie_policy) == (2000, "unique")


def test_an_external_id_names_one_tournament_per_operator():
    first = world.make(external_id="daily-1")
    with pytest.raises(creation.DuplicateExternalId):
        world.make(first.operator, external_id="daily-1")
    world.make(external_id="daily-1")
    assert Tournament.objects.filter(operator=first.operator).count() == 1


@pytest.mark.parametrize(
    ("wishes", "steps", "word"),
    [
        ({}, (), "scheduled"),
        ({"registration_opens_at": AT}, (), "open"),
        ({"registration_opens_at": START}, (), "scheduled"),
        ({"registration_opens_at": AT}, (running.close_registration,), "scheduled"),
        ({}, (running.start,), "in_progress"),
        ({"draft": True}, (), "draft"),
    ],
)
def test_a_cancellation_tells_where_the_tournament_stood_in_the_operators_words(wishes, steps, word):
    tournament = world.make(**wishes)
    if running.start in steps:
        world.enter(tournament, "ann")
    for step in steps:
        step(tournament.pk, actor=STAFF, at=AT)
    running.cancel(tournament.pk, reason="storm", actor=STAFF, at=AT)
    assert Fact.objects.get(type="tournament.cancelled").data["statusBeforeCancellation"] == word


def test_what_would_have_ended_already_is_refused():
    with pytest.raises(Invalid):
        world.make(start_mode=StartMode.AT_COUNT, starts_at=None, ends_at=AT)
    assert not Tournament.objects.exists()


def test_a_lobby_that_never_filled_is_called_off_when_its_time_is_over():
    tournament = world.make(start_mode=StartMode.AT_COUNT, starts_at=None, min_players=5, ends_at=START)
    world.enter(tournament, "ann", "bob")
    running.tick(at=START)
    world.pay(tournament)
    assert (world.state(tournament), world.escrow(tournament)) == ("CANCELED", 0)


def test_a_draft_is_reported_when_it_is_published():
    tournament = world.make(draft=True)
    creation.update_tournament(tournament.pk, creation.TournamentChanges(name="New"), actor=STAFF, at=AT)
    assert not Fact.objects.exists()
    creation.publish(tournament.pk, actor=STAFF, at=AT)
    assert Fact.objects.get().data["tournamentName"] == "New"
