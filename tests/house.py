"""Processes for the tests of the house: users of a data directory, and what runs on its behalf."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import environ
import psutil
import psycopg
from redis import Redis

from config import addresses

USER = """
import sys
from pathlib import Path
from django.conf import settings
settings.configure(DATA_DIR=Path(sys.argv[1]), EMBEDDED_SERVICES=["postgres", "redis"], EMBEDDED_DURABLE=False)
from config import embedded
embedded.start()
print("ready", flush=True)
sys.stdin.read()
"""


class User:
    """A process that uses the embedded services of a data directory until told to leave."""

    def __init__(self, data_dir: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER, data_dir],
            cwd=addresses.REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ready(self) -> Self:
        assert self.process.stdout
        assert self.process.stdout.readline() == "ready\n"
        return self

    def leave(self) -> None:
        self.process.communicate(timeout=120)
        assert self.process.returncode == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


def sql(data_dir: Path, query: str) -> list[tuple]:
    config = environ.Env.db_url_config(addresses.postgres_url(data_dir))
    with psycopg.connect(host=config["HOST"], dbname=config["NAME"], user=config["USER"]) as connection:
        cursor = connection.execute(query)
        return cursor.fetchall() if cursor.description else []


def redis_answers(data_dir: Path) -> bool:
    with Redis.from_url(addresses.redis_url(data_dir)) as client:
        return client.ping()


def servants(data_dir: Path) -> dict[int, str]:
    """Keepers and servers of a data directory that are alive: {pid: command line}."""
    places = {str(data_dir), *(str(addresses.socket_dir(data_dir / name)) for name in ("postgres", "redis"))}
    found = {}
    for process in psutil.process_iter(["cmdline", "status"]):
        line = " ".join(process.info["cmdline"] or [])
        kind = next((kind for kind in ("keeper.py", "bin/postgres", "redis-server") if kind in line), None)
        if kind and process.info["status"] != psutil.STATUS_ZOMBIE and any(place in line for place in places):
            found[process.pid] = kind
    return found


def eventually(what: Callable[[], bool], seconds: float = 60) -> bool:
    until = time.monotonic() + seconds
    while not what():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True
