"""Read a topic of Kafka: offsets are committed once rounds are stored, a dead-letter topic for what is not well formed.

Keys (`brandId:playerId`) keep the order of each player within a partition; we only keep the partitions' order.
librdkafka resolves names by itself and goes to whichever brokers the cluster names, so the addresses of all of them
are looked at before a topic is read, and again whenever a feed is opened.
"""

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from apps.core import egress
from apps.rounds.channels.feeds import WAIT_SECONDS, Message, Outcome, Trouble
from apps.rounds.services.channels import Kafka

# Messages that are taken together.
AT_ONCE = 500
ANSWER_SECONDS = 10.0
# A partition that nobody has written to yet is no failure.
HARMLESS = {KafkaError._PARTITION_EOF}  # noqa: SLF001 - librdkafka's own name


class KafkaFeed:
    """One member of the consumer group, and a producer for dead letters once there are any."""

    def __init__(self, setup: Kafka, *, integration: str, secret: str) -> None:
        """Join the group. Raises Trouble."""
        self.setup = setup
        self.topic = setup.topic_of(integration)
        self.dead_topic = setup.dead_topic_of(integration)
        self.common = _common(setup, secret)
        self.producer: Producer | None = None
        try:
            self._judge(setup.servers.split(","))
            self.consumer = Consumer(
                {
                    **self.common,
                    "group.id": setup.group_of(integration),
                    "enable.auto.commit": False,
                    "auto.offset.reset": setup.start,
                    # A reader that was killed is replaced after ten seconds; the default is 45.
                    "session.timeout.ms": 10_000,
                    # What waits here is memory: enough for a few rounds of work.
                    "queued.max.messages.kbytes": 16 * 1024,
                }
            )
        except (KafkaException, egress.Failed, egress.Refused, ValueError) as problem:
            raise Trouble(_told(problem)) from problem
        try:
            self.partitions = self._look()
            self.consumer.subscribe([self.topic])
        except BaseException as problem:
            self.close()
            if isinstance(problem, KafkaException | egress.Failed | egress.Refused):
                raise Trouble(_told(problem)) from problem
            raise

    def fetch(self) -> list[Message]:
        """Return up to AT_ONCE messages."""
        got = []
        try:
            # The first is waited for; what else is there comes with it.
            first = self.consumer.poll(WAIT_SECONDS)
            if first is None:
                return []
            for one in [first, *self.consumer.consume(AT_ONCE - 1, timeout=0.01)]:
                if (problem := one.error()) is None:
                    got.append(Message(one.value() or b"", one))
                elif problem.code() not in HARMLESS:
                    raise Trouble(_told(KafkaException(problem)))
        except KafkaException as problem:
            raise Trouble(_told(problem)) from problem
        return got

    def settle(self, outcome: Outcome) -> None:
        """Put dead letters aside, then commit as far as everything is settled; what failed is read again from there."""
        try:
            self._bury(outcome)
            back: dict[int, int] = {}
            for message in outcome.back:
                place = message.handle.partition()
                back[place] = min(back.get(place, message.handle.offset()), message.handle.offset())
            done: dict[int, int] = {}
            for message in [*outcome.taken, *(message for message, _ in outcome.refused)]:
                place, offset = message.handle.partition(), message.handle.offset()
                if offset < back.get(place, offset + 1):
                    done[place] = max(done.get(place, 0), offset + 1)
            if done:
                self.consumer.commit(offsets=self._places(done), asynchronous=False)
            for where in self._places(back):
                self.consumer.seek(where)
        except KafkaException as problem:
            raise Trouble(_told(problem)) from problem

    def check(self) -> str:
        """Say what the topic is like."""
        return f"{self.topic}: {self.partitions} partitions"

    def close(self) -> None:
        """Leave the group."""
        with suppress(Exception):
            self.consumer.close()

    def _places(self, offsets: Mapping[int, int]) -> list[TopicPartition]:
        return [TopicPartition(self.topic, place, offset) for place, offset in sorted(offsets.items())]

    def _bury(self, outcome: Outcome) -> None:
        if not outcome.refused:
            return
        if self.producer is None:
            self.producer = Producer({**self.common, "acks": "all", "enable.idempotence": True})
        failed: list[Any] = []

        def told(problem: Any, _: Any) -> None:
            if problem is not None:
                failed.append(problem)

        for message, error in outcome.refused:
            one = message.handle
            headers: list[tuple[str, str | bytes | None]] = [
                ("error", error.encode()),
                ("from", f"{one.topic()}/{one.partition()}/{one.offset()}".encode()),
            ]
            self.producer.produce(self.dead_topic, value=one.value(), key=one.key(), headers=headers, on_delivery=told)
        left = self.producer.flush(ANSWER_SECONDS)
        if left or failed:
            raise Trouble(
                f"Kafka: dead letters were not taken by {self.dead_topic}: {failed[0] if failed else 'no answer'}"
            )

    def _look(self) -> int:
        """Ask which brokers and partitions there are; every broker has to be fit to call."""
        told = self.consumer.list_topics(self.topic, timeout=ANSWER_SECONDS)
        self._judge([f"{broker.host}:{broker.port}" for broker in told.brokers.values()])
        topic = told.topics[self.topic]
        if topic.error is not None:
            raise KafkaException(topic.error)
        return len(topic.partitions)

    def _judge(self, servers: list[str]) -> None:
        until = time.monotonic() + ANSWER_SECONDS
        for server in servers:
            host, _, port = server.rpartition(":")
            left = max(0.1, until - time.monotonic())
            egress.fit_addresses(host.strip("[]"), int(port), secure=self.setup.security.endswith("SSL"), timeout=left)


def _common(setup: Kafka, secret: str) -> dict[str, Any]:
    said: dict[str, Any] = {
        "bootstrap.servers": setup.servers,
        "client.id": "podium",
        "security.protocol": setup.security,
        # Told through the errors of calls; librdkafka's own lines would bypass the log.
        "log_level": 0,
    }
    if setup.security.startswith("SASL"):
        said |= {"sasl.mechanism": setup.mechanism, "sasl.username": setup.username, "sasl.password": secret}
    return said


def _told(problem: Exception) -> str:
    if isinstance(problem, KafkaException) and problem.args and isinstance(problem.args[0], KafkaError):
        return f"Kafka: {problem.args[0].str()}"[:300]
    return f"Kafka: {problem}"[:300]
