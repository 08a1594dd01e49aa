"""Intake of rounds over HTTP, stored, deduplicated and queued, beside bare SQL inserting the same rows.

Each way in turn, so that a busy machine is unfair to both alike; what is stored has to add up, times are only printed.
On a machine that does other things too, compare what a call costs the processors: it says what two cores of its own
would do, and is told beside what Nakama 3.40 does on two cores (batch score writes 5,800/s, single ones 4,600/s).
Batches come by 8 connections, single rounds by 64. BENCH_BATCHES (100 rounds each), BENCH_SINGLES and BENCH_TURNS make
it smaller or longer, BENCH_STORED adds rounds to begin with.
"""

import os
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from django.db import connection
from psycopg.conninfo import make_conninfo

from apps.rounds.models import PendingRound, Round, RoundKey
from config import addresses
from tests.benchmarks import cpu, fields, web
from tests.contracts.casino import UNLIMITED
from tests.factories import OperatorFactory
from tests.rounds.world import Integration

pytestmark = pytest.mark.django_db(transaction=True)

BATCHES = int(os.environ.get("BENCH_BATCHES", "1000"))
SINGLES = int(os.environ.get("BENCH_SINGLES", "10000"))
TURNS = int(os.environ.get("BENCH_TURNS", "3"))
STORED = int(os.environ.get("BENCH_STORED", "0"))
SIZE = 100
WARM = 50
NAKAMA_BATCH, NAKAMA_SINGLE = 5800, 4600

STORE = """
    WITH made AS (
        INSERT INTO rounds_round (received_at, occurred_at, operator_id, brand_id, game_id, watched, integration,
                                  round_id, player_ref, round_type, currency, bet, win)
        SELECT now(), now(), %s, %s, %s, true, 'before', gen_random_uuid()::text, 'Player-' || n %% 5000, 'REGULAR',
               'EUR', n %% 50 + 0.25, n %% 7
          FROM generate_series(1, %s) n
        RETURNING received_at)
    INSERT INTO rounds_roundkey (digest, received_at) SELECT gen_random_uuid(), received_at FROM made
"""


def test_intake_of_rounds_beside_bare_sql():
    print(f"\nintake of rounds; {fields.others()}")
    acme = Integration(OperatorFactory(preferences=UNLIMITED))
    at = connection.get_connection_params()
    database = make_conninfo(dbname=connection.settings_dict["NAME"], user=at.get("user"), host=at.get("host"))
    if STORED:
        with fields.timed(f"storing {STORED:,} rounds by bare SQL"), connection.cursor() as cursor:
            for _ in range(-(-STORED // 1_000_000)):
                cursor.execute(STORE, [acme.operator.pk, acme.brand.pk, acme.game.pk, min(STORED, 1_000_000)])
            cursor.execute("ANALYZE rounds_round, rounds_roundkey")
    before = Round.objects.count()
    rates: dict[str, list[float]] = {"bare SQL": [], "batches": [], "single": []}
    costs: dict[str, list[float]] = {"bare SQL": [], "batches": [], "single": []}
    with _bare_table(), web.server() as port:
        common = ["--port", str(port), "--key", acme.key]
        batch = ["http", *common, "--path", "/gamerounds/acme/batch"]
        single = ["http", *common, "--path", "/gamerounds/acme/single", "--single", "--connections", "64"]
        _pump(*batch, calls=WARM, name="warm")
        _pump(*single, calls=WARM, name="warm1")
        ways = {
            "bare SQL": (["sql", "--database", database], BATCHES, SIZE),
            "batches": (batch, BATCHES, SIZE),
            "single": (single, SINGLES, 1),
        }
        for turn in range(TURNS):
            for what, (words, calls, size) in ways.items():
                busy = _spent()
                rates[what].append(calls * size / _pump(*words, calls=calls, name=f"{what[0]}{turn}"))
                # Of bare SQL only the server's part; whoever sends is nobody's cost here.
                costs[what].append((_spent() - busy) / calls)
            print("  " + ", ".join(f"{what} {rate[-1]:,.0f} rounds/s" for what, rate in rates.items()), flush=True)
    taken = WARM * SIZE + WARM + TURNS * (BATCHES * SIZE + SINGLES)
    assert Round.objects.count() == RoundKey.objects.count() == before + taken
    assert PendingRound.objects.count() == taken
    best = {what: max(rate) for what, rate in rates.items()}
    print(f"  batches over HTTP reach {100 * best['batches'] / best['bare SQL']:.0f} % of bare SQL (aim: 30 %, scored)")
    for what, nakama in (("batches", NAKAMA_BATCH), ("single", NAKAMA_SINGLE), ("bare SQL", 0)):
        cost, size = min(costs[what]), ways[what][2]
        print(
            f"  {what}: {1e6 * cost:,.0f} µs of processor a call, {1e6 * cost / size:,.1f} µs a round;"
            f" two cores of its own would do {2 * size / cost:,.0f} rounds/s"
            + (f", {2 * size / cost / nakama:.1f} times Nakama's {nakama:,}" if nakama else "")
        )


def _spent() -> float:
    return cpu.spent(cpu.postmaster()) + cpu.spent(cpu.web())


@contextmanager
def _bare_table():
    with connection.cursor() as cursor:
        cursor.execute("CREATE SEQUENCE bench_number")
        cursor.execute("CREATE TABLE bench_round (LIKE rounds_round INCLUDING INDEXES)")
        try:
            yield
        finally:
            cursor.execute("DROP TABLE bench_round; DROP SEQUENCE bench_number")


def _pump(*words: str, calls: int, name: str) -> float:
    """Return the seconds that the calls took."""
    pump = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.pump", *words, "--calls", str(calls), "--name", name],
        cwd=addresses.REPOSITORY, env=web.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert pump.stdout.readline() == "ready\n"
    time.sleep(0.2)
    seconds, _ = pump.communicate("go\n", timeout=600)
    assert pump.returncode == 0
    return float(seconds)
