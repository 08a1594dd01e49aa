"""What can't be counted stops nobody: it is set aside, and counted once when its cause is mended."""

from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.db import DataError

from apps.core.actors import SYSTEM
from apps.events.models import Fact
from apps.rounds.models import PendingRound, Recount, SetAsideRecount, SetAsideRound
from apps.rounds.services import partitions
from apps.rounds.services.scoring import aside, correcting, engine, explaining, recounting, scorer, statements
from apps.tournaments.models import Entry, Tournament
from apps.tournaments.services import running
from tests.racing import race
from tests.rounds.arena import NOON, Arena, board, played

pytestmark = pytest.mark.django_db

D = Decimal
TEXTS = ("SCORE", "SCORE_ONE", "RECOUNT")
METHODS = [
    {"method": "WAGERED_AMOUNT"},
    {"method": "WAGERED_AMOUNT", "limit_rounds": 3, "tie_break": "FEWEST_ROUNDS"},
    {"method": "BEST_MULTIPLIER", "tie_break": "LATEST"},
    {"method": "CONSECUTIVE_ROUNDS", "window": 2},
    {"method": "WIN_BET_RATIO", "ratio": "RATIO_OF_SUMS"},
]


@contextmanager
def poison(*texts):
    """A bet of 13 is a division by zero, whatever the method."""
    with pytest.MonkeyPatch.context() as patch:
        for name in texts or TEXTS:
            text = getattr(statements, name)
            assert "CASE u.method\n" in text
            patch.setattr(statements, name, text.replace("CASE u.method\n", "0 / (r.bet - 13) + CASE u.method\n", 1))
        yield


def numbers():
    return list(SetAsideRound.objects.waiting().order_by("number").values_list("times", flat=True))


def reasons(tournament, player="ann"):
    entry = Entry.objects.get(tournament=tournament, player__external_id=player)
    return [one.reason for one in explaining.explain(tournament, entry, limit=10)]


@pytest.mark.parametrize("limit", [None, 1, 2, 3, 7])
def test_rounds_that_can_not_be_counted_are_set_aside_and_all_others_count(limit):
    arena = Arena()
    tournament = arena.open()
    bets = [("ann", 1), ("bob", 13), ("ann", 2), ("ann", 13), ("ann", 13), ("bob", 4), ("cid", 8)]
    arena.take(*[played(player, bet, second=second) for second, (player, bet) in enumerate(bets)])
    with poison():
        assert arena.count(limit=limit) == 4
        assert arena.count(limit=limit) == 0
    assert board(tournament) == [("cid", D(8)), ("bob", D(4)), ("ann", D(3))]
    assert not PendingRound.objects.exists()
    assert numbers() == [1, 1, 1]
    assert "division by zero" in SetAsideRound.objects.first().error
    assert Fact.objects.filter(type="round.set_aside").count() == 3
    assert reasons(tournament) == ["SET_ASIDE", "SET_ASIDE", None, None]


@pytest.mark.parametrize("asked", METHODS)
def test_what_is_put_back_counts_once_and_as_if_it_had_never_been_aside(asked):
    arena = Arena()
    tournament, beside = arena.open(**asked), Arena()
    same = beside.open(**asked)
    told = [
        ("ann", 1, 2),
        ("bob", 13, 40),
        ("ann", 13, 20),
        ("ann", 2, 4),
        ("bob", 5, 1),
        ("ann", 13, 1),
        ("ann", 1, 9),
    ]
    for second, (player, bet, win) in enumerate(told):
        arena.take(played(player, bet, win, second=second))
        beside.take(played(player, bet, win, second=second))
    with poison():
        arena.count(limit=3)
    beside.count()
    assert board(tournament) != board(same)
    assert recounting.recount(tournament.pk, check=False, at=NOON).differences == []
    for number in SetAsideRound.objects.order_by("-number").values_list("number", flat=True):
        aside.put_back(number, actor=SYSTEM, at=NOON)
        recounting.recount(tournament.pk, check=False, at=NOON)
        arena.count()
        assert recounting.recount(tournament.pk, check=False, at=NOON).differences == []
    assert board(tournament) == board(same)
    assert not SetAsideRound.objects.waiting().exists()
    assert Fact.objects.filter(type="round.put_back").count() == 3


