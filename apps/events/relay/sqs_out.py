"""Tell facts to queues: each queue reads its operator's stream by a cursor and moves it once SQS has taken a batch.

Order is kept per group, which is a tournament: a message that does not get through holds back what follows in its
group, and only that. A batch takes several messages of one group as long as all goes well; in trouble one of each.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import structlog
from django.db import connection

from apps.core import clock
from apps.core.exact import dumps
from apps.events import facts, streams
from apps.events.models import Fact, Queue
from apps.events.models.queues import HELD_MOST
from apps.events.relay import sqs
from apps.events.services import sending

log = structlog.get_logger(__name__)

# Queues served at once by one relay. A dead one keeps its lane for as long as one call may take, then waits its turn.
LANES = 16
# How long an idle relay sleeps between two looks, in seconds.
PAUSE = 0.25
# Facts read at a time, and pages in one turn: then others have theirs.
PAGE = 500
PAGES = 10


def run(stop: threading.Event) -> None:
    """Carry until told to stop; batches on their way are finished first. Several relays share the queues."""
    busy: set[int] = set()
    with ThreadPoolExecutor(LANES, thread_name_prefix="sqs-out") as lanes:
        while not stop.is_set():
            if not _give_turns(lanes, busy, stop):
                stop.wait(PAUSE)
    connection.close()


def _give_turns(lanes: ThreadPoolExecutor, busy: set[int], stop: threading.Event) -> bool:
    """Start a turn for one queue that has something to send; tell whether there was one and room for it."""
    if len(busy) >= LANES:
        return False
    try:
        queue = sending.claim(besides=tuple(busy), at=clock.now())
    except Exception:
        log.exception("queues_not_read")
        connection.close()
        return False
    if queue is None:
        return False
    busy.add(queue.pk)

    def lane() -> None:
        try:
            take_turn(queue, stop=stop)
        except Exception:
            # Our own mistake or the database's: the lease runs out and the queue goes on from its row.
            log.exception("queue_turn_failed", queue=queue.pk)
        finally:
            busy.discard(queue.pk)
            connection.close()

    lanes.submit(lane)
    return True


def take_turn(queue: Queue, *, stop: threading.Event | None = None, now: Callable[[], datetime] = clock.now) -> int:
    """Send what a leased queue has not been told, and give the lease back; return how many messages it took."""
    turn = _Turn(queue, stop or threading.Event(), now)
    try:
        turn.retry_held()
        turn.read_on()
    except sqs.Trouble as problem:
        log.warning("queue_not_reached", queue=queue.pk, operator=queue.operator_id, problem=str(problem))
        sending.fail(queue, error=str(problem), at=now())
    except _LeaseLost:
        log.warning("queue_lease_lost", queue=queue.pk)
    else:
        sending.end(queue, stuck=turn.stuck, at=now())
    return turn.sent


class _LeaseLost(Exception):
    """Another sender has the queue, or staff moved its cursor."""


class _Turn:
    def __init__(self, queue: Queue, stop: threading.Event, now: Callable[[], datetime]) -> None:
        self.queue = queue
        self.stop = stop
        self.now = now
        self.sent = 0
        self.blocked: set[str] = set()
        # So much is held back that the stream has to wait with it.
        self.stuck = False

    def retry_held(self) -> None:
        """Try again what was held back, one of each group at a time."""
        queue = self.queue
        if not queue.held:
            return
        held = sending.facts_held(queue)
        if queue.held_try_at is not None and queue.held_try_at > self.now():
            self.blocked = {group_of(fact) for fact in held}
            return
        for batch in batches(held, careful=lambda: True):
            self._send([fact for fact in batch if group_of(fact) not in self.blocked], after=queue.after_sequence)
            if self.stop.is_set():
                self.blocked = {group_of(fact) for fact in held}
                return

    def read_on(self) -> None:
        """Send the new part of the stream, page by page."""
        queue = self.queue
        for _ in range(PAGES):
            page = streams.read(queue.operator_id, after=queue.after_sequence, types=queue.events, limit=PAGE)
            for batch in batches(page.facts, careful=lambda: bool(queue.held)):
                if self.stop.is_set():
                    return
                if len(queue.held) + len(batch) > HELD_MOST:
                    self.stuck = True
                    return
                self._send(
                    [fact for fact in batch if group_of(fact) not in self.blocked],
                    after=number_of(batch[-1]),
                    waits=[number_of(fact) for fact in batch if group_of(fact) in self.blocked],
                )
            if page.last_sequence > queue.after_sequence:
                self._note(after=page.last_sequence, held=queue.held, sent=0, refused={})
            if not page.more:
                return

    def _send(self, batch: list[Fact], *, after: int, waits: Iterable[int] = ()) -> None:
        """Send one batch and note what became of it: taken, refused for good, or held back with what follows it."""
        queue = self.queue
        troubles = _deliver(queue, batch) if batch else {}
        refused = {fact.pk: str(problem) for fact, problem in troubles.items() if problem.untakeable}
        late = {number_of(fact): problem for fact, problem in troubles.items() if not problem.untakeable}
        done = {number_of(fact) for fact in batch} - late.keys()
        held = sorted((set(queue.held) - done) | late.keys() | set(waits))
        sent = len(batch) - len(troubles)
        self._note(after=after, held=held, sent=sent, refused=refused)
        self.sent += sent
        if late:
            self.blocked |= {group_of(fact) for fact in batch if number_of(fact) in late}
            sending.hold_back(queue, error=str(next(iter(late.values()))), at=self.now())

    def _note(self, *, after: int, held: list[int], sent: int, refused: dict[int, str]) -> None:
        if not sending.advance(self.queue, after=after, held=held, sent=sent, refused=refused, at=self.now()):
            raise _LeaseLost


def _deliver(queue: Queue, batch: list[Fact]) -> dict[Fact, sqs.Trouble]:
    """Send facts in one call, or one by one if the queue dislikes one of them so much that it takes none."""
    try:
        failed = sqs.send(queue, [message(fact, queue) for fact in batch])
    except sqs.Trouble as problem:
        if not problem.untakeable:
            raise
        if len(batch) == 1:
            return {batch[0]: problem}
        return {fact: trouble for one in batch for fact, trouble in _deliver(queue, [one]).items()}
    return {batch[place]: problem for place, problem in failed.items()}


def group_of(fact: Fact) -> str:
    """What a fact is kept in order with: its tournament, or whatever else it is about."""
    return fact.subject.removeprefix(facts.TOURNAMENT) or "operator"


def number_of(fact: Fact) -> int:
    """Its place in the stream; what a queue is told of has one."""
    return fact.sequence or 0


def message(fact: Fact, queue: Queue) -> sqs.Message:
    """Return a fact as SQS carries it (operators.md 6). The number stands beside the type, for whoever counts."""
    operator_id = queue.operator.public_id
    return sqs.Message(
        id=fact.public_id,
        group=group_of(fact),
        body=dumps(facts.envelope(fact, operator_id)),
        attributes={"eventType": fact.type, "operatorId": operator_id, "sequence": number_of(fact)},
    )


def batches(found: Iterable[Fact], *, careful: Callable[[], bool]) -> Iterator[list[Fact]]:
    """Cut facts, in their order, into calls: at most ten, not too large, and while `careful` one of each group."""
    batch: list[Fact] = []
    size = 0
    for fact in found:
        # The body is the data and a short head.
        weight = len(dumps(fact.data)) + 500
        full = len(batch) == sqs.AT_ONCE or size + weight > sqs.BATCH_BYTES
        if batch and (full or (careful() and group_of(fact) in {group_of(one) for one in batch})):
            yield batch
            batch, size = [], 0
        batch.append(fact)
        size += weight
    if batch:
        yield batch
