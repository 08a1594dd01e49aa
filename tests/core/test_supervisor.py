"""The supervisor keeps programs running, and ends them."""

import time

import psutil
import pytest

from apps.core import supervisor
from apps.core.supervisor import NotStartedError, Program, Supervisor, only_one, podium, reached_at
from config.addresses import public_url
from tests.house import eventually

STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def run(tmp_path):
    """Supervise one program made of `source`."""

    def start(source: str) -> tuple[Supervisor, list[str]]:
        (tmp_path / "the_program.py").write_text(source)
        said: list[str] = []
        program = Program("clerk", "the_program", [])
        return Supervisor([program], said.append, {"PYTHONPATH": str(tmp_path)}, logs=tmp_path / "logs"), said

    return start


def test_a_program_that_fails_is_started_again_after_longer_and_longer_pauses(run, monkeypatch):
    monkeypatch.setattr(supervisor, "LONGEST_PAUSE", 2.0)
    clerk, said = run("raise SystemExit(3)")
    with clerk:
        assert eventually(lambda: len(said) == 3)
    assert said == [
        "clerk ended (exit code 3); it starts again in 1 s",
        "clerk ended (exit code 3); it starts again in 2 s",
        "clerk ended (exit code 3); it starts again in 2 s",
    ]


def test_a_program_that_will_not_stop_is_ended_by_force_with_all_it_started(run, tmp_path, monkeypatch):
    monkeypatch.setattr(supervisor, "GRACE_SECONDS", 0.3)
    clerk, said = run(STUBBORN)
    log = tmp_path / "logs" / "clerk.log"
    with clerk:
        assert eventually(lambda: log.exists() and log.read_text().endswith("\n"))
        child = psutil.Process(int(log.read_text()))
        begun = time.monotonic()
    assert time.monotonic() - begun < 5
    assert eventually(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
    assert said == []


def test_every_program_and_later_commands_know_where_clients_reach_us(tmp_path, monkeypatch):
    monkeypatch.delenv("PUBLIC_URL", raising=False)
    kept = tmp_path / "public_url"
    assert public_url(kept) == "http://127.0.0.1:8000"
    assert reached_at(podium("127.0.0.1", 8300, 8301), kept) == {"PUBLIC_URL": "http://127.0.0.1:8300"}
    assert public_url(kept) == "http://127.0.0.1:8300"
    monkeypatch.setenv("PUBLIC_URL", "https://podium.example")
    assert reached_at(podium("127.0.0.1", 8000, 8001), kept) == {}
    assert public_url(kept) == "http://127.0.0.1:8300"


def test_a_data_directory_has_one_supervisor_at_a_time(tmp_path):
    with only_one(tmp_path), pytest.raises(NotStartedError, match="already up"), only_one(tmp_path):
        pass
    with only_one(tmp_path):
        pass
