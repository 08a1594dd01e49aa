"""Count calls against their limits in Redis: every window of a call in one atomic round trip.

A window opens at its first call and lasts its seconds, so a limit of 100 a minute lets exactly 100 calls through
however many arrive at once. A refused call is not counted. Without Redis nothing is limited: an outage of the counter
must not become an outage of the platform.
"""

import hashlib
import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog
from redis.exceptions import NoScriptError, RedisError

from apps.core.redis import client

log = structlog.get_logger(__name__)

# How long nobody tries again after Redis failed; else every request would wait for the same dead socket.
PAUSE_SECONDS = 1.0
# How long calls that were taken together may be spent, and of how many owners a process keeps such.
PURSE_SECONDS = 1.0
MOST_PURSES = 10_000

SCRIPT = """
local refused_by, state, calls = 0, {}, tonumber(ARGV[2 * #KEYS + 1])
for i, key in ipairs(KEYS) do
  local limit = tonumber(ARGV[2 * i - 1])
  local used, left = tonumber(redis.call('GET', key) or '0'), redis.call('PTTL', key)
  if left < 0 then used, left = 0, tonumber(ARGV[2 * i]) end
  state[i] = {used, left}
  if used + calls > limit and (refused_by == 0 or left > state[refused_by][2]) then refused_by = i end
end
if refused_by > 0 then return {refused_by, state[refused_by][1], state[refused_by][2]} end
for i, key in ipairs(KEYS) do
  if state[i][1] == 0 then redis.call('SET', key, calls, 'PX', ARGV[2 * i]) else redis.call('INCRBY', key, calls) end
end
return {0, state[1][1] + calls, state[1][2]}
"""

SHA = hashlib.sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class Window:
    """At most `limit` calls in `seconds`."""

    name: str
    limit: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a call may go on, and the state of the window it is judged by: the first one, or the one that refused."""

    allowed: bool
    limit: int
    remaining: int
    reset_seconds: int


class _Outage:
    """When to try Redis again, as this process knows it."""

    until = 0.0


def _run(keys: list[str], numbers: list[int]) -> Any:
    redis = client()
    try:
        return redis.evalsha(SHA, len(keys), *keys, *numbers)
    except NoScriptError:  # a Redis that has just started; it remembers the script from here on
        return redis.eval(SCRIPT, len(keys), *keys, *numbers)


def take(owner: str, windows: Sequence[Window], *, calls: int = 1) -> Verdict | None:
    """Count calls of `owner` in every window, or in none if they don't fit in one. None: Redis is away, none counted.

    The calls of one `take` are allowed or refused together.
    """
    if time.monotonic() < _Outage.until:
        return None
    # The braces keep one owner's counters on one node of a Redis cluster, as one script needs them.
    keys = [f"rate:{{{owner}}}:{window.name}" for window in windows]
    numbers = [number for window in windows for number in (window.limit, window.seconds * 1000)]
    try:
        refused_by, used, left = _run(keys, [*numbers, calls])
    except RedisError as problem:
        _Outage.until = time.monotonic() + PAUSE_SECONDS
        log.warning("rate_limits_not_counted", problem=str(problem))
        return None
    window = windows[refused_by - 1] if refused_by else windows[0]
    return Verdict(
        allowed=not refused_by,
        limit=window.limit,
        remaining=max(0, window.limit - used),
        reset_seconds=max(1, math.ceil(left / 1000)),
    )


@dataclass(slots=True)
class _Purse:
    """Calls that were taken and not spent yet; good until a moment, and taken at `filled`."""

    left: int = 0
    until: float = 0.0
    filled: float = -PURSE_SECONDS
    verdict: Verdict | None = None

    def spend(self, now: float) -> bool:
        """Spend one call; tell whether there was one left."""
        if not self.left or now >= self.until:
            return False
        self.left -= 1
        return True

    @property
    def state(self) -> Verdict | None:
        """The state of the window, as far as this process knows."""
        return self.verdict and replace(self.verdict, remaining=self.verdict.remaining + self.left)


class Purses:
    """Counts calls that come by the thousand: takes many at once from the window, and spends them in this process.

    A limit is never exceeded. What is not spent within a second is lost, so a caller at its limit may be refused a few
    calls early: at most `at_once`, and a tenth of what the limit allows a second, for each process.
    """

    def __init__(self, *, at_once: int) -> None:
        """Begin with empty purses."""
        self.at_once = at_once
        self._lock = threading.Lock()
        self._purses: dict[tuple[str, str], _Purse] = {}

    def take(self, owner: str, window: Window) -> Verdict | None:
        """Count one call, as `take` does."""
        now = time.monotonic()
        with self._lock:
            purse = self._purses.get((owner, window.name)) or _Purse()
            if purse.spend(now):
                return purse.state
        return self._take(purse, owner, window, now)

    def spend(self, owner: str, window: Window) -> int:
        """Count one call; return 0, or after how many seconds to come back."""
        now = time.monotonic()
        with self._lock:
            purse = self._purses.get((owner, window.name)) or _Purse()
            if purse.spend(now):
                return 0
        verdict = self._take(purse, owner, window, now)
        return 0 if verdict is None or verdict.allowed else verdict.reset_seconds

    def _take(self, purse: _Purse, owner: str, window: Window, now: float) -> Verdict | None:
        """Take some calls from the window, one of them for now."""
        # Whoever calls seldom takes one call at a time.
        calls = self._handful(window) if now - purse.filled < PURSE_SECONDS else 1
        verdict = take(owner, [window], calls=calls)
        if verdict is not None and not verdict.allowed and calls > 1:
            calls = 1
            verdict = take(owner, [window])
        if verdict is not None and verdict.allowed:
            verdict = self._fill(owner, window, calls - 1, verdict, now)
        return verdict

    def _handful(self, window: Window) -> int:
        return max(1, min(self.at_once, window.limit // (10 * window.seconds)))

    def _fill(self, owner: str, window: Window, more: int, verdict: Verdict, now: float) -> Verdict:
        """Put what is left of the calls just taken to those that another thread may have taken meanwhile."""
        with self._lock:
            if len(self._purses) > MOST_PURSES:
                self._purses.clear()
            purse = self._purses.get((owner, window.name)) or _Purse()
            left = (purse.left if now < purse.until else 0) + more
            self._purses[owner, window.name] = _Purse(left, now + PURSE_SECONDS, now, verdict)
        return replace(verdict, remaining=verdict.remaining + left)