def test_a_round_that_is_put_back_too_early_is_set_aside_again():
    arena = Arena()
    arena.open()
    arena.take(played("ann", 13))
    with poison():
        arena.count()
        held = SetAsideRound.objects.get()
        aside.put_back(held.number, actor=SYSTEM, at=NOON)
        assert PendingRound.objects.get().received_at == held.received_at
        with pytest.raises(aside.NotSetAside):
            aside.put_back(held.number, actor=SYSTEM, at=NOON)
        arena.count()
    assert numbers() == [2]
    assert not PendingRound.objects.exists()


def test_a_void_is_the_other_way_to_be_rid_of_a_round():
    arena = Arena()
    tournament = arena.open()
    wrong = played("ann", 13)
    arena.take(wrong, played("ann", 1))
    with poison():
        arena.count()
    said = {"integration": arena.name, "round_id": wrong["roundId"], "reason": "mistake", "actor": SYSTEM}
    assert correcting.void(arena.operator.pk, **said, at=NOON).moves == []
    assert numbers() == []
    assert set(reasons(tournament)) == {"VOIDED", None}
    with pytest.raises(aside.NotSetAside):
        aside.put_back(SetAsideRound.objects.get().number, actor=SYSTEM, at=NOON)
    assert board(tournament) == [("ann", D(1))]


def test_a_tournament_ends_without_waiting_and_what_is_put_back_then_counts_nowhere(settings):
    arena = Arena()
    tournament = arena.open(grace_seconds=0)
    arena.take(played("ann", 13), played("ann", 1))
    end = NOON + timedelta(hours=1, seconds=5)
    with poison():
        arena.count()
        running.tick(at=end)
    assert Tournament.objects.get(pk=tournament.pk).status != "RUNNING"
    settings.ROUNDS_KEPT_DAYS = 1
    assert partitions.expire(at=end + timedelta(days=60)) == []
    aside.put_back(SetAsideRound.objects.get().number, actor=SYSTEM, at=end)
    arena.count(at=end)
    assert board(tournament) == [("ann", D(1))]
    assert not PendingRound.objects.exists()


def test_what_is_the_fault_of_no_round_sets_none_aside_and_stops_no_other_operator(monkeypatch):
    broken, well = Arena(), Arena(name="nordic")
    broken.open()
    tournament = well.open()
    broken.take(played("ann", 1))
    well.take(played("bob", 2))
    with monkeypatch.context() as patch:
        score = scorer._score

        def fail(operator_id, *about, **more):
            if operator_id == broken.operator.pk:
                raise DataError("always")
            score(operator_id, *about, **more)

        patch.setattr(scorer, "_score", fail)
        patch.setattr(scorer, "APART", 0)
        assert scorer.drain() == 1
    assert board(tournament) == [("bob", D(2))]
    assert not SetAsideRound.objects.exists()
    assert PendingRound.objects.count() == 1
    broken.count()
    assert not PendingRound.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_would_fail_only_at_the_end_of_the_transaction_is_found_as_well(monkeypatch):
    arena = Arena()
    tournament = arena.open()
    arena.take(played("ann", 1), played("bob", 2), played("cid", 4))
    enter = scorer.enter

    def enter_wrongly(newcomers, *, at):
        enter(newcomers, at=at)
        Entry.objects.filter(player__external_id="bob").update(player=2**40)

    with monkeypatch.context() as patch:
        patch.setattr(scorer, "enter", enter_wrongly)
        arena.count(limit=1)
    assert board(tournament) == [("cid", D(4)), ("ann", D(1))]
    assert "foreign key" in SetAsideRound.objects.get().error


