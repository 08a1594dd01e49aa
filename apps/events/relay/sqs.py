"""Talk to SQS, or to a server that speaks its protocol. Nothing in here knows the database's rows but their fields.

Every request, once botocore has signed it, goes through `core.egress` like all calls to addresses that somebody typed
in: where it leads is checked, redirects are not followed.
"""

import io
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from apps.core import crypto, egress
from apps.events.models.queues import Connection

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# What one call may take. A long poll waits on top of it.
ANSWER_SECONDS = 15
# How long the server may wait for messages to come. SQS allows twenty; a relay that is told to stop waits with it.
WAIT_SECONDS = 2
AT_ONCE = 10
# Ten messages of 1 MiB, the largest that SQS takes, and what surrounds them.
LARGEST_ANSWER = 16 * 1024 * 1024
# The largest batch that every server takes; a larger message travels alone.
BATCH_BYTES = 250_000
# These are the message's fault, and will be tomorrow.
UNTAKEABLE = frozenset(
    {
        "AWS.SimpleQueueService.BatchRequestTooLong",
        "BatchRequestTooLong",
        "InvalidMessageContents",
        "InvalidParameterValue",
        "MessageTooLong",
    }
)


class Trouble(Exception):
    """The queue could not be asked, or said no. `untakeable`: it will never take what it was given."""

    def __init__(self, text: str, *, code: str = "") -> None:
        """Keep the text for people and the code for us."""
        super().__init__(text)
        self.code = code
        self.untakeable = code in UNTAKEABLE


@dataclass(frozen=True, slots=True)
class Message:
    """One message to a FIFO queue. `id` makes it count once within five minutes; a `group` is kept in order."""

    id: str
    group: str
    body: str
    attributes: Mapping[str, str | int]

    @property
    def size(self) -> int:
        """What it counts for, in bytes."""
        names = sum(len(name) + len(str(value)) + 6 for name, value in self.attributes.items())
        return len(self.body.encode()) + names


@dataclass(frozen=True, slots=True)
class Received:
    """One message from a queue. It comes back later unless it is deleted with its `handle`."""

    id: str
    handle: str
    body: str
    group: str
    times: int


def send(queue: Connection, messages: Sequence[Message]) -> dict[int, Trouble]:
    """Send up to ten messages in order in one call; return what failed, by place. Raises Trouble if all did."""
    entries: list[Any] = [
        {
            "Id": str(place),
            "MessageBody": message.body,
            "MessageGroupId": message.group,
            "MessageDeduplicationId": message.id,
            "MessageAttributes": {
                name: {"DataType": "String" if isinstance(value, str) else "Number", "StringValue": str(value)}
                for name, value in message.attributes.items()
            },
        }
        for place, message in enumerate(messages)
    ]
    with told():
        answer = client(queue).send_message_batch(QueueUrl=queue.url, Entries=entries)
    failed = {
        int(one["Id"]): Trouble(f"{one['Code']}: {one.get('Message', '')}", code=one["Code"])
        for one in answer.get("Failed", ())
    }
    # What is in neither list was not taken.
    taken = {int(one["Id"]) for one in answer.get("Successful", ())}
    silent = Trouble("The server did not say what became of it.")
    return {place: failed.get(place, silent) for place in range(len(messages)) if place not in taken}


def receive(queue: Connection, *, wait: int = WAIT_SECONDS) -> list[Received]:
    """Return up to ten messages, in the order of their groups; waits for the first up to `wait` seconds."""
    with told():
        answer = client(queue).receive_message(
            QueueUrl=queue.url,
            MaxNumberOfMessages=AT_ONCE,
            WaitTimeSeconds=wait,
            MessageSystemAttributeNames=["MessageGroupId", "ApproximateReceiveCount"],
        )
    return [
        Received(
            id=one["MessageId"],
            handle=one["ReceiptHandle"],
            body=one["Body"],
            group=one.get("Attributes", {}).get("MessageGroupId", one["MessageId"]),
            times=int(one.get("Attributes", {}).get("ApproximateReceiveCount", 1)),
        )
        for one in answer.get("Messages", ())
    ]


