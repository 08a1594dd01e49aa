"""From a batch over HTTP to a rank on the board, beside bare SQL inserting the same rows.

The clock runs until the last round is counted and the board in Redis knows it. Each way in turn, so that a busy machine
is unfair to both alike; points have to add up, times are only printed. BENCH_BATCHES (100 rounds each), BENCH_TURNS and
BENCH_TOURNAMENTS (on the one game, to count every round) make it smaller or longer; BENCH_RATE is the rounds a second
under which freshness is measured.
"""

import json
import os
import threading
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import Sum
from psycopg.conninfo import make_conninfo

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.rounds.models import PendingRound, Round
from apps.tournaments import board
from apps.tournaments.api.casino.scoring import policy
from apps.tournaments.models import Entry, Tournament
from apps.tournaments.services import creation
from tests.benchmarks import fields, web
from tests.benchmarks.test_rounds import SIZE, WARM, _bare_table, _pump
from tests.contracts.casino import UNLIMITED
from tests.factories import GAME, OperatorFactory
from tests.rounds.world import ROUND_GAME, Integration, a_round
from tests.workers import eventually, running_worker

pytestmark = pytest.mark.django_db(transaction=True)

BATCHES = int(os.environ.get("BENCH_BATCHES", "1000"))
TURNS = int(os.environ.get("BENCH_TURNS", "3"))
TOURNAMENTS = int(os.environ.get("BENCH_TOURNAMENTS", "1"))
RATE = int(os.environ.get("BENCH_RATE", "10000"))
PLAYERS = 5000
SECONDS = int(os.environ.get("BENCH_SECONDS", "10"))
# What tests.benchmarks.pump bets: n % 50 + 0.25 for n in 0..99.
A_BATCH = sum(Decimal(n % 50) + Decimal("0.25") for n in range(SIZE))


def test_batches_until_they_are_ranked_beside_bare_sql(redis, tmp_path):
    print(f"\nrounds until they are ranked in {TOURNAMENTS} tournaments; {fields.others()}")
    acme, tournaments = scene()
    at = connection.get_connection_params()
    database = make_conninfo(dbname=connection.settings_dict["NAME"], user=at.get("user"), host=at.get("host"))
    rates: dict[str, list[float]] = {"bare SQL": [], "ranked": []}
    with _bare_table(), running_worker(tmp_path) as worker, web.server() as port:
        batch = ["http", "--port", str(port), "--key", acme.key, "--path", "/gamerounds/acme/batch"]

        def ranked():
            worker.ring("rounds.score")
            return not PendingRound.objects.exists()

        _pump(*batch, calls=WARM, name="warm")
        worker.eventually(ranked, seconds=60)
        for one in tournaments:
            board.rebuild(one.pk)
        for turn in range(TURNS):
            rates["bare SQL"].append(
                BATCHES * SIZE / _pump("sql", "--database", database, calls=BATCHES, name=f"s{turn}")
            )
            taken = _pump(*batch, calls=BATCHES, name=f"b{turn}")
            begun = time.perf_counter()
            worker.eventually(ranked, seconds=120)
            behind = time.perf_counter() - begun
            rates["ranked"].append(BATCHES * SIZE / (taken + behind))
            told_rates = ", ".join(f"{what} {rate[-1]:,.0f} rounds/s" for what, rate in rates.items())
            print(f"  {told_rates} (taken in in {taken:.1f} s, ranked {behind:.1f} s later)", flush=True)
    expected = A_BATCH * (WARM + TURNS * BATCHES)
    board.sweep()
    for one in tournaments:
        assert Entry.objects.filter(tournament=one).aggregate(Sum("points"))["points__sum"] == expected
        best = Entry.objects.filter(tournament=one).ranked().first()
        page = board.page(one.pk, offset=0, limit=1, everybody=True)
        assert page.places[0].entry_id == best.pk
        assert page.places[0].shows(best)
    assert Round.objects.count() == (WARM + TURNS * BATCHES) * SIZE
    best_rates = {what: max(rate) for what, rate in rates.items()}
    share = 100 * best_rates["ranked"] / best_rates["bare SQL"]
    print(f"  {share:.0f} % of bare SQL (aim: 30 %), {best_rates['ranked'] / 5800:.1f} × 5,800/s (aim: 5 ×)")


