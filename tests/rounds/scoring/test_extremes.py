"""The largest and smallest that integrations and operators may tell us is counted, by every method."""

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.core.actors import SYSTEM
from apps.ledger.services import rates
from apps.rounds.models import PendingRound, Score
from apps.rounds.services.scoring import explaining, recounting
from apps.tournaments.models import Entry
from tests.rounds.arena import NOON, Arena, played

pytestmark = pytest.mark.django_db

HUGE, TINY = Decimal("99999999999999999999.999999999999999999"), Decimal("1e-18")
DEAREST = Decimal("999999999999999999.999999999999999999")
MOST = Decimal("999999999999999999.999999999999")
METHODS = [
    {"method": "WAGERED_AMOUNT"},
    {"method": "TOTAL_WIN"},
    {"method": "ROUND_COUNT"},
    {"method": "WIN_BET_RATIO", "tie_break": "LATEST"},
    {"method": "WIN_BET_RATIO", "ratio": "RATIO_OF_SUMS"},
    {"method": "BEST_MULTIPLIER"},
    {"method": "CONSECUTIVE_ROUNDS", "window": 2},
]


def make_dear(arena):
    """AAA is worth as much as can be said, by way of a third currency; ZZZ as little."""
    for base, quote, rate in (("AAA", "XXX", DEAREST), ("XXX", "EUR", DEAREST), ("ZZZ", "YYY", TINY)):
        rates.put_rates(arena.operator.pk, base=base, valid_from=NOON, rates={quote: rate}, actor=SYSTEM, at=NOON)
    rates.put_rates(arena.operator.pk, base="YYY", valid_from=NOON, rates={"EUR": TINY}, actor=SYSTEM, at=NOON)


def test_extreme_rounds_are_counted_and_poison_nothing():
    arena = Arena()
    make_dear(arena)
    opened = [arena.open(factor=factor, **asked) for asked in METHODS for factor in (Decimal(10) ** 6, Decimal("1e-6"))]
    longest = {"playerId": "ŷ" * 128, "roundId": "й" * 200}
    rounds = [
        played("ann", bet, win, second=second, currency=currency)
        for second, (bet, win) in enumerate([(HUGE, HUGE), (TINY, HUGE), (HUGE, TINY), (0, HUGE), (TINY, 0), (0, 0)])
        for currency in ("EUR", "AAA", "ZZZ", "NEVERHEARDOF")
    ]
    odd = [
        {"timestamp": "2000-01-01T00:00:00Z"},
        {"timestamp": "2199-12-31T23:59:59.999999999+14:00"},
        {"timestamp": "2026-03-01T12:00:00"},
        {"timestamp": "2026-03-01T12:59:59.9999999Z"},
    ]
    arena.take(*rounds, played("bob", 1) | longest, *[played("cid", 1) | one for one in odd])
    assert arena.count(at=NOON + timedelta(seconds=1)) == len(rounds) + 5
    assert not PendingRound.objects.exists()
    for tournament in opened:
        assert recounting.recount(tournament.pk, check=True, at=NOON).differences == []
        for entry in Entry.objects.filter(tournament=tournament):
            assert entry.points <= MOST
            told = explaining.explain(tournament, entry, limit=100)
            assert sum(one.counted for one in told) == Score.objects.get(pk=entry.pk).rounds
