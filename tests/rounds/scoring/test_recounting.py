"""Whatever comes in whatever order: running scores are what all rounds come to. Voids, resets and late rates too."""

from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from apps.core.actors import SYSTEM
from apps.ledger.services import rates
from apps.rounds import reconcile
from apps.rounds.models import Run, Score, UnratedRound, VoidedRound
from apps.rounds.services.scoring import correcting, explaining, recounting
from apps.tournaments.models import Entry
from tests.rounds.arena import NOON, Arena, board, played, state

pytestmark = pytest.mark.django_db

METHODS = [
    {"method": "WAGERED_AMOUNT", "limit_rounds": 3, "tie_break": "FEWEST_ROUNDS"},
    {"method": "WAGERED_AMOUNT", "min_bet": 2},
    {"method": "WIN_BET_RATIO", "tie_break": "LATEST"},
    {"method": "WIN_BET_RATIO", "ratio": "RATIO_OF_SUMS", "min_rounds": 2},
    {"method": "BEST_MULTIPLIER"},
    {"method": "CONSECUTIVE_ROUNDS", "window": 3},
    {"method": "CONSECUTIVE_ROUNDS", "window": 2, "limit_rounds": 5},
    {"method": "TOTAL_WIN", "opt_in": "MANUAL"},
    {"method": "ROUND_COUNT", "factor": Decimal("1.5")},
]
AMOUNTS = st.sampled_from(["0", "1", "2", "3", "0.1", "7.77", "0.000000000000000003"])
ROUND = st.tuples(
    st.just("round"), st.sampled_from(["ann", "bob"]), AMOUNTS, AMOUNTS, st.integers(-2, 30), st.sampled_from("EEES")
)
STEP = (
    ROUND
    | ROUND
    | ROUND
    | st.tuples(st.just("count"), st.integers(1, 4))
    | st.tuples(st.just("void"), st.integers(0, 50))
    | st.tuples(st.just("reset"), st.sampled_from(["ann", "bob"]), st.integers(0, 30))
    | st.tuples(st.just("rate"), st.integers(-1, 30), st.sampled_from(["10", "12.5"]))
)
FEW = settings(
    max_examples=30,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def put_rate(arena, second, rate):
    moment = NOON + timedelta(seconds=second)
    rates.put_rates(
        arena.operator.pk, base="EUR", valid_from=moment, rates={"SEK": Decimal(rate)}, actor=SYSTEM, at=moment
    )


@FEW
@given(steps=st.lists(STEP, min_size=4, max_size=24), which=st.integers(0, len(METHODS) - 1))
def test_running_scores_are_what_all_rounds_come_to(steps, which):
    arena = Arena()
    asked = METHODS[which]
    tournament = arena.open(**asked)
    if asked.get("opt_in") == "MANUAL":
        arena.join(tournament, "ann")
        arena.join(tournament, "bob", at=NOON + timedelta(seconds=5))
    sent = []
    for what, *about in steps:
        if what == "round":
            player, bet, win, second, money = about
            one = played(player, Decimal(bet), Decimal(win), second=second, currency={"E": "EUR", "S": "SEK"}[money])
            sent.append(one["roundId"])
            arena.take(one)
        elif what == "count":
            arena.count(limit=about[0])
        elif what == "void" and sent:
            said = {"integration": arena.name, "round_id": sent[about[0] % len(sent)], "reason": "mistake"}
            correcting.void(arena.operator.pk, **said, actor=SYSTEM, at=NOON)
        elif what == "reset":
            for entry in Entry.objects.filter(player__external_id=about[0], tournament=tournament):
                moment = NOON + timedelta(seconds=about[1])
                correcting.reset(entry.pk, by_staff=True, actor=SYSTEM, at=moment)
        elif what == "rate":
            put_rate(arena, *about)
    arena.count()
    before = state(tournament)
    done = recounting.recount(tournament.pk, check=False, at=NOON)
    assert done.differences == []
    assert state(tournament) == before
    for entry in Entry.objects.filter(tournament=tournament):
        told = explaining.explain(tournament, entry, limit=100)
        assert sum(one.counted for one in told) == Score.objects.get(pk=entry.pk).rounds


def test_rounds_wait_for_a_rate_and_count_when_it_comes():
    arena = Arena()
    tournament = arena.open()
    arena.take(played("ann", 100, currency="SEK"), played("bob", 5))
    arena.count()
    assert board(tournament) == [("bob", Decimal(5))]
    assert UnratedRound.objects.count() == 1
    put_rate(arena, -60, "12.5")
    arena.count()
    assert board(tournament) == [("ann", Decimal(8)), ("bob", Decimal(5))]
    assert not UnratedRound.objects.exists()


def test_a_rate_that_is_put_right_counts_from_the_moment_it_holds():
    arena = Arena()
    tournament = arena.open()
    put_rate(arena, -60, "10")
    arena.take(played("ann", 100, currency="SEK", second=1), played("ann", 100, currency="SEK", second=20))
    arena.count()
    assert board(tournament) == [("ann", Decimal(20))]
    put_rate(arena, 10, "20")
    arena.count()
    assert board(tournament) == [("ann", Decimal(15))]


def test_a_void_takes_the_round_out_and_tells_how_the_player_moved():
    arena = Arena()
    tournament = arena.open()
    wrong = played("ann", 9)
    arena.take(wrong, played("ann", 1), played("bob", 5))
    arena.count()
    said = {"integration": arena.name, "round_id": wrong["roundId"], "reason": "rolled back", "actor": SYSTEM}
    told = correcting.void(arena.operator.pk, **said, at=NOON)
    moved = {"pointsBefore": "10", "pointsAfter": "1", "rankBefore": 1, "rankAfter": 2}
    assert told.moves == [{"tournamentId": str(tournament.pk)} | moved]
    assert board(tournament) == [("bob", Decimal(5)), ("ann", Decimal(1))]
    again = correcting.void(arena.operator.pk, **said, at=NOON + timedelta(hours=1))
    assert (again.moves, again.voided_at) == (told.moves, NOON)
    assert VoidedRound.objects.count() == 1


def test_a_reset_begins_a_new_run_and_keeps_the_old_one():
    arena = Arena()
    tournament = arena.open(allow_reset=True, limit_rounds=2)
    arena.take(played("ann", 1, second=1), played("ann", 2, second=2), played("ann", 4, second=3))
    arena.count()
    entry = Entry.objects.get()
    correcting.reset(entry.pk, actor=SYSTEM, at=NOON + timedelta(seconds=10))
    assert board(tournament) == [("ann", Decimal(0))]
    run = Run.objects.get()
    assert (run.number, run.points, run.rounds) == (1, 3, 2)
    arena.take(played("ann", 8, second=9), played("ann", 16, second=11))
    arena.count()
    assert board(tournament) == [("ann", Decimal(16))]


def test_a_reset_needs_the_policy_or_staff():
    arena = Arena()
    tournament = arena.open()
    arena.take(played("ann", 1))
    arena.count()
    with pytest.raises(correcting.ResetNotAllowed):
        correcting.reset(Entry.objects.get().pk, actor=SYSTEM, at=NOON)
    assert board(tournament) == [("ann", Decimal(1))]
    assert not Run.objects.exists()


def test_the_command_finds_what_somebody_has_changed_and_puts_it_right():
    arena = Arena()
    tournament = arena.open()
    arena.take(played("ann", 1))
    arena.count()
    Score.objects.update(total=7)
    with pytest.raises(CommandError):
        call_command("recompute_scores", "--check", stdout=StringIO())
    assert Score.objects.get().total == 7
    assert [drift.check for drift in reconcile.scores_are_what_rounds_come_to(arena.operator.pk)] == ["scores"]
    call_command("recompute_scores", "--tournament", str(tournament.pk), stdout=StringIO())
    assert Score.objects.get().total == 1
    call_command("recompute_scores", "--check", stdout=StringIO())
    assert not list(reconcile.scores_are_what_rounds_come_to(arena.operator.pk))
    Score.objects.all().delete()
    assert [drift.check for drift in reconcile.entries_have_scores(arena.operator.pk)] == ["scores"]
