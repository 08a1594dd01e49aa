"""Webhooks: deliveries per second of one relay process beside bare urllib3 posting the same bodies, and how long a fact
takes from its commit to its receiver, alone and beside an endpoint that hangs.

Every fact arrives exactly once; times are only printed. BENCH_DELIVERIES, BENCH_RATE and BENCH_SECONDS make it smaller
or longer.
"""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import msgspec
import psutil
import pytest
import urllib3
from django.db import transaction

from apps.core.actors import SYSTEM
from apps.events import formats
from apps.events.models import Attempt, Delivery
from apps.events.services import numbering, recording
from config import addresses
from tests.benchmarks import fields
from tests.events.factories import NOON, write
from tests.events.relays import make, relay_process
from tests.factories import OperatorFactory
from tests.workers import eventually, running_worker

pytestmark = pytest.mark.django_db(transaction=True)

DELIVERIES = int(os.environ.get("BENCH_DELIVERIES", "10000"))
RATE = int(os.environ.get("BENCH_RATE", "200"))
SECONDS = int(os.environ.get("BENCH_SECONDS", "20"))
SUBJECTS = 100
CONNECTIONS = 16
DATA = {"tournamentName": "Friday Sprint", "gameSlug": "crash-classic", "initialPlayerCount": 12, "maxPlayers": 40}
DATA_TEXT = msgspec.Raw(json.dumps(DATA).encode())


@contextmanager
def taking(log: Path) -> Iterator[str]:
    """A fast receiver in a process of its own; its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.taker", log],
        cwd=addresses.REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/hooks"
    finally:
        process.kill()
        process.wait()


@contextmanager
def hanging() -> Iterator[str]:
    """A receiver that takes every call and answers none; its address."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(1024)
        yield f"http://127.0.0.1:{deaf.getsockname()[1]}/hooks"


def arrivals(log: Path) -> dict[str, float]:
    lines = [line.split() for line in log.read_text().splitlines()]
    assert len({line[0] for line in lines}) == len(lines), "something came twice"
    return {line[0]: float(line[1]) for line in lines}


def test_deliveries_per_second_of_one_relay(redis, tmp_path):
    operator = OperatorFactory()
    print(f"\n{DELIVERIES:,} webhooks to one receiver; {fields.others()}")
    with taking(tmp_path / "bare") as url:
        bare_used = time.process_time()
        bare = _bare(url, operator)
        bare_used = time.process_time() - bare_used
    with taking(tmp_path / "relay") as url:
        made = make(operator, url)
        with relay_process() as relay:
            write(operator)  # the process is up once the first has come
            numbering.number_facts(operator.pk)
            eventually(lambda: Delivery.objects.filter(status="DELIVERED").count() == 1, seconds=60)
            for subject in range(SUBJECTS):
                write(operator, subject=f"tournament:{subject}", data=DATA, count=DELIVERIES // SUBJECTS)
            used = _processor_seconds(relay.pid)
            begun = time.time()
            while numbering.number_facts(operator.pk):
                pass
            handed = time.time()
            eventually(lambda: not Delivery.objects.filter(status="PENDING").exists(), seconds=600)
            used = _processor_seconds(relay.pid) - used
        came = sorted(arrivals(tmp_path / "relay").values())[1:]
    assert len(came) == DELIVERIES // SUBJECTS * SUBJECTS
    assert Attempt.objects.filter(delivery__endpoint=made.endpoint, status=204).count() == len(came) + 1
    rate = len(came) / (came[-1] - begun)
    print(f"  numbered and queued in {handed - begun:.2f} s")
    print(f"  one relay process: {rate:,.0f}/s (aim: 500/s); bare urllib3: {bare:,.0f}/s; {100 * rate / bare:.0f} %")
    each, bare_each = (1_000_000 * seconds / len(came) for seconds in (used, bare_used))
    print(f"  processor time of one delivery: {each:,.0f} µs; bare urllib3 with its signature: {bare_each:,.0f} µs")


def _processor_seconds(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def _bare(url: str, operator) -> float:
    """The same bodies and headers, posted by as many threads, with nothing else to do."""
    writing = formats.of("STANDARD")
    facts = [
        formats.Outgoing(f"evt_{n}", "tournament.started", "tournament:1", n, DATA_TEXT, NOON, operator.public_id)
        for n in range(DELIVERIES)
    ]
    secret = make(operator, url, enabled=False).secret
    signing = formats.Signing([secret], "", "", NOON)
    ready = [(body := writing.envelope(fact), writing.headers(fact, body, signing)) for fact in facts]
    pool = urllib3.PoolManager(maxsize=CONNECTIONS, retries=False)
    begun = time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        list(threads.map(lambda one: pool.request("POST", url, body=one[0], headers=one[1]), ready))
    return DELIVERIES / (time.perf_counter() - begun)


@pytest.mark.parametrize("beside", ["alone", "beside one that hangs"])
def test_from_commit_to_receiver(redis, tmp_path, beside):
    operator = OperatorFactory()
    committed: dict[str, float] = {}
    with taking(tmp_path / "log") as url, hanging() as deaf, running_worker(tmp_path), relay_process():
        make(operator, url)
        if beside != "alone":
            make(operator, deaf)
        _tell(operator, 0)
        eventually(lambda: Delivery.objects.filter(status="DELIVERED").exists(), seconds=60)
        begun = time.perf_counter()
        for n in range(RATE * SECONDS):
            if (early := begun + n / RATE - time.perf_counter()) > 0:
                time.sleep(early)
            public_id = _tell(operator, n)
            committed[public_id] = time.time()
        eventually(lambda: Delivery.objects.filter(status="DELIVERED").count() == RATE * SECONDS + 1, seconds=120)
        came = arrivals(tmp_path / "log")
    took = sorted(came[public_id] - when for public_id, when in committed.items())
    assert len(took) == RATE * SECONDS
    p50, p99 = took[len(took) // 2], took[len(took) * 99 // 100]
    print(f"\nfrom commit to receiver at {RATE} facts/s for {SECONDS} s, {beside}; {fields.others()}")
    print(
        f"  p50 {1000 * p50:.0f} ms, p99 {1000 * p99:.0f} ms, worst {1000 * took[-1]:.0f} ms (aim: p99 under 1,000 ms)"
    )


def _tell(operator, n: int) -> str:
    with transaction.atomic():
        return recording.record(
            operator_id=operator.pk, type="tournament.started", subject=f"tournament:{n % 50}", data=DATA,
            actor=SYSTEM, at=NOON,
        )  # fmt: skip
