"""How much an endpoint is given at a time, so that a slow or dead one delays nobody but itself.

A lane is what one relay process remembers of one endpoint. It begins narrow, widens with every success, and is one wide
after failures. While something hangs in it, nothing more is put into it, unless the endpoint has proved itself and half
of its lane goes on: one call that is lost is no outage. After failures it rests, longer and longer. Half of the threads
at most serve endpoints that have not proved themselves yet, a quarter at most those that fail: the rest is always there
for the others.
"""

import random
from dataclasses import dataclass, field

# An endpoint and deliveries that go to it one after the other.
Chain = tuple[int, list[int]]

PROVEN, UNKNOWN, FAILING = "proven", "unknown", "failing"

FIRST_WIDTH = 2
WIDEST = 16
# A call that has taken this long hangs.
HANGS_SECONDS = 1.0
REST_SECONDS = 0.05
LONGEST_REST = 5.0
# A lane that has been idle for this long is forgotten.
FORGOTTEN_SECONDS = 600.0


@dataclass(slots=True)
class Lane:
    """One endpoint, as this relay sees it. Times are of `time.monotonic()`."""

    width: int = FIRST_WIDTH
    standing: str = UNKNOWN
    failures: int = 0
    resting_until: float = 0.0
    used_at: float = 0.0
    begun: dict[int, float] = field(default_factory=dict)  # chain → when its present call began

    def room(self, now: float) -> int:
        """Return how many chains may be begun."""
        hanging = sum(now - begun > HANGS_SECONDS for begun in list(self.begun.values()))
        if now < self.resting_until or hanging > (self.width // 2 if self.standing == PROVEN else 0):
            return 0
        return max(0, self.width - len(self.begun))

    def succeeded(self) -> None:
        """Widen."""
        self.standing, self.failures, self.resting_until = PROVEN, 0, 0.0
        self.width = min(self.width + 1, WIDEST)

    def failed(self, now: float, *, hung: bool) -> None:
        """Narrow, and rest: a moment after an odd refusal, seconds when nothing else comes back."""
        self.failures += 1
        self.width = 1 if hung or self.failures > 1 else max(1, self.width // 2)
        if hung or self.failures > 1:
            self.standing = FAILING
        self.resting_until = now + min(REST_SECONDS * 2 ** min(self.failures, 10), LONGEST_REST)


class Lanes:
    """Every endpoint that this relay has to do with."""

    def __init__(self, threads: int) -> None:
        """Share so many threads."""
        self.threads = threads
        self._lanes: dict[int, Lane] = {}

    def of(self, endpoint_id: int) -> Lane:
        """Return an endpoint's lane."""
        return self._lanes.setdefault(endpoint_id, Lane())

    def share(self, now: float) -> "Share":
        """Say how much every endpoint may get at this moment."""
        free = {PROVEN: self.threads, UNKNOWN: self.threads // 2, FAILING: max(1, self.threads // 4)}
        for lane in self._lanes.values():
            free[lane.standing] -= len(lane.begun)
            if lane.standing != PROVEN:
                free[PROVEN] -= len(lane.begun)
        return Share(
            free={standing: max(0, min(left, free[PROVEN])) for standing, left in free.items()},
            room={pk: lane.room(now) for pk, lane in self._lanes.items()},
            standing={pk: lane.standing for pk, lane in self._lanes.items()},
        )

    def forget(self, now: float) -> None:
        """Drop the lanes of endpoints that have been idle for long."""
        idle = [pk for pk, lane in self._lanes.items() if not lane.begun and now - lane.used_at > FORGOTTEN_SECONDS]
        for pk in idle:
            del self._lanes[pk]


@dataclass(slots=True)
class Share:
    """What may be begun: so many chains by standing, all of them out of what is free for proven endpoints."""

    free: dict[str, int]
    room: dict[int, int]
    standing: dict[int, str]

    @property
    def full(self) -> list[int]:
        """The endpoints that get nothing."""
        return [pk for pk in self.room if not self.room_of(pk)]

    def room_of(self, endpoint_id: int) -> int:
        """Return how many chains one endpoint may get."""
        most = self.free[self.standing.get(endpoint_id, UNKNOWN)]
        return min(self.room.get(endpoint_id, FIRST_WIDTH), most)

    def choose(self, offered: list[Chain]) -> list[Chain]:
        """Return what is begun of what is there; by lot, when there is too much."""
        random.shuffle(offered)
        free = dict(self.free)
        chosen = []
        for endpoint_id, chain in offered:
            standing = self.standing.get(endpoint_id, UNKNOWN)
            if free[PROVEN] > 0 and free[standing] > 0:
                chosen.append((endpoint_id, chain))
                free[PROVEN] -= 1
                if standing != PROVEN:
                    free[standing] -= 1
        return chosen
