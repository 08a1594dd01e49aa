"""A tournament that opens at another moment than planned: rounds that are in already are looked at again."""

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.core.actors import SYSTEM
from apps.ledger.services import rates
from apps.rounds.models import Recount, UnratedRound, Watch
from apps.rounds.services import catalogue
from apps.rounds.services.scoring import recounting, scorer
from apps.tournaments.api.casino.scoring import policy
from apps.tournaments.models import Entry, StartMode, Tournament
from apps.tournaments.services import creation, running
from tests.factories import GAME
from tests.racing import race
from tests.rounds.arena import NOON, Arena, board, played
from tests.rounds.world import ROUND_GAME

pytestmark = pytest.mark.django_db

D = Decimal
HOUR = timedelta(hours=1)


def after(seconds):
    return NOON + timedelta(seconds=seconds)


def planned(arena, *, starts_at=NOON + HOUR, start_mode=StartMode.AT_TIME, **scoring):
    """A tournament that was published a minute before noon and is to start at one o'clock."""
    wanted = {"source": "rounds", "method": "WAGERED_AMOUNT", "games": [ROUND_GAME]} | scoring
    new = creation.NewTournament(
        name="Sprint", game_slug=GAME, currency="EUR", starts_at=starts_at, ends_at=NOON + 3 * HOUR,
        start_mode=start_mode, scoring=policy(wanted, game=GAME),
    )  # fmt: skip
    made = creation.create_tournament(new, operator=arena.operator, actor=SYSTEM, at=NOON - timedelta(minutes=1))
    return Tournament.objects.get(pk=made.pk)


def start(tournament, second):
    running.start(tournament.pk, actor=SYSTEM, at=after(second))


def move(tournament, starts_at, *, second=30):
    changes = creation.TournamentChanges(starts_at=starts_at)
    creation.update_tournament(tournament.pk, changes, actor=SYSTEM, at=after(second))


def exact(tournament):
    return recounting.recount(tournament.pk, check=True, at=NOON + HOUR).differences == []


@pytest.mark.parametrize("starts_at", [NOON + HOUR, None], ids=["planned for later", "planned for no time"])
def test_rounds_told_before_an_early_start_count_if_they_were_played_after_it(starts_at):
    arena = Arena()
    mode = StartMode.AT_TIME if starts_at else StartMode.AT_COUNT
    tournament = planned(arena, starts_at=starts_at, start_mode=mode)
    arena.join(tournament, "bob", at=after(1))
    arena.take(
        *[played("ann", 1, second=9), played("ann", 2, second=10)],
        *[played("bob", 4, second=8), played("bob", 8, second=11)],
        at=after(6),
    )
    arena.count(at=after(7))
    start(tournament, 10)
    arena.count(at=after(12))
    assert board(tournament) == [("bob", D(8)), ("ann", D(2))]
    assert exact(tournament)


def test_who_plays_after_an_early_start_is_in_by_the_very_first_round():
    arena = Arena()
    tournament = planned(arena)
    start(tournament, 10)
    arena.take(played("ann", 1, second=9), played("ann", 2, second=12), at=after(13))
    arena.count(at=after(14))
    assert board(tournament) == [("ann", D(2))]
    assert exact(tournament)


def test_only_rounds_that_fit_make_a_player_of_somebody_at_an_early_start():
    arena = Arena()
    tournament = planned(arena, min_bet=5, round_types=["REGULAR"])
    rates.put_rates(arena.operator.pk, base="EUR", valid_from=NOON, rates={"SEK": D(10)}, actor=SYSTEM, at=NOON)
    arena.take(
        played("small", 4, second=20),
        played("crown", 40, second=20, currency="SEK"),
        played("other", 9, second=20, roundType="BONUS_BUY"),
        played("early", 9, second=9),
        played("ann", 50, second=20, currency="SEK"),
        played("fog", 9, second=20, currency="XXX"),
        at=after(6),
    )
    arena.count(at=after(7))
    start(tournament, 10)
    arena.count(at=after(12))
    assert board(tournament) == [("ann", D(5))]
    assert UnratedRound.objects.get().player_ref == "fog"
    rates.put_rates(arena.operator.pk, base="EUR", valid_from=NOON, rates={"XXX": D(1)}, actor=SYSTEM, at=NOON)
    arena.count(at=after(13))
    assert board(tournament) == [("fog", D(9)), ("ann", D(5))]


