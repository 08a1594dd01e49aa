"""An SQS of the demo's own: moto speaks the protocol on loopback, with a queue each way for the first operator."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.core.management import CommandError
from django.db import connection

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.events.models import InboundQueue, Queue
from apps.events.relay import sqs, sqs_setup
from apps.events.services import queues
from apps.events.services.queues import Access
from apps.operators.models import Operator

OUT, INTO = "Demo: facts", "Demo: game events"
# The consumer says so often what it got.
SAID_EVERY = 100


@contextmanager
def start_sqs(operator_slug: str, *, say: Callable[[str], None]) -> Iterator[str]:
    """Run an SQS server with queues both ways until the end of the block; yields its address.

    What is on its queues is forgotten with it; what was not sent yet waits for the next one.
    """
    try:
        from moto.server import ThreadedMotoServer  # noqa: PLC0415 - of the development requirements, and slow to load
    except ImportError as problem:
        raise CommandError("--sqs needs moto[server], which requirements.txt names.") from problem
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    stop = threading.Event()
    consumer: threading.Thread | None = None
    try:
        out, into = _set_up(Operator.objects.get(slug=operator_slug).pk, address)
        consumer = threading.Thread(target=_consume, args=(out, stop, say), name="sqs-consumer", daemon=True)
        connection.close()
        consumer.start()
        say(f"SQS at {address}\n  facts go to      {out.url}\n  game events from {into.url}")
        yield address
    finally:
        stop.set()
        if consumer is not None and consumer.is_alive():
            # Its long poll would take messages of the next server in this process: moto keeps its queues per process.
            consumer.join(sqs.WAIT_SECONDS + 1)
        server.stop()


def _set_up(operator_id: int, address: str) -> tuple[Queue, InboundQueue]:
    """Point the demo's queues at the server of this run, adding them the first time, and create them there."""
    at = clock.now()

    def access(name: str) -> Access:
        return Access(name=name, endpoint_url=address, access_key_id="demo", secret="demo")  # noqa: S106 - no key of anyone's

    out = Queue.objects.filter(operator_id=operator_id, name=OUT).first()
    if out is None:
        out = queues.add_queue(operator_id, access(OUT), events=["*"], actor=SYSTEM, at=at)
    else:
        queues.change_queue(out.pk, access(OUT), events=["*"], actor=SYSTEM, at=at)
    into = InboundQueue.objects.filter(operator_id=operator_id, name=INTO).first()
    if into is None:
        into = queues.add_inbound_queue(operator_id, access(INTO), actor=SYSTEM, at=at)
    else:
        queues.change_inbound_queue(into.pk, access(INTO), actor=SYSTEM, at=at)
    sqs_setup.create_queues(out.pk, queue_name="podium-facts", model=Queue, actor=SYSTEM, at=at)
    sqs_setup.create_queues(into.pk, queue_name="podium-game-events", model=InboundQueue, actor=SYSTEM, at=at)
    return Queue.objects.get(pk=out.pk), InboundQueue.objects.get(pk=into.pk)


def _consume(queue: Queue, stop: threading.Event, say: Callable[[str], None]) -> None:
    """Take facts off the queue, as the operator would."""
    got = 0
    while not stop.is_set():
        try:
            for message in sqs.receive(queue):
                sqs.delete(queue, message)
                got += 1
                if got == 1 or got % SAID_EVERY == 0:
                    say(f"sqs: {got} facts taken off the queue")
        except sqs.Trouble as problem:
            if not stop.wait(1):
                say(f"sqs: {problem}")
