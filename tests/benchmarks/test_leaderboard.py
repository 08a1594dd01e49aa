"""The top 50 of 1,000,000 players over HTTP at 500 requests a second, beside the same range of bare Redis.

Answers have to be right, before and after a million score changes have begun; times are only printed. The environment
makes it smaller for a first look: BENCH_PLAYERS, BENCH_SECONDS, BENCH_RATE.
"""

import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from apps.core import redis as core_redis
from apps.tournaments import board
from apps.tournaments.board import store
from apps.tournaments.models import Entry
from apps.tournaments.services import boards
from config import addresses
from tests.benchmarks import fields, web
from tests.factories import operator_key

pytestmark = pytest.mark.django_db(transaction=True)

PLAYERS = int(os.environ.get("BENCH_PLAYERS", "1000000"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "20"))
RATE = float(os.environ.get("BENCH_RATE", "500"))
TOP = 50
UNLIMITED = dict.fromkeys(("standard", "results", "ceiling", "burstPerTenSeconds"), 10_000_000)


def test_the_top_50_of_a_million(redis):
    print(f"\nleaderboard, {PLAYERS:,} players; {fields.others()}")
    tournament = fields.open_tournament()
    tournament.operator.preferences = {"rateLimits": UNLIMITED}
    tournament.operator.save()
    with fields.timed("filling PostgreSQL by bare SQL"):
        fields.fill(tournament, PLAYERS, out_every=3)
    tournament = fields.start(tournament)
    before = redis.info("memory")["used_memory"]
    with fields.timed(f"rebuild of the board ({PLAYERS:,} entries)"):
        assert board.rebuild(tournament.pk)
    print(f"  Redis holds {(redis.info('memory')['used_memory'] - before) / PLAYERS:.0f} bytes an entry")
    with swept():
        _reads_through_services(tournament)
    key = operator_key(tournament.operator)
    path = f"/api/tournaments/{tournament.pk}/leaderboard?limit={TOP}"
    with swept(), web.server() as port:
        _warm(port, path, key)
        print(f"  {RATE:.0f} requests a second for {SECONDS:.0f} s each, open loop, {fields.others()}")
        _compare("as it stands", tournament, port, path, key)
        with changing(tournament):
            _compare("while scores change", tournament, port, path, key)
        time.sleep(3)  # a sweep
        _is_right(tournament, port, path, key)
    board.drop(tournament.pk)  # without making Redis stand still, as a flush would


def _compare(what, tournament, port, path, key):
    socket, database = web.redis_socket()
    bare = web.load(
        rate=RATE, seconds=SECONDS / 2, socket=socket, greeting=web.command("SELECT", database).hex(),
        request=web.command("ZRANGE", store.keys(tournament.pk)[1], 0, TOP - 1),
    )  # fmt: skip
    ours = web.load(rate=RATE, seconds=SECONDS, http=True, port=port, request=web.get(path, key))
    assert ours["failed"] == bare["failed"] == 0, ours["bad"] or bare["bad"]
    assert len(ours["took"]) == int(RATE * SECONDS)
    print(f"  {what}:")
    print(f"    bare ZRANGE  {fields.percentiles(bare['took'])}")
    print(f"    over HTTP    {fields.percentiles(ours['took'])}, {ours['bytes']:,} bytes", flush=True)


def _reads_through_services(tournament):
    server = core_redis.client()

    def timed(work) -> str:
        took = []
        for _ in range(500):
            begun = time.perf_counter()
            work()
            took.append(time.perf_counter() - begun)
        return fields.percentiles(took)

    print(f"  ZRANGE by redis-py:      {timed(lambda: server.zrange(store.keys(tournament.pk)[1], 0, TOP - 1))}")
    for name, offset, include_out in (("top", 0, False), ("top, everybody", 0, True), ("deep", PLAYERS // 2, True)):
        page = boards.leaderboard(tournament, offset=offset, limit=TOP, include_out=include_out)
        assert isinstance(board.page(tournament.pk, offset=offset, limit=TOP, everybody=include_out), board.Page)
        slow = boards._page_from_rows(tournament, offset=offset, limit=TOP, include_out=include_out)
        assert page == slow
        took = timed(lambda: boards.leaderboard(tournament, offset=offset, limit=TOP, include_out=include_out))  # noqa: B023 - used at once
        print(f"  services, {name + ':':15}{took}")
    entry = Entry.objects.filter(tournament=tournament, status="IN").order_by("pk")[PLAYERS // 3]
    with fields.timed("one position by counting rows"):
        counted = boards.position_by_rows(entry)
    assert boards.position_of(entry) == counted
    print(f"  services, a position:    {timed(lambda: boards.position_of(entry))}")


def _answer(port, path, key):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {key}"})
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own server
        return json.load(answer)


def _warm(port, path, key):
    """Every thread of every worker has answered, and rightly."""
    web.load(rate=200, seconds=2, http=True, port=port, request=web.get(path, key))
    _answer(port, path, key)


def _is_right(tournament, port, path, key):
    page = boards._page_from_rows(tournament, offset=0, limit=TOP, include_out=False)
    rows = _answer(port, path, key)["leaderboard"]
    assert [(row["position"], row["playerId"]) for row in rows] == [(place, str(e.player_id)) for place, e in page.rows]
    assert isinstance(board.page(tournament.pk, offset=0, limit=1, everybody=True), board.Page)


@contextmanager
def swept() -> Iterator[None]:
    """Stand in for beat and worker: sweep every two seconds."""
    over = threading.Event()

    def sweep() -> None:
        while not over.wait(2):
            board.sweep()
        connection.close()

    thread = threading.Thread(target=sweep)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def changing(tournament) -> Iterator[None]:
    """Have another process report scores, through the intake that game servers use."""
    script = [sys.executable, "-m", "tests.benchmarks.scores", str(tournament.pk)]
    process = subprocess.Popen(
        script, cwd=addresses.REPOSITORY, env=web.environment(), stdout=subprocess.PIPE, text=True
    )
    try:
        process.stdout.readline()
        yield
    finally:
        process.terminate()
        print(f"    (meanwhile {process.communicate(timeout=30)[0].strip()})")
