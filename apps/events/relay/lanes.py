"""How much an endpoint is given at a time, so that a slow or dead one delays nobody but itself.

A lane is what one relay process remembers of one endpoint. It begins narrow, widens with every success, and is one wide
after failures. While something hangs in it, nothing more is put into it; after failures it rests, longer and longer.
All lanes that have not proved themselves lately share half of the threads at most.
"""

import random
from dataclasses import dataclass, field

# An endpoint and deliveries that go to it one after the other.
Chain = tuple[int, list[int]]

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
    proven: bool = False
    failures: int = 0
    resting_until: float = 0.0
    used_at: float = 0.0
    begun: dict[int, float] = field(default_factory=dict)  # chain → when its present call began

    def room(self, now: float) -> int:
        """Return how many chains may be begun."""
        if now < self.resting_until or any(now - begun > HANGS_SECONDS for begun in list(self.begun.values())):
            return 0
        return max(0, self.width - len(self.begun))

    def succeeded(self) -> None:
        """Widen."""
        self.proven, self.failures, self.resting_until = True, 0, 0.0
        self.width = min(self.width + 1, WIDEST)

    def failed(self, now: float, *, hung: bool) -> None:
        """Narrow, and rest: a moment after an odd refusal, seconds when nothing else comes back."""
        self.failures += 1
        self.width = 1 if hung or self.failures > 1 else max(1, self.width // 2)
        self.proven = self.proven and self.failures == 1 and not hung
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
        free = self.threads - sum(len(lane.begun) for lane in self._lanes.values())
        unproven = sum(len(lane.begun) for lane in self._lanes.values() if not lane.proven)
        return Share(
            free=free,
            doubtful=max(0, min(free, self.threads // 2 - unproven)),
            room={pk: lane.room(now) for pk, lane in self._lanes.items()},
            proven={pk for pk, lane in self._lanes.items() if lane.proven},
        )

    def forget(self, now: float) -> None:
        """Drop the lanes of endpoints that have been idle for long."""
        idle = [pk for pk, lane in self._lanes.items() if not lane.begun and now - lane.used_at > FORGOTTEN_SECONDS]
        for pk in idle:
            del self._lanes[pk]


@dataclass(slots=True)
class Share:
    """What may be begun: `free` chains in all, `doubtful` of them to endpoints that have not proved themselves."""

    free: int
    doubtful: int
    room: dict[int, int]
    proven: set[int]

    @property
    def full(self) -> list[int]:
        """The endpoints that get nothing."""
        return [pk for pk in self.room if not self.room_of(pk)]

    def room_of(self, endpoint_id: int) -> int:
        """Return how many chains one endpoint may get."""
        most = self.free if endpoint_id in self.proven else self.doubtful
        return min(self.room.get(endpoint_id, FIRST_WIDTH), most)

    def choose(self, offered: list[Chain]) -> list[Chain]:
        """Return what is begun of what is there; by lot, when there is too much."""
        random.shuffle(offered)
        free, doubtful = self.free, self.doubtful
        chosen = []
        for endpoint_id, chain in offered:
            proven = endpoint_id in self.proven
            if free and (proven or doubtful):
                chosen.append((endpoint_id, chain))
                free, doubtful = free - 1, doubtful - (not proven)
        return chosen
