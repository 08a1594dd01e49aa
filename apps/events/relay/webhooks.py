"""The carrier of webhooks (operators.md 5): takes deliveries that are due, sends them from threads, notes what came.

One thread speaks with the database and never with a receiver; the others do the opposite. Guarantees:

* At least once. The next try is booked before one is made, so a relay that is killed loses nothing; what it had sent
  and not noted is sent again, under the same id.
* In order per subject (a tournament) at each endpoint: its deliveries are sent one after the other, whichever relay
  does it, unless an earlier one has failed and waits for its retry. An endpoint that is `ordered` gets everything one
  after the other, and nothing while an earlier one waits.
* An endpoint that is slow or dead delays nobody but itself (`lanes`).

Redis only wakes it; without Redis it looks twice a second.
"""

import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from apps.core import clock
from apps.events import formats
from apps.events.lifecycle import DeliveryStatus
from apps.events.relay import bell, queue
from apps.events.relay.lanes import Lanes
from apps.events.relay.queue import CHAIN_SECONDS, Outcome, Taken
from apps.events.relay.sending import GONE, attempt, given_back
from apps.events.services import health

log = structlog.get_logger(__name__)

LOOK_SECONDS = 0.5
# Whoever is woken waits this much for more to come: a few statements then serve many deliveries.
GATHER_SECONDS = 0.002
# How often the same news about an endpoint's health is worth a write.
HEALTH_SECONDS = 5.0
# After the database has failed.
PAUSE_SECONDS = 1.0
NOTED_AT_ONCE = 500
# How long to finish may take after being told to stop: one whole call, and room.
FINISH_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class _Came:
    """What a sender tells the one who keeps the books; `over` when the chain has come to its end."""

    endpoint_id: int
    chain: int
    outcome: Outcome | None
    hung: bool = False
    over: bool = False


@dataclass(slots=True)
class _Health:
    well: bool
    noted_at: float


@dataclass(slots=True)
class Relay:
    """One relay's work. `run` returns when `stop` is set and everything that was being sent is noted."""

    stop: threading.Event
    threads: int = field(default_factory=lambda: settings.RELAY_THREADS)
    _wake: threading.Event = field(default_factory=threading.Event)
    _came: "deque[_Came]" = field(default_factory=deque)
    _unnoted: list[Outcome] = field(default_factory=list)
    _health: dict[int, _Health] = field(default_factory=dict)
    _news: dict[int, tuple[bool, str, bool]] = field(default_factory=dict)
    _chains: int = 0
    _running: int = 0

    def run(self) -> None:
        """Work until told to stop."""
        lanes = Lanes(self.threads)
        with bell.listening(self._wake, self.stop), ThreadPoolExecutor(self.threads, "webhooks") as senders:
            while not self.stop.is_set():
                self._turn(lanes, senders)
                self._rest()
            until = time.monotonic() + FINISH_SECONDS
            # What is being sent is sent, and noted, unless the database is away: then it will be sent again.
            while (self._running or self._came or self._unnoted) and time.monotonic() < until:
                self._turn(lanes, None)
                if self._running:
                    self._rest()
        connection.close()

    def _rest(self) -> None:
        self._wake.wait(LOOK_SECONDS)
        time.sleep(GATHER_SECONDS)
        self._wake.clear()

    def _turn(self, lanes: Lanes, senders: ThreadPoolExecutor | None) -> None:
        """Note what came, then take what is due, for as long as there is both room and work."""
        try:
            self._settle(lanes)
            while senders and not self.stop.is_set():
                chains = queue.take(lanes.share(time.monotonic()), formats=formats.known())
                for chain in chains:
                    self._begin(chain, lanes, senders)
                if not chains:
                    break
                self._settle(lanes)
            lanes.forget(time.monotonic())
        except (DatabaseError, InterfaceError) as problem:
            # What came is kept, and noted when the database is back.
            log.warning("relay_without_database", problem=str(problem))
            connection.close()
            time.sleep(PAUSE_SECONDS)

    def _begin(self, chain: Sequence[Taken], lanes: Lanes, senders: ThreadPoolExecutor) -> None:
        self._chains += 1
        self._running += 1
        lane = lanes.of(chain[0].place.id)
        lane.used_at = lane.begun[self._chains] = time.monotonic()
        senders.submit(self._send, self._chains, chain, lane.begun)

    # --- in a sender's thread ---

    def _send(self, number: int, chain: Sequence[Taken], begun: dict[int, float]) -> None:
        started, endpoint_id = time.monotonic(), chain[0].place.id
        ended = False
        for place, taken in enumerate(chain):
            now = time.monotonic()
            ended = ended or self.stop.is_set() or (place > 0 and now - started > CHAIN_SECONDS)
            if ended:
                self._tell(_Came(endpoint_id, number, given_back(taken)))
                continue
            begun[number] = now
            outcome = attempt(taken)
            failed = outcome.status != DeliveryStatus.DELIVERED
            hung = failed and outcome.last_status is None
            # The rest is for later: behind a failure where order is strict, and where nobody answers at all.
            ended = failed and (taken.place.in_order or hung or outcome.last_status == GONE)
            self._tell(_Came(endpoint_id, number, outcome, hung=hung))
        self._tell(_Came(endpoint_id, number, None, over=True))

    def _tell(self, came: _Came) -> None:
        self._came.append(came)
        self._wake.set()

    # --- in the thread that keeps the books ---

    def _settle(self, lanes: Lanes) -> None:
        """Note outcomes, and learn from them what each endpoint can be given."""
        while self._came:
            came = self._came.popleft()
            lane = lanes.of(came.endpoint_id)
            if came.over:
                lane.begun.pop(came.chain, None)
                self._running -= 1
            if came.outcome is None:
                continue
            self._unnoted.append(came.outcome)
            if came.outcome.sent is None:
                continue
            if came.outcome.status == DeliveryStatus.DELIVERED:
                lane.succeeded()
            else:
                lane.failed(time.monotonic(), hung=came.hung)
            self._examine(came.endpoint_id, came.outcome)
        while self._unnoted:
            queue.note(self._unnoted[:NOTED_AT_ONCE])
            del self._unnoted[:NOTED_AT_ONCE]
        self._report_health()

    def _examine(self, endpoint_id: int, outcome: Outcome) -> None:
        """Remember what is news about an endpoint."""
        well = outcome.status == DeliveryStatus.DELIVERED
        known = self._health.get(endpoint_id)
        gone = outcome.last_status == GONE
        if known and known.well == well and not gone and time.monotonic() - known.noted_at < HEALTH_SECONDS:
            return
        self._health[endpoint_id] = _Health(well, time.monotonic())
        self._news[endpoint_id] = (well, outcome.error, gone)

    def _report_health(self) -> None:
        while self._news:
            endpoint_id, (well, error, gone) = next(iter(self._news.items()))
            if well:
                health.note_success([endpoint_id], at=clock.now())
            else:
                health.note_failure(endpoint_id, error, at=clock.now(), gone=gone)
            del self._news[endpoint_id]


def run(stop: threading.Event) -> None:
    """Carry until told to stop; what is being sent then is finished and noted. Several relays share the work."""
    Relay(stop).run()