def test_nobody_joins_by_playing_where_players_have_to_say_so():
    arena = Arena()
    tournament = planned(arena, opt_in="MANUAL")
    arena.join(tournament, "bob", at=after(1))
    arena.take(played("ann", 2, second=20), played("bob", 4, second=20), at=after(6))
    arena.count(at=after(7))
    start(tournament, 10)
    arena.count(at=after(12))
    assert board(tournament) == [("bob", D(4))]


def test_only_those_whom_it_touches_are_counted_anew():
    arena = Arena()
    tournament = planned(arena)
    entries = {name: arena.join(tournament, name, at=after(1)) for name in ("ann", "bob", "cid")}
    arena.take(played("ann", 2, second=20), played("bob", 4, second=5), at=after(6))
    arena.count(at=after(7))
    start(tournament, 10)
    assert [one.entry_id for one in Recount.objects.all()] == [entries["ann"].pk]


def test_a_start_as_planned_asks_for_nothing():
    arena = Arena()
    tournament = planned(arena, starts_at=after(10))
    entry = arena.join(tournament, "ann", at=after(1))
    arena.take(played("ann", 2, second=11), played("bob", 1, second=11), at=after(6))
    arena.count(at=after(7))
    running.keep_time(tournament.pk, at=after(12))
    assert not Recount.objects.filter(entry=entry).exists()
    assert dict(board(tournament)) == {"ann": D(2), "bob": D(1)}


def test_a_start_that_is_moved_ahead_lets_rounds_in_that_were_played_since():
    arena = Arena()
    tournament = planned(arena)
    arena.join(tournament, "bob", at=after(15))
    arena.take(played("ann", 1, second=4), played("ann", 2, second=6), played("bob", 4, second=6), at=after(20))
    arena.count(at=after(21))
    assert board(tournament) == [("bob", D(0))]
    move(tournament, after(5))
    running.keep_time(tournament.pk, at=after(31))
    arena.count(at=after(32))
    assert board(tournament) == [("bob", D(4)), ("ann", D(2))]
    assert exact(tournament)


def test_a_start_that_is_put_off_takes_rounds_out_that_were_played_before():
    arena = Arena()
    tournament = planned(arena, starts_at=after(40))
    arena.take(played("ann", 1, second=45), played("ann", 2, second=61), at=after(20))
    arena.count(at=after(21))
    assert board(tournament) == [("ann", D(3))]
    move(tournament, after(60))
    arena.count(at=after(32))
    assert board(tournament) == [("ann", D(2))]
    assert exact(tournament)


def test_a_game_counts_as_active_from_an_early_start_on():
    arena = Arena()
    tournament = planned(arena, starts_at=NOON + 2 * HOUR)
    Watch.objects.update(opens_at=NOON + timedelta(days=9))
    assert catalogue.active_games(operator_id=arena.operator.pk, at=NOON) == []
    start(tournament, 10)
    assert Watch.objects.get().opens_at == after(10)
    assert len(catalogue.active_games(operator_id=arena.operator.pk, at=after(11))) == 1
    assert not Entry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_no_round_is_lost_that_is_being_counted_while_a_start_takes_effect():
    arena = Arena()
    tournament = planned(arena)
    arena.join(tournament, "bob", at=after(1))
    for player in ("ann", "bob", "cid", "dan"):
        arena.take(
            played(player, 1, second=9), played(player, 2, second=10), played(player, 4, second=11), at=after(11)
        )

    def count():
        for _ in range(12):
            scorer.count_on(arena.operator.pk, at=after(12), limit=1)

    race(count, count, lambda: start(tournament, 10))
    arena.count(at=after(13))
    assert sorted(board(tournament)) == [(name, D(6)) for name in ("ann", "bob", "cid", "dan")]
    assert exact(tournament)
