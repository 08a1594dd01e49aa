"""10,000 registrations with a fee into one tournament, beside the same number spread over 100 tournaments.

Nothing that everybody writes to may make them queue. Counts and escrows have to add up; times are only printed, with
what PostgreSQL's sessions waited for. BENCH_PLAYERS, BENCH_PROCESSES and BENCH_ROUNDS make it smaller or longer.
"""

import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import pytest
from django.db import connection

from apps.events.models import Fact
from apps.ledger.models import Balance
from apps.ledger.services import accounts
from apps.tournaments.models import Entry
from apps.tournaments.services import tally
from config import addresses
from tests.benchmarks import fields, web
from tests.factories import OperatorFactory

pytestmark = pytest.mark.django_db(transaction=True)

PLAYERS = int(os.environ.get("BENCH_PLAYERS", "10000"))
PROCESSES = int(os.environ.get("BENCH_PROCESSES", "8"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "2"))
SPREAD = 100
WARM = 5
FEE = 1000  # units


def test_one_hot_tournament_against_a_hundred():
    print(f"\nregistrations, {PLAYERS:,} by {PROCESSES} processes; {fields.others()}")
    rates: dict[str, list[float]] = {"one": [], "many": []}
    for turn in range(ROUNDS):
        for what in ("many", "one") if turn % 2 else ("one", "many"):
            rates[what].append(_run(what, turn))
    for turn, (one, many) in enumerate(zip(rates["one"], rates["many"], strict=True), start=1):
        print(f"  round {turn}: one tournament reaches {100 * one / many:.0f} % of {SPREAD} (aim: 80 %)")
    print(f"  best of each: {100 * max(rates['one']) / max(rates['many']):.0f} %")


def _run(what: str, turn: int) -> float:
    operator = OperatorFactory()
    tournaments = [
        fields.open_tournament(operator, entry_fee=Decimal(FEE) / 100) for _ in range(SPREAD if what == "many" else 1)
    ]
    share = PLAYERS // PROCESSES
    with _registrars(f"{what}{turn}", share, [one.pk for one in tournaments]) as processes, _waits() as waits:
        begun = time.perf_counter()
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        took = [float(word) for process in processes for word in process.stdout.readline().split()]
        seconds = time.perf_counter() - begun
    rate = len(took) / seconds
    print(f"  {what:5} {rate:6.0f} a second, {fields.percentiles(took)}; {waits}", flush=True)
    _adds_up(tournaments, share * PROCESSES + PROCESSES * min(WARM, len(tournaments)))
    return rate


def _adds_up(tournaments, players: int) -> None:
    ids = [one.pk for one in tournaments]
    assert Entry.objects.filter(tournament__in=ids).count() == players
    totals = tally.totals_of(ids).values()
    assert sum(one.players for one in totals) == sum(one.active for one in totals) == players
    assert sum(one.collected for one in totals) == players * FEE
    assert sum(accounts.balance(one.escrow_id) for one in tournaments) == players * FEE
    assert Fact.objects.filter(type="player.registered", operator=tournaments[0].operator).count() == players
    assert not Balance.objects.filter(
        account__operator=tournaments[0].operator, units__lt=0, account__kind="ESCROW"
    ).exists()


@contextmanager
def _registrars(name: str, share: int, tournaments: list[int]) -> Iterator[list["subprocess.Popen[str]"]]:
    processes = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.benchmarks.registrar",
                f"{name}-{number}",
                str(share),
                *map(str, tournaments),
            ],
            cwd=addresses.REPOSITORY,
            env=web.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(PROCESSES)
    ]
    try:
        for process in processes:
            assert process.stdout.readline() == "ready\n"
        yield processes
    finally:
        for process in processes:
            process.stdin.close()
            process.wait(timeout=60)


class _Waits(Counter):
    """What PostgreSQL's sessions were doing, by how often they were seen at it."""

    def __str__(self) -> str:
        seen = self.total() or 1
        return "sessions " + ", ".join(f"{what} {100 * n / seen:.0f} %" for what, n in self.most_common(6))


@contextmanager
def _waits() -> Iterator[_Waits]:
    found, over = _Waits(), threading.Event()

    def look() -> None:
        with connection.cursor() as cursor:
            while not over.wait(0.05):
                cursor.execute(
                    """
                    SELECT CASE WHEN state = 'active' AND wait_event IS NULL THEN 'on CPU'
                                WHEN state = 'active' THEN wait_event_type || ':' || wait_event
                                WHEN state = 'idle in transaction' THEN 'between statements' ELSE 'idle' END
                      FROM pg_stat_activity
                     WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
                    """
                )
                found.update(row[0] for row in cursor.fetchall())
        connection.close()

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()
