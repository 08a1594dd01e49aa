"""Facts and the stream they are numbered in; where they go, and how they got there."""

from apps.events.models.endpoints import OWNED, Attempt, Delivery, Endpoint, Format
from apps.events.models.facts import Fact, Stream
from apps.events.models.queues import InboundQueue, Queue, Refusal

__all__ = [
    "OWNED",
    "Attempt",
    "Delivery",
    "Endpoint",
    "Fact",
    "Format",
    "InboundQueue",
    "Queue",
    "Refusal",
    "Stream",
]
