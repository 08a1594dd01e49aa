"""Tables of prizes: read, refused, and turned into awards (rounds.md 5.6). No database."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.errors import Invalid
from apps.tournaments import prizes
from apps.tournaments.prizes import Award, FreeRounds

SPINS = {"type": "FREEROUND", "count": 40, "gameId": "FOX", "value": Decimal("0.25"), "validHours": 48}


def row(first, last, *given):
    return {"rankFrom": first, "rankTo": last, "prizes": list(given)}


def cash(amount):
    return {"type": "CASH", "amount": amount}


def share(percent):
    return {"type": "POOL_SHARE", "percent": percent}


def test_a_table_is_kept_in_one_spelling_with_exact_amounts():
    other = {"type": "free_rounds", "numberOfRounds": 40, "freeroundGameId": "FOX", "value": Decimal("0.25")}
    given = [
        {"rank_from": 1, "prizes": [{"amount": Decimal("100.50")}, {"percent": 50}]},
        {"rankFrom": 2, "rank_to": 10, "prizes": [other | {"valid_hours": 48}]},
    ]
    assert prizes.read(given, scale=2) == [
        row(1, 1, {"type": "CASH", "amount": "100.50"}, {"type": "POOL_SHARE", "percent": "50"}),
        row(2, 10, SPINS | {"value": "0.25"}),
    ]


def test_what_is_kept_reads_as_itself():
    kept = prizes.read([row(1, 3, cash(Decimal(5)), SPINS), row(2, 2, share(Decimal("12.5")))], scale=2)
    assert prizes.read(kept, scale=2) == kept
    assert (prizes.places(kept), prizes.games(kept)) == (3, ["FOX"])


@pytest.mark.parametrize(
    "given, where",
    [
        ([7], "prizes.0"),
        ([row(0, 1, cash(1))], "prizes.0.rankFrom"),
        ([row(3, 2, cash(1))], "prizes.0.rankTo"),
        ([row(1, 1)], "prizes.0.prizes"),
        ([row(1, 1, cash(0))], "prizes.0.prizes.0.amount"),
        ([row(1, 1, cash(Decimal("0.001")))], "prizes.0.prizes.0.amount"),
        ([row(1, 1, cash("x"))], "prizes.0.prizes.0.amount"),
        ([row(1, 1, cash(True))], "prizes.0.prizes.0.amount"),
        ([row(1, 1, share(101))], "prizes.0.prizes.0.percent"),
        ([row(1, 1, share(0))], "prizes.0.prizes.0.percent"),
        ([row(1, 1, {"type": "CAR"})], "prizes.0.prizes.0.type"),
        ([row(1, 1, {"type": ["CASH"]})], "prizes.0.prizes.0.type"),
        ([row(1, 1, {})], "prizes.0.prizes.0.type"),
        ([row(1, 1, cash(1) | {"percent": 5})], "prizes.0.prizes.0"),
        ([row(1, 1, SPINS | {"count": 0})], "prizes.0.prizes.0.count"),
        ([row(1, 1, SPINS | {"count": Decimal("1.5")})], "prizes.0.prizes.0.count"),
        ([row(1, 1, SPINS | {"gameId": 5})], "prizes.0.prizes.0.gameId"),
        ([row(1, 1, SPINS | {"colour": "red"})], "prizes.0.prizes.0.colour"),
        ([row(1, 1, cash(1) | {"Amount": 2})], "prizes.0.prizes.0.amount"),
        ([row(1, 3, share(34))], "prizes"),
        ([row(1, 100_000, cash(1))] * 3, "prizes"),
    ],
)  # fmt: skip
def test_a_wrong_table_is_refused_with_the_place_that_is_wrong(given, where):
    with pytest.raises(Invalid) as refused:
        prizes.read(given, scale=2)
    assert where in refused.value.details["fields"]


def test_every_rank_gets_all_of_its_rows_and_shares_are_rounded_down():
    table = prizes.read(
        [row(1, 1, share(50), SPINS), row(1, 3, cash(5)), row(2, 3, share(Decimal("16.666666")))], scale=2
    )
    free = FreeRounds(40, "FOX", Decimal("0.25"), 48)
    assert prizes.awards(table, pool=1001, ranked=9, scale=2) == [
        [Award(500), Award(1000, free), Award(500)],
        [Award(500), Award(166)],
        [Award(500), Award(166)],
    ]
    assert prizes.awards(table, pool=1001, ranked=1, scale=2) == [[Award(500), Award(1000, free), Award(500)]]


def test_who_ties_shares_cash_prize_by_prize_and_free_rounds_go_by_place():
    table = prizes.read([row(1, 1, cash(10), share(50)), row(2, 2, cash(5), SPINS)], scale=2)
    given = prizes.awards(table, pool=1001, ranked=3, scale=2, marks=[30, 30, 30])
    assert [[award.units for award in place] for place in given] == [[500, 167], [500, 167, 1000], [500, 166]]
    assert [bool(award.free) for award in given[1]] == [False, False, True]


def rows():
    ranks = st.integers(1, 6).flatmap(lambda first: st.tuples(st.just(first), st.integers(first, 8)))
    each = st.one_of(
        st.integers(1, 500).map(cash),
        st.integers(1, 3).map(share),
        st.builds(lambda n, v: SPINS | {"count": n, "value": v}, st.integers(1, 50), st.integers(1, 3)),
    )
    return st.tuples(ranks, st.lists(each, min_size=1, max_size=3)).map(lambda one: row(*one[0], *one[1]))


@given(st.lists(rows(), max_size=4), st.integers(0, 10**9), st.integers(0, 12), st.one_of(st.none(), st.integers(1, 3)))
def test_parts_never_exceed_the_whole_and_ties_lose_nothing(given, pool, ranked, tie):
    table = prizes.read(given, scale=2)
    plain = prizes.awards(table, pool=pool, ranked=ranked, scale=2)
    shares = [
        pool * Decimal(prize["percent"]) / 100
        for one in table
        for prize in one["prizes"]
        if prize["type"] == "POOL_SHARE"
        for _ in range(one["rankFrom"], min(one["rankTo"], ranked) + 1)
    ]
    fixed = sum(
        int(Decimal(prize.get("amount", prize.get("value"))) * 100) * prize.get("count", 1)
        for one in table
        for prize in one["prizes"]
        if prize["type"] != "POOL_SHARE"
        for _ in range(one["rankFrom"], min(one["rankTo"], ranked) + 1)
    )  # fmt: skip
    whole = sum(award.units for place in plain for award in place)
    assert whole == fixed + sum(int(one) for one in shares)
    assert whole - fixed <= pool
    if tie:
        shared = prizes.awards(table, pool=pool, ranked=ranked, scale=2, marks=[i // tie for i in range(ranked)])
        assert sum(award.units for place in shared for award in place) == whole
