"""Wait for what others do, by looking."""

import time
from collections.abc import Callable

from config.demo.client import Refused


def came(what: Callable[[], object], *, seconds: float, every: float = 0.1) -> bool:
    """Tell whether it is so before the time is up."""
    until = time.monotonic() + seconds
    while not what():
        if time.monotonic() > until:
            return False
        time.sleep(every)
    return True


def wait_for(what: Callable[[], object], problem: str, *, seconds: float = 60) -> None:
    """Return when it is so. Raises Refused when it is not in time."""
    if not came(what, seconds=seconds):
        raise Refused(problem)
