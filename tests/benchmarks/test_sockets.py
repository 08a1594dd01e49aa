"""A score changes: how long until a thousand sockets on one board have it, beside a bare broadcast of the same body.

Every socket has to receive the last board, and none may be closed; times are only printed. The environment changes the
size: BENCH_SOCKETS, BENCH_CHANGES. The clients are one process in Python, which takes its own share of these times.
"""

import json
import os
import resource
import subprocess
import sys
import time
from contextlib import contextmanager
from decimal import Decimal

import pytest
from django.db import transaction

from apps.core import clock
from apps.events.services import numbering
from apps.events.services.recording import NewFact, record_many
from apps.tournaments import board
from apps.tournaments.services import entries, running
from config import addresses
from tests.benchmarks import fields
from tests.factories import api, operator_key
from tests.live import running_live
from tests.tournaments import world
from tests.tournaments.world import STAFF, START

pytestmark = pytest.mark.django_db(transaction=True)

SOCKETS = int(os.environ.get("BENCH_SOCKETS", "1000"))
CHANGES = int(os.environ.get("BENCH_CHANGES", "20"))
PLAYERS = 50
UNLIMITED = dict.fromkeys(("results", "ceiling", "burstPerTenSeconds"), 10_000_000)
PATIENCE = 60


@pytest.fixture(autouse=True)
def many_files():
    """A socket is a file at either end."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4 * SOCKETS + 4096), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_score_reaches_every_socket(redis, tmp_path):
    print(f"\nsockets: {SOCKETS:,} on one board, {CHANGES} changes; {fields.others()}")
    tournament = world.make(max_players=None)
    tournament.operator.preferences = {"rateLimits": UNLIMITED}
    tournament.operator.save()
    [leader, *_] = world.enter(tournament, *(f"player-{n}" for n in range(PLAYERS)))
    running.start(tournament.pk, actor=STAFF, at=START)
    numbering.number_new_facts()
    assert board.rebuild(tournament.pk)
    key = operator_key(tournament.operator)

    def change(points: int) -> None:
        entries.adjust_score(leader.pk, points=Decimal(points), reason="bench", actor=STAFF, at=clock.now())

    with running_live(tmp_path) as live:
        url = f"ws://127.0.0.1:{live.port}/ws/tournaments/{tournament.pk}?channels=leaderboard,status,players"
        change(1)
        with audience(url, f"Authorization=Bearer {key}") as seats:
            _report("podium, one change", _changed(seats, change, since=1))
            live.must_live()
        _told(tournament, url, key)
    _bare(api(tournament.operator).get(f"/api/tournaments/{tournament.pk}/leaderboard").json())


def _changed(seats, change, since):
    """Change the board again and again; give how long after the commit each socket had it."""
    moments = {}
    for points in range(since + 1, since + 1 + CHANGES):
        change(points)
        moments[str(points)] = time.monotonic()
        time.sleep(1.5)  # not a multiple of the hub's own half second
    seen = seats()
    assert all(len(seen[points]) == SOCKETS for points in moments), {k: len(v) for k, v in seen.items()}
    return [at - moments[points] for points in moments for at in seen[points]]


def _told(tournament, url, key):
    """A few facts at once reach everybody, too."""
    numbering.number_new_facts()  # those of the changes before
    with audience(url, f"Authorization=Bearer {key}") as seats:
        begun = time.monotonic()
        with transaction.atomic():
            facts = [NewFact("player.joined", tournament.subject, {"playerId": str(n)}) for n in range(20)]
            record_many(facts, operator_id=tournament.operator_id, actor=STAFF, at=clock.now())
        numbering.number_new_facts()
        time.sleep(3 + SOCKETS / 500)
        arrived = seats()["facts"]
        assert len(arrived) == 20 * SOCKETS
        _report("podium, 20 facts at once", [at - begun for at in arrived])


def _bare(body):
    """The reference: no database, no board, no rules; it sends a text."""
    body = {"type": "leaderboard.updated", **body}

    def written(points: int) -> str:
        body["leaderboard"][0]["points"] = points
        return json.dumps(body, separators=(",", ":")) + "\n"

    server = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.broadcaster"], cwd=addresses.REPOSITORY,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:

        def change(points: int) -> None:
            server.stdin.write(written(points))
            server.stdin.flush()

        change(1)
        with audience(f"ws://127.0.0.1:{int(server.stdout.readline())}/") as seats:
            _report("bare broadcast of websockets", _changed(seats, change, since=1))
        print(f"  {len(written(1)):,} bytes a board")
    finally:
        server.kill()
        server.communicate()


@contextmanager
def audience(url, *headers):
    """Have clients for the block; gives a call that sends them home and returns what they have seen."""
    begun = time.monotonic()
    clients = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.audience", url, str(SOCKETS), *headers], cwd=addresses.REPOSITORY,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert clients.stdout.readline() == "ready\n"
        print(f"  {SOCKETS:,} sockets open after {time.monotonic() - begun:.1f} s")
        time.sleep(1)
        yield lambda: json.loads(clients.communicate(timeout=PATIENCE)[0])
    finally:
        clients.kill()
        clients.communicate()


def _report(what, took):
    print(f"  {what:30} {fields.percentiles(took)}", flush=True)
