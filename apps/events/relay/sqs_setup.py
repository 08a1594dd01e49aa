"""What staff do at the provider: create a queue with its dead letters, and send a test message."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from apps.core import ids
from apps.core.actors import Actor
from apps.core.clock import iso
from apps.core.errors import DomainError, Invalid
from apps.core.exact import dumps
from apps.events.models import InboundQueue, Queue
from apps.events.relay import sqs
from apps.events.services import queues

# What operators.md 6 asks of a queue: 14 days, 30 seconds, deduplication by content, five receives.
RETENTION_SECONDS = 14 * 24 * 3600
VISIBILITY_SECONDS = 30
RECEIVES = 5
NAME = re.compile(r"[A-Za-z0-9_-]{1,70}", re.ASCII)
SUFFIX, DEAD_SUFFIX = ".fifo", "-dead.fifo"
# What SQS says when a queue of that name is there with other attributes.
DIFFERS = frozenset({"QueueNameExists", "QueueAlreadyExists"})

Either = TypeVar("Either", Queue, InboundQueue)


class QueueUnreachable(DomainError):
    """The queue could not be reached."""

    kind = "unavailable"
    code = "QUEUE_UNREACHABLE"


@dataclass(frozen=True, slots=True)
class Created:
    """The URLs of a queue and of its dead letters."""

    url: str
    dead_url: str


def create_queues(queue_id: int, *, queue_name: str, model: type[Either], actor: Actor, at: datetime) -> Created:
    """Create a FIFO queue and its dead-letter queue at the provider, and remember its URL. Doing it again is harmless.

    A queue of that name that is there already gets our attributes. Raises Invalid, QueueNotFound, QueueUnreachable.
    """
    if not NAME.fullmatch(queue_name):
        raise Invalid("No name for a queue.", fields={"queue_name": ["1 to 70 letters, digits, - and _."]})
    queue = _found(model, queue_id)
    try:
        dead_url = _create(queue, queue_name + DEAD_SUFFIX, {"MessageRetentionPeriod": str(RETENTION_SECONDS)})
        with sqs.told():
            dead = sqs.client(queue).get_queue_attributes(QueueUrl=dead_url, AttributeNames=["QueueArn"])
        redrive = {"deadLetterTargetArn": dead["Attributes"]["QueueArn"], "maxReceiveCount": str(RECEIVES)}
        attributes = {
            "MessageRetentionPeriod": str(RETENTION_SECONDS),
            "VisibilityTimeout": str(VISIBILITY_SECONDS),
            "ContentBasedDeduplication": "true",
            "RedrivePolicy": json.dumps(redrive),
        }
        url = _create(queue, queue_name + SUFFIX, attributes)
    except sqs.Trouble as problem:
        raise QueueUnreachable(str(problem)) from problem
    queues.note_created(queue_id, url, model=model, actor=actor, at=at)
    return Created(url, dead_url)


def _create(queue: Queue | InboundQueue, name: str, attributes: Mapping[Any, str]) -> str:
    """Create a FIFO queue, or give the one that is there these attributes; return its URL."""
    try:
        with sqs.told():
            return sqs.client(queue).create_queue(QueueName=name, Attributes={"FifoQueue": "true", **attributes})[
                "QueueUrl"
            ]
    except sqs.Trouble as problem:
        if problem.code.rpartition(".")[2] not in DIFFERS:
            raise
    with sqs.told():
        url = sqs.client(queue).get_queue_url(QueueName=name)["QueueUrl"]
        sqs.client(queue).set_queue_attributes(QueueUrl=url, Attributes=dict(attributes))
    return url


def send_test(queue_id: int, *, actor: Actor, at: datetime) -> str:  # noqa: ARG001 - logged by who asks
    """Put one `system.status` message on a queue and return its event id. It is no fact and has no number.

    Raises QueueNotFound, QueueUnreachable.
    """
    queue = _found(Queue, queue_id)
    event_id = f"evt_{int(at.timestamp())}_{ids.token(12)}"
    operator_id = queue.operator.public_id
    body = {
        "eventType": "system.status",
        "eventId": event_id,
        "timestamp": iso(at),
        "tournamentId": None,
        "operatorId": operator_id,
        "data": {"status": "test", "message": "A test message from Podium.", "severity": "info"},
    }
    attributes: dict[str, str | int] = {"eventType": "system.status", "operatorId": operator_id}
    try:
        failed = sqs.send(queue, [sqs.Message(event_id, "operator", dumps(body), attributes)])
    except sqs.Trouble as problem:
        raise QueueUnreachable(str(problem)) from problem
    if failed:
        raise QueueUnreachable(str(failed[0]))
    return event_id


def check(queue_id: int, *, model: type[Either]) -> tuple[int, int]:
    """Return about how many messages wait in a queue and how many are with a consumer.

    Raises QueueNotFound, QueueUnreachable.
    """
    try:
        return sqs.waiting(_found(model, queue_id))
    except sqs.Trouble as problem:
        raise QueueUnreachable(str(problem)) from problem


def _found(model: type[Either], queue_id: int) -> Either:
    queue: Either | None = model.objects.filter(pk=queue_id).first()
    if queue is None:
        raise queues.QueueNotFound
    return queue
