"""For pytest: a data directory of its own; databases of its own for every run and every xdist worker."""

import fcntl
import os
from pathlib import Path
from typing import IO

from config.addresses import REPOSITORY

_data_dir = Path(os.environ.get("PODIUM_TEST_DATA_DIR", REPOSITORY / ".data" / "test"))
_workers = 9  # per run; 7 runs of 9 find room in the 63 numbered Redis databases
_locks: list[IO[bytes]] = []


def _take_slot() -> str:
    """Return a number that no other run in this data directory has; it is ours until this process ends."""
    _data_dir.mkdir(parents=True, exist_ok=True)
    for slot in range(7):
        _locks.append((_data_dir / f"slot-{slot}").open("ab"))
        try:
            fcntl.flock(_locks[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        return str(slot)
    raise SystemExit("Seven test runs at once are enough; set PODIUM_TEST_DATA_DIR for an eighth.")


# Workers inherit the slot of their run. They are gw0, gw1, …; without xdist we count as worker 0.
if "PODIUM_TEST_SLOT" not in os.environ:
    os.environ["PODIUM_TEST_SLOT"] = _take_slot()
_slot = int(os.environ["PODIUM_TEST_SLOT"])
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw-1").removeprefix("gw")) + 1

# Said in the environment, before `base` reads it, so that processes which a test starts share it: no test ever touches
# the data of a running installation.
os.environ["PODIUM_DATA_DIR"] = str(_data_dir)
os.environ["REDIS_DATABASE"] = str(1 + _slot * _workers + _worker % _workers)

from config.settings.local import *  # noqa: E402, F403 - after the lines above
from config.settings.local import DATABASES  # noqa: E402

EMBEDDED_DURABLE = False
# A thread that writes by itself would write past the transaction of a test.
ROUNDS_COUNT_SECONDS = 0
# Tests change keys and call at once; what is kept is tested by itself, and benchmarks ask for it.
INTEGRATION_KEYS_SECONDS = float(os.environ.get("INTEGRATION_KEYS_SECONDS", "0"))
GAME_KEYS_SECONDS = float(os.environ.get("GAME_KEYS_SECONDS", "0"))
# Every test client prepares the middleware anew: looking up every static file would be most of what a call costs.
WHITENOISE_AUTOREFRESH = True
DATABASES["default"]["TEST"] = {"NAME": f"test_podium_{_slot}"}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