@pytest.mark.django_db(transaction=True)
def test_putting_back_counting_and_counting_anew_at_once_count_once():
    arena = Arena()
    tournament = arena.open()
    arena.take(*[played(player, bet) for player in ("ann", "bob") for bet in (13, 1, 13)])
    with poison():
        arena.count()
    held = [*SetAsideRound.objects.values_list("number", flat=True)]
    assert len(held) == 4

    def put_back(number):
        return aside.put_back(number, actor=SYSTEM, at=NOON).number

    def count():
        return [scorer.count_on(arena.operator.pk, at=NOON) for _ in range(4)]

    def recount():
        return recounting.recount(tournament.pk, check=False, at=NOON).differences

    outcomes = race(*[partial(put_back, number) for number in held * 2], count, count, recount, recount)
    assert sorted(one for one in outcomes[:8] if isinstance(one, int)) == sorted(held)
    assert [type(one) for one in outcomes[:8] if not isinstance(one, int)] == [aside.NotSetAside] * 4
    assert outcomes[-2:] == [[], []]
    arena.count()
    assert board(tournament) == [("ann", D(27)), ("bob", D(27))]
    assert recount() == []


def test_when_very_many_are_aside_the_rest_waits(monkeypatch):
    monkeypatch.setattr(aside, "MOST", 2)
    arena = Arena()
    arena.open()
    arena.take(*[played("ann", 13) for _ in range(3)])
    with poison(), pytest.raises(DataError):
        arena.count()
    assert (len(numbers()), PendingRound.objects.count()) == (2, 1)
    arena.count()
    assert not PendingRound.objects.exists()


def test_an_entry_that_can_not_be_counted_anew_stops_neither_the_others_nor_rounds():
    arena = Arena()
    tournament = arena.open()
    arena.take(played("ann", 13), *[played(player, 1) for player in "bcdef"])
    arena.count()
    arena.take(played("ann", 7), played("b", 1))
    entries = dict(Entry.objects.values_list("player__external_id", "pk"))
    engine.ask_for_recount(entries.values(), operator_id=arena.operator.pk)
    with poison("RECOUNT"):
        arena.count()
        assert not Recount.objects.exists()
        held = SetAsideRecount.objects.waiting().get()
        assert (held.entry_id, held.times) == (entries["ann"], 1)
        assert dict(board(tournament))["ann"] == D(20)
        assert dict(board(tournament))["b"] == D(2)
        failed = recounting.recount(tournament.pk, check=True, at=NOON).differences
        assert [(one.entry_id, [*one.fields]) for one in failed] == [(entries["ann"], ["recount"])]
        aside.put_recount_back(held.entry_id, actor=SYSTEM, at=NOON)
        assert Recount.objects.count() == 1
        arena.count()
        assert SetAsideRecount.objects.waiting().get().times == 2
    aside.put_recount_back(held.entry_id, actor=SYSTEM, at=NOON)
    arena.count()
    assert not SetAsideRecount.objects.waiting().exists()
    with pytest.raises(aside.NotSetAside):
        aside.put_recount_back(held.entry_id, actor=SYSTEM, at=NOON)
    assert recounting.recount(tournament.pk, check=True, at=NOON).differences == []


def test_recounts_that_all_fail_keep_asking_while_rounds_count(monkeypatch):
    monkeypatch.setattr(scorer, "MOST_FAILED", 0)
    arena = Arena()
    tournament = arena.open()
    arena.take(played("ann", 13), played("bob", 1))
    arena.count()
    engine.ask_for_recount(Entry.objects.values_list("pk", flat=True), operator_id=arena.operator.pk)
    arena.take(played("bob", 2))
    with poison("RECOUNT"):
        arena.count()
    assert Recount.objects.count() == 2
    assert not SetAsideRecount.objects.exists()
    assert board(tournament) == [("ann", D(13)), ("bob", D(3))]
    arena.count()
    assert not Recount.objects.exists()
