"""A real SQS-compatible server on loopback, for the whole run; every test gets queues of its own on it."""

import itertools
import json
import socket
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from apps.core.actors import Actor
from apps.events.models import InboundQueue, Queue
from apps.events.relay import sqs_setup
from apps.events.services import queues
from apps.events.services.queues import Access

STAFF = Actor("staff", "ada@podium.example")
KEY, SECRET = "AKIAPODIUM", "wJalrXUtnFEMI/K7MDENG"
_numbers = itertools.count(1)


def closed() -> str:
    """An address where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


class Server:
    """moto's server. What queues hold outlives a stop, as with the real one."""

    def __init__(self) -> None:
        self.server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self.server.start()
        _, self.port = self.server.get_host_and_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.client: Any = boto3.client(
            "sqs", region_name="eu-central-1", endpoint_url=self.url,
            aws_access_key_id="reader", aws_secret_access_key="reader",
        )  # fmt: skip

    def stop(self) -> None:
        self.server.stop()

    def start(self) -> None:
        self.server = ThreadedMotoServer(ip_address="127.0.0.1", port=self.port, verbose=False)
        self.server.start()

    def access(self, name: str = "", **more: Any) -> Access:
        usual = {"endpoint_url": self.url, "access_key_id": KEY, "secret": SECRET}
        return Access(**{"name": name or f"queue {next(_numbers)}", **usual, **more})

    def queue(self, operator, *, events=("*",), at, **more: Any) -> Queue:
        """A queue of the operator's, created at the server too."""
        queue = queues.add_queue(operator.pk, self.access(**more), events=list(events), actor=STAFF, at=at)
        return self.created(queue, at=at)

    def inbound(self, operator, *, at, **more: Any) -> InboundQueue:
        """A queue to read game events from, created at the server too."""
        pk = operator and operator.pk
        return self.created(queues.add_inbound_queue(pk, self.access(**more), actor=STAFF, at=at), at=at)

    def created(self, queue, *, at):
        name = f"podium-{next(_numbers)}"
        sqs_setup.create_queues(queue.pk, queue_name=name, model=type(queue), actor=STAFF, at=at)
        queue.refresh_from_db()
        return queue

    def dead(self, queue) -> str:
        """The URL of a queue's dead letters."""
        return queue.url.replace(".fifo", "-dead.fifo")

    def put(self, queue, *bodies: Any, group: str = "g") -> None:
        for body in bodies:
            text = body if isinstance(body, str) else json.dumps(body)
            self.client.send_message(
                QueueUrl=queue.url, MessageBody=text, MessageGroupId=group, MessageDeduplicationId=str(next(_numbers))
            )

    def take(self, url: str) -> list[dict[str, Any]]:
        """Everything a consumer gets, in its order, deleted as it comes."""
        got: list[dict[str, Any]] = []
        while True:
            answer = self.client.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=10,
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
            messages = answer.get("Messages", [])
            if not messages:
                return got
            got += messages
            for one in messages:
                self.client.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])


@pytest.fixture(scope="session")
def _server() -> Iterator[Server]:
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def server(_server) -> Server:
    """The server, running."""
    return _server
