"""`manage.py up` runs all of Podium, and leaves nothing behind."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from config.addresses import REPOSITORY
from tests.house import eventually, servants

# For a machine that is busy with other things; nothing here takes a tenth of it otherwise.
PATIENCE = 120
# What a machine without set-up has: nothing of ours in the environment.
BARE = {
    name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL", "REDIS_DATABASE"}
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Up:
    """A `manage.py up`, started from some other folder."""

    def __init__(self, data_dir: Path, port: int | None = None) -> None:
        self.data_dir, self.port = data_dir, port or free_port()
        self.log = data_dir.parent / f"up-{self.port}-{id(self)}.log"
        ports = [f"--port={self.port}", f"--live-port={free_port()}"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, REPOSITORY / "manage.py", "up", *ports],
                cwd=data_dir.parent,
                env={**BARE, "DJANGO_SETTINGS_MODULE": "config.settings.local", "PODIUM_DATA_DIR": str(data_dir)},
                stdout=log,
                stderr=log,
            )

    def says(self, words: str) -> bool:
        ended = eventually(lambda: words in self.log.read_text() or self.process.poll() is not None, PATIENCE)
        return ended and words in self.log.read_text()

    def children(self) -> list[psutil.Process]:
        """Everything it has started, the keepers and servers aside."""
        family = psutil.Process(self.process.pid).children(recursive=True)
        return [child for child in family if child.pid not in servants(self.data_dir)]

    def child(self, words: str) -> psutil.Process:
        return next(child for child in self.children() if words in " ".join(child.cmdline()))


def gone(processes: list[psutil.Process]) -> bool:
    return not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes)


@pytest.fixture
def data_dir(tmp_path):
    """A data directory whose processes end with the test, even one that fails."""
    yield tmp_path / "data"
    for process in psutil.process_iter(["cmdline"]):
        if "up" in (process.info["cmdline"] or []) and process.environ().get("PODIUM_DATA_DIR") == str(
            tmp_path / "data"
        ):
            process.kill()


def test_up_stands_alone_replaces_what_dies_and_leaves_nothing_even_when_killed(data_dir):
    up = Up(data_dir)
    assert up.says("Podium answers"), up.log.read_text()

    second = Up(data_dir)
    assert second.process.wait(PATIENCE) == 1
    assert "already up" in second.log.read_text()

    elsewhere = Up(data_dir.with_name("elsewhere"), port=up.port)
    assert elsewhere.process.wait(PATIENCE) == 1
    assert f"Can't listen on 127.0.0.1:{up.port}" in elsewhere.log.read_text()
    assert servants(elsewhere.data_dir) == {}

    web = up.child("config.wsgi")
    workers = web.children()
    web.kill()
    assert up.says("web ended (SIGKILL); it starts again in 1 s")
    # The kill has been sent; on a busy machine the kernel takes its time over a process with threads.
    assert eventually(lambda: gone(workers), PATIENCE)

    family = up.children()
    up.process.kill()
    assert eventually(lambda: gone(family) and servants(data_dir) == {}, PATIENCE)

    after_the_crash = Up(data_dir)
    assert after_the_crash.says("Podium answers"), after_the_crash.log.read_text()
    family = after_the_crash.children()
    after_the_crash.process.send_signal(signal.SIGINT)
    assert after_the_crash.process.wait(PATIENCE) == 0
    assert gone(family)
    assert servants(data_dir) == {}
