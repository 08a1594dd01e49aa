"""An operator's endpoints and queues, with something on its way to each."""

from datetime import UTC, datetime, timedelta

from apps.core.actors import Actor
from apps.events.lifecycle import DeliveryStatus
from apps.events.models import Attempt, Delivery, Endpoint, Fact, InboundQueue, Queue, Refusal
from apps.events.services import endpoints, numbering, queues
from apps.events.services.queues import Access
from apps.operators.models import Operator

STAFF = Actor("staff", "ada@podium.example")
AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Told:
    """One endpoint with a delivery in every state, one queue each way."""

    def __init__(self, operator: Operator, subject: str) -> None:
        name = operator.name
        self.made = endpoints.create_endpoint(
            operator.pk, url=f"https://hooks.example/{name}", events=["player.*"], description=f"{name} hooks",
            actor=STAFF, at=AT,
        )  # fmt: skip
        self.endpoint: Endpoint = self.made.endpoint
        self.queue: Queue = queues.add_queue(
            operator.pk,
            Access(
                name=f"{name} casino", url=f"https://sqs.example/1/{name}.fifo", access_key_id="AKIA", secret="s3cr3t"
            ),
            events=["*"], actor=STAFF, at=AT,
        )  # fmt: skip
        self.inbound: InboundQueue = queues.add_inbound_queue(
            operator.pk,
            Access(name=f"{name} games", url=f"https://sqs.example/1/{name}-games.fifo"),
            actor=STAFF,
            at=AT,
        )
        while numbering.number_facts(operator.pk):
            pass
        self.facts = list(Fact.objects.about(operator.pk, subject).filter(type="player.registered"))
        deliveries = [Delivery.objects.get(endpoint=self.endpoint, fact=fact) for fact in self.facts]
        self.arrived, self.dead, self.waiting = deliveries
        self.settle(self.arrived, DeliveryStatus.DELIVERED, 204)
        self.settle(self.dead, DeliveryStatus.EXHAUSTED, 500)
        self.refusal = Refusal.objects.create(
            queue=self.queue, fact=self.facts[0], error="BatchRequestTooLong", refused_at=AT
        )

    def settle(self, delivery: Delivery, state: DeliveryStatus, answer: int) -> None:
        """What the relay would have noted after one try."""
        Attempt.objects.create(
            delivery=delivery, number=1, started_at=AT + timedelta(seconds=1), milliseconds=35,
            request_headers={"webhook-id": delivery.fact.public_id if delivery.fact else ""},
            body_digest="0" * 64, body_bytes=210, status=answer, answer="<b>what they said</b>",
        )  # fmt: skip
        Delivery.objects.filter(pk=delivery.pk).update(
            status=state, attempts=1, next_attempt_at=None, finished_at=AT, last_status=answer
        )
        delivery.__dict__.update(Delivery.objects.filter(pk=delivery.pk).values().get())
