"""A board's order is the ranking, whatever the entries are."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from apps.tournaments import board
from apps.tournaments.board import packing
from apps.tournaments.models import Entry, Tournament
from apps.tournaments.querysets import NEVER_ELIMINATED
from apps.tournaments.services import boards
from tests.tournaments import ranks

EVER = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
# Few values that differ little, so that ties of every level come up, and all values there may be.
POINTS = st.one_of(
    st.sampled_from([Decimal(n) for n in ("0", "0.000001", "-0.000001", "100", "100.000001", "-100")]),
    st.decimals(-(10**18) + 1, 10**18 - 1, places=12, allow_nan=False),
)
MOMENTS = st.one_of(
    st.sampled_from([ranks.NOON, ranks.NOON + timedelta(microseconds=1), ranks.NOON - timedelta(microseconds=1)]), EVER
)
STANDINGS = st.fixed_dictionaries(
    {
        "points": POINTS,
        "elimination_round": st.one_of(st.none(), st.integers(0, 2), st.integers(0, NEVER_ELIMINATED)),
        "tie_break": st.one_of(st.integers(-1, 1), st.integers(-(2**63), 2**63 - 1)),
        "scored_at": MOMENTS,
        "entry_count": st.one_of(st.integers(1, 2), st.integers(0, 32767)),
        "registered_at": MOMENTS,
        "status": st.sampled_from(["IN", "IN", "OUT", "WITHDRAWN"]),
    }
)


def packed(standing, *, player=1, entry=1, version=0):
    return packing.pack_entry(
        SimpleNamespace(**standing, player_id=player, id=entry, score_version=version, changed_at=ranks.NOON)
    )[2][9:]


def ranking(standing, player):
    """The ranking of operators.md 4.6 in Python's words."""
    out = NEVER_ELIMINATED if standing["elimination_round"] is None else standing["elimination_round"]
    return (
        -standing["points"], -out, standing["tie_break"], standing["scored_at"], standing["entry_count"],
        standing["registered_at"], player,
    )  # fmt: skip


@given(st.lists(STANDINGS, min_size=2, max_size=2))
def test_members_compare_as_the_ranking_does(pair):
    first, second = pair
    by_bytes = packed(first, player=1) < packed(second, player=2)
    assert by_bytes == (ranking(first, 1) < ranking(second, 2))


@given(STANDINGS, st.integers(1, 2**63 - 1), st.integers(0, 2**53 - 1))
def test_a_member_says_everything_that_was_ranked(standing, entry_id, version):
    place = board.Place(1, packed(standing, entry=entry_id, version=version), out=standing["status"] == "OUT")
    read = Entry()
    place.apply_to(read)
    assert (place.entry_id, place.version, read.score_version) == (entry_id, version, version)
    assert (read.points, read.tie_break, read.scored_at, read.entry_count, read.registered_at) == (
        standing["points"], standing["tie_break"], standing["scored_at"], standing["entry_count"],
        standing["registered_at"],
    )  # fmt: skip
    assert read.elimination_round == (
        None if standing["elimination_round"] == NEVER_ELIMINATED else standing["elimination_round"]
    )


@pytest.fixture
def tournament(redis, db):
    """One for all examples: making players is slow, and they are not what is looked at."""
    return ranks.field(12)


@pytest.mark.django_db
@settings(
    max_examples=30,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # shrinking takes minutes, and the failing example says enough
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    standings=st.lists(STANDINGS, max_size=12),
    offset=st.integers(0, 13),
    limit=st.integers(1, 13),
    include_out=st.booleans(),
    each_side=st.integers(0, 4),
    way=st.sampled_from(["EARLIEST", "SHARE_RANK"]),
)
def test_pages_and_ranks_are_those_of_postgresql(tournament, standings, offset, limit, include_out, each_side, way):
    board.drop(tournament.pk)
    Tournament.objects.update(scoring={"tieBreak": way})
    tournament.scoring = {"tieBreak": way}
    Entry.objects.all().delete()
    Entry.objects.bulk_create(
        ranks.unsaved(tournament, player, **standing)
        for player, standing in zip(tournament.operator.players.order_by("pk"), standings, strict=False)
    )
    entries = list(Entry.objects.filter(tournament=tournament))
    everybody = ranks.truth(tournament)
    wanted = ranks.truth(tournament, include_out=include_out)

    assert board.rebuild(tournament.pk)
    assert ranks.on_board(tournament) == everybody
    assert ranks.on_board(tournament, everybody=False) == ranks.truth(tournament, include_out=False)
    for with_board in (True, False):
        page = boards.leaderboard(tournament, offset=offset, limit=limit, include_out=include_out)
        assert ranks.shown(page) == wanted[offset : offset + limit]
        assert boards.positions(entries) == {pk: rank for rank, pk in everybody}
        for place, (rank, pk) in enumerate(everybody):
            entry = next(entry for entry in entries if entry.pk == pk)
            assert boards.position_of(entry) == boards.position_by_rows(entry) == rank
            near = boards.around(tournament, entry, each_side=each_side)
            assert ranks.shown(near) == everybody[max(0, place - each_side) : place + each_side + 1]
            assert near.offset == max(0, place - each_side)
        if with_board:
            assert page.total == len(wanted)
            board.drop(tournament.pk)
            assert isinstance(ranks.on_board(tournament), board.Silent)
