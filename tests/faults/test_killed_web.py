"""Web processes that are killed in the middle of load: what a client was told is stored, and stored once."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from apps.core import leash
from apps.rounds.models import PendingRound, Round, RoundKey
from config import addresses
from tests.benchmarks import web
from tests.contracts.casino import UNLIMITED
from tests.factories import OperatorFactory
from tests.rounds.channels.brokers import free_port
from tests.rounds.world import Integration, a_round
from tests.workers import eventually

pytestmark = pytest.mark.django_db(transaction=True)

CLIENTS, BATCHES, SIZE = 4, 12, 20
START_SECONDS = 240.0


class Web:
    """granian as `manage.py up` runs it, on a port that stays."""

    def __init__(self) -> None:
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        words = [
            sys.executable, "-m", "granian", "--log-level", "warning", "--host", "127.0.0.1", "--port", str(self.port),
            "--interface", "wsgi", "--workers", "2", "--blocking-threads", "4", "config.wsgi:application",
        ]  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, "-P", leash.__file__, str(os.getpid()), *words],
            cwd=addresses.REPOSITORY, env=web.environment(), stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def kill(self) -> None:
        """Every process of it, in the middle of whatever it does."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def send_until_answered(server: Web, key: str, body: bytes, stop: threading.Event) -> int:
    """Do what the contract asks of a client: try again until the answer is 200 or 202."""
    while not stop.is_set():
        try:
            line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
            line.request("POST", "/gamerounds/acme/batch", body, {"X-API-Key": key})
            status = line.getresponse().status
            line.close()
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
            continue
        if status < 500:
            return status
        time.sleep(0.05)
    return 0


def test_a_web_that_is_killed_under_load_loses_nothing_and_doubles_nothing():
    acme = Integration(OperatorFactory(preferences=UNLIMITED))
    server, stop = Web(), threading.Event()
    work = [[[a_round() for _ in range(SIZE)] for _ in range(BATCHES)] for _ in range(CLIENTS)]
    answers: list[int] = []

    def client(batches) -> None:
        for batch in batches:
            answers.append(send_until_answered(server, acme.key, json.dumps(batch).encode(), stop))  # noqa: PERF401 - one by one

    clients = [threading.Thread(target=client, args=(batches,), daemon=True) for batches in work]
    server.start()
    try:
        for one in clients:
            one.start()
        for share in (3, 2):  # twice: when a third is done, and when half is
            eventually(lambda share=share: len(answers) >= CLIENTS * BATCHES // share, seconds=START_SECONDS)
            server.kill()
            server.start()
        eventually(lambda: not any(one.is_alive() for one in clients), seconds=START_SECONDS)
    finally:
        stop.set()
        server.kill()
    assert answers == [202] * (CLIENTS * BATCHES)
    sent = {told["roundId"] for batches in work for batch in batches for told in batch}
    assert {*Round.objects.values_list("round_id", flat=True)} == sent
    assert Round.objects.count() == RoundKey.objects.count() == PendingRound.objects.count() == len(sent)