def test_how_fresh_a_board_is(redis, tmp_path):
    """One player's round a tick among RATE rounds a second: from sending it until the board has it."""
    acme, (tournament,) = scene(1)
    waits: list[float] = []
    with running_worker(tmp_path) as worker, web.server() as port:
        post(port, acme, [told("marker", 1)])
        for batch in range(PLAYERS // SIZE):
            post(port, acme, [told(f"Player-{batch * SIZE + n}", 1) for n in range(SIZE)])
        worker.eventually(lambda: worker.ring("rounds.score") or Entry.objects.count() > PLAYERS, seconds=120)
        board.rebuild(tournament.pk)
        marker = Entry.objects.get(player__external_id="marker")
        stop = threading.Event()
        load = threading.Thread(target=flood, args=(port, acme, stop))
        load.start()
        points = marker.points
        until = time.monotonic() + SECONDS
        while time.monotonic() < until and load.is_alive():
            points += 10
            sent = time.perf_counter()
            post(port, acme, [told("marker", 10)])
            eventually(lambda points=points: seen(tournament, marker) >= points, seconds=60)
            waits.append(time.perf_counter() - sent)
        stop.set()
        load.join()
    waits.sort()
    p99 = waits[min(len(waits) - 1, int(len(waits) * 0.99))]
    print(
        f"\nfresh boards under {RATE:,} rounds/s: {len(waits)} looks, median {waits[len(waits) // 2]:.2f} s,"
        f" p99 {p99:.2f} s (aim: 1 s); {fields.others()}"
    )


def scene(count: int = TOURNAMENTS) -> tuple[Integration, list[Tournament]]:
    """An integration, and tournaments that take every bet of it."""
    acme = Integration(OperatorFactory(preferences=UNLIMITED), watched=False)
    now = clock.now()
    made = []
    for _ in range(count):
        new = creation.NewTournament(
            name="Sprint", game_slug=GAME, currency="EUR", starts_at=datetime(2026, 3, 1, tzinfo=UTC),
            ends_at=now + timedelta(days=1),
            scoring=policy({"source": "rounds", "method": "WAGERED_AMOUNT", "games": [ROUND_GAME]}, game=GAME),
        )  # fmt: skip
        made.append(creation.create_tournament(new, operator=acme.operator, actor=SYSTEM, at=now))
    return acme, made


def told(player: str, bet: float) -> dict:
    return a_round(timestamp=clock.now().isoformat(), roundId=os.urandom(8).hex(), playerId=player, betAmount=bet)


def post(port: int, acme: Integration, rounds: list[dict]) -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/gamerounds/acme/batch",
        json.dumps(rounds).encode(),
        {"X-API-Key": acme.key, "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own server
        assert answer.status == 202


def flood(port: int, acme: Integration, stop: threading.Event) -> None:
    """Send RATE rounds a second, as well as one thread can."""
    due = time.monotonic()
    number = 0
    while not stop.is_set():
        post(port, acme, [told(f"Player-{(number * SIZE + n) % PLAYERS}", 1) for n in range(SIZE)])
        number += 1
        due += SIZE / RATE
        time.sleep(max(0.0, due - time.monotonic()))


def seen(tournament: Tournament, entry: Entry) -> Decimal:
    """How many points the board in Redis shows for an entry."""
    page = board.around(tournament.pk, entry.pk, 0, each_side=0)
    if isinstance(page, board.Silent) or not page.places:
        board.sweep()  # there is no beat here
        return Decimal(0)
    copy = Entry()
    page.places[0].apply_to(copy)
    return copy.points