def delete(queue: Connection, received: Received) -> None:
    """Take a message out of the queue for good."""
    with told():
        client(queue).delete_message(QueueUrl=queue.url, ReceiptHandle=received.handle)


def give_back(queue: Connection, received: Received) -> None:
    """Let a message be received again at once; after enough of that the queue moves it to its dead letters."""
    with told():
        client(queue).change_message_visibility(QueueUrl=queue.url, ReceiptHandle=received.handle, VisibilityTimeout=0)


def waiting(queue: Connection) -> tuple[int, int]:
    """Return about how many messages wait in the queue, and how many are out with a consumer."""
    with told():
        found = client(queue).get_queue_attributes(
            QueueUrl=queue.url,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )["Attributes"]
    return int(found["ApproximateNumberOfMessages"]), int(found["ApproximateNumberOfMessagesNotVisible"])


@contextmanager
def told() -> Iterator[None]:
    """Turn whatever goes wrong in a call into Trouble, in words that hold no secret."""
    try:
        yield
    except ClientError as problem:
        error = problem.response.get("Error", {})
        raise Trouble(f"{error.get('Code')}: {error.get('Message')}", code=error.get("Code", "")) from problem
    except (BotoCoreError, egress.Refused, egress.Failed, OSError, ValueError) as problem:
        raise Trouble(f"{type(problem).__name__}: {problem}") from problem


# --- clients ----------------------------------------------------------------------------------------------------------

_lock = threading.Lock()
_clients: dict[tuple[str, int], tuple[tuple[str, ...], "SQSClient"]] = {}
_session: boto3.session.Session | None = None


def client(queue: Connection) -> "SQSClient":
    """Return this process's client for a queue, a new one when its address or its key has changed. Threads share it."""
    key = (type(queue).__name__, queue.pk)
    reached = (queue.region, queue.endpoint_url, queue.access_key_id, queue.sealed_secret)
    with _lock:
        known = _clients.get(key)
        if known is None or known[0] != reached:
            known = (reached, _new_client(queue))
            _clients[key] = known
        return known[1]


def _new_client(queue: Connection) -> "SQSClient":
    global _session  # noqa: PLW0603 - it reads the description of SQS once for all clients
    if _session is None:
        _session = boto3.session.Session()
    keys: dict[str, Any] = {}
    if queue.access_key_id and queue.sealed_secret:
        keys = {
            "aws_access_key_id": queue.access_key_id,
            "aws_secret_access_key": crypto.decrypt(queue.sealed_secret),
        }
    elif not settings.SQS_AMBIENT_CREDENTIALS:
        message = "The queue has no access key, and SQS_AMBIENT_CREDENTIALS is not set."
        raise Trouble(message)
    # The row books the next try, and other lanes must not wait for this one's. Only the row says where it is.
    options: dict[str, Any] = {"retries": {"total_max_attempts": 1}, "ignore_configured_endpoint_urls": True}
    made: SQSClient = _session.client(
        "sqs",
        region_name=queue.region,
        endpoint_url=queue.endpoint_url or None,
        config=Config(**options),
        **keys,
    )
    hooks: Any = made.meta.events
    hooks.register("before-send.sqs", _through_egress)
    return made


class _Body(io.BytesIO):
    """A whole body, as botocore reads one."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        """Return it in one piece."""
        yield self.read()


def _through_egress(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
    """Send a signed request by our own client. Raises egress.Refused, egress.Failed."""
    headers = {
        name: value.decode() if isinstance(value, bytes) else str(value) for name, value in request.headers.items()
    }
    body = request.body or b""
    answer = egress.send(
        request.method,
        request.url,
        headers=headers,
        body=body if isinstance(body, bytes) else str(body).encode(),
        timeout=ANSWER_SECONDS + WAIT_SECONDS,
        max_bytes=LARGEST_ANSWER,
    )
    got: Any = dict(answer.headers)
    return AWSResponse(request.url, answer.status, got, _Body(answer.body))
