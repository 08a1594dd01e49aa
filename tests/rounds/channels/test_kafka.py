"""Rounds over Kafka's protocol, against the mock cluster that librdkafka brings along."""

import json
import threading

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.rounds.channels import consuming
from apps.rounds.channels.feeds import Trouble
from apps.rounds.models import Channel, ChannelKind, Round
from apps.rounds.services import channels, intake
from tests.rounds.world import Integration, a_round

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def cluster():
    """A client that holds a cluster of one broker; others reach it by the address that the client was told."""
    client = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "replaced"})
    broker = next(iter(client.list_topics(timeout=30).brokers.values()))
    return client, f"{broker.host}:{broker.port}"


@pytest.fixture(autouse=True)
def _loopback(settings):
    settings.EGRESS_ALLOW_LOOPBACK = True


@pytest.fixture
def acme() -> Integration:
    return Integration()


class Topic:
    """A channel on a topic of its own."""

    def __init__(self, cluster, acme: Integration, name: str) -> None:
        self.client, self.address = cluster
        self.name = f"rounds.{name}"
        self.channel: Channel = channels.add(
            acme.operator.pk,
            name=name,
            integration=acme.name,
            kind=ChannelKind.KAFKA,
            configuration={
                "servers": self.address,
                "security": "PLAINTEXT",
                "topic": self.name,
                "group": self.name,  # a group with members of another topic takes its time to become one
            },
            mapping={},
            actor=SYSTEM,
            at=clock.now(),
        )

    def publish(self, *bodies) -> None:
        for body in bodies:
            text = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.client.produce(self.name, value=text, key=b"superkingz:Player-4", partition=0)
        assert self.client.flush(30) == 0

    def feed(self):
        return consuming.open_feed(self.channel, threading.Event())

    def read(self, feed, count: int) -> None:
        """Joining a group takes a few looks."""
        for _ in range(120):
            if count <= 0:
                return
            count -= consuming.read_once(self.channel, feed)
        raise AssertionError("it did not come")

    def committed(self) -> int:
        consumer = Consumer({"bootstrap.servers": self.address, "group.id": self.name})
        try:
            return int(consumer.committed([TopicPartition(self.name, 0)], timeout=30)[0].offset)
        finally:
            consumer.close()

    def dead(self) -> list:
        reader = Consumer(
            {"bootstrap.servers": self.address, "group.id": f"look-{self.name}", "auto.offset.reset": "earliest"}
        )
        reader.subscribe([f"{self.name}.dead"])
        try:
            found = reader.consume(1, timeout=60)
            return [*found, *reader.consume(10, timeout=0.5)]
        finally:
            reader.close()


def test_messages_are_taken_in_committed_and_bad_ones_go_to_the_dead_letter_topic(cluster, acme):
    topic = Topic(cluster, acme, "mixed")
    batch = [a_round() for _ in range(100)]
    topic.publish(a_round(roundId="one"), batch, b"no json", a_round(currency=None), batch[:3])
    feed = topic.feed()
    topic.read(feed, 5)
    feed.close()
    assert Round.objects.count() == 101
    assert topic.committed() == 5
    first, second = topic.dead()
    assert (first.key(), first.value()) == (b"superkingz:Player-4", b"no json")
    assert dict(first.headers())["error"].startswith(b"MALFORMED_JSON: ")
    assert dict(first.headers())["from"] == b"rounds.mixed/0/2"
    assert dict(second.headers())["error"] == b"VALIDATION_FAILED: [0] currency required"
    kept = Channel.objects.get(pk=topic.channel.pk)
    assert (kept.taken, kept.refused) == (104, 2)


def test_nothing_is_committed_before_it_is_stored_and_the_next_reader_begins_there(cluster, acme, monkeypatch):
    topic = Topic(cluster, acme, "again")
    topic.publish(*(a_round() for _ in range(30)))
    takes = intake.take

    def fails(*_, **__):
        raise consuming.DatabaseError("the disk is full")

    monkeypatch.setattr(intake, "take", fails)
    feed = topic.feed()
    with pytest.raises(consuming.DatabaseError):
        topic.read(feed, 30)
    feed.close()
    assert topic.committed() < 0  # none
    monkeypatch.setattr(intake, "take", takes)
    feed = topic.feed()
    topic.read(feed, 30)
    feed.close()
    assert topic.committed() == Round.objects.count() == 30


def test_a_message_that_fails_here_is_read_again_and_those_before_it_are_not(cluster, acme, monkeypatch):
    topic = Topic(cluster, acme, "stuck")
    topic.publish(*(a_round(roundId=f"k-{n}") for n in range(10)))
    takes = intake.take
    bad = {"k-6"}

    def picky(rounds, **more):
        if bad & {one.round_id for one in rounds}:
            raise consuming.DataError("a bug")
        return takes(rounds, **more)

    monkeypatch.setattr(intake, "take", picky)
    feed = topic.feed()
    with pytest.raises(Trouble, match="1 messages could not be stored"):
        topic.read(feed, 10)
    assert topic.committed() == 6
    assert Round.objects.count() == 9
    bad.clear()
    topic.read(feed, 4)
    feed.close()
    assert (topic.committed(), Round.objects.count()) == (10, 10)


def test_brokers_that_are_not_fit_to_call_are_not_called(cluster, acme, settings):
    topic = Topic(cluster, acme, "shut")
    settings.EGRESS_ALLOW_LOOPBACK = False
    with pytest.raises(Trouble, match="not called"):
        topic.feed()
