"""Rounds over a real RabbitMQ: taken once, dead letters kept, nothing acknowledged before it is stored."""

import json
import os
import signal
import subprocess
import sys
import threading

import amqp
import pytest

from apps.core import clock, leash
from apps.core.actors import SYSTEM
from apps.core.errors import DomainError
from apps.rounds.channels import consuming
from apps.rounds.channels.feeds import Trouble
from apps.rounds.models import Channel, ChannelKind, PendingRound, Round
from apps.rounds.services import channels, intake
from config import addresses
from tests.benchmarks import web
from tests.rounds.channels import brokers
from tests.rounds.world import Integration, a_round
from tests.workers import eventually

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not brokers.is_there(), reason=brokers.WHY_NOT),
]

# Runs the command and dies by a kill where it would acknowledge what it has just stored.
DIES_BEFORE_ACK = """
import os, signal, sys
import django; django.setup()
from apps.rounds.channels.rabbitmq import RabbitFeed
RabbitFeed.settle = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
from django.core.management import call_command
call_command("consume_rounds", channel=sys.argv[1])
"""


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    with brokers.rabbitmq(tmp_path_factory.mktemp("rabbitmq")) as port:
        yield port


@pytest.fixture(autouse=True)
def _loopback(settings):
    settings.EGRESS_ALLOW_LOOPBACK = True


@pytest.fixture
def acme() -> Integration:
    return Integration()


class Queue:
    """A channel on a queue of its own, and the client that publishes to it."""

    def __init__(self, port: int, acme: Integration, name: str, **more) -> None:
        self.queue = f"gamity.{acme.name}.{name}"
        self.channel: Channel = channels.add(
            acme.operator.pk,
            name=name,
            integration=acme.name,
            kind=ChannelKind.RABBITMQ,
            configuration={"host": "127.0.0.1", "port": port, "tls": False, "queue": self.queue, **more},
            mapping={},
            secret="guest",
            actor=SYSTEM,
            at=clock.now(),
        )
        self.connection = brokers.connect(port)
        self.there = self.connection.channel()

    def feed(self):
        return consuming.open_feed(self.channel, threading.Event())

    def publish(self, *bodies) -> None:
        for body in bodies:
            text = body if isinstance(body, bytes) else json.dumps(body)
            self.there.basic_publish(amqp.Message(text, delivery_mode=2), routing_key=self.queue)

    def waiting(self, suffix: str = "") -> int:
        return int(self.there.queue_declare(self.queue + suffix, passive=True).message_count)


def read_all(queue: Queue, feed) -> int:
    count = 0
    while found := consuming.read_once(queue.channel, feed):
        count += found
    return count


def test_messages_of_one_round_or_many_are_taken_in_and_bad_ones_become_dead_letters(port, acme):
    queue = Queue(port, acme, "mixed")
    feed = queue.feed()
    batch = [a_round() for _ in range(100)]
    queue.publish(a_round(roundId="one"), batch, b"no json", a_round(betAmount=-1), batch[:3], [a_round()] * 101)
    assert read_all(queue, feed) == 6
    assert Round.objects.count() == 101
    assert {*Round.objects.values_list("integration", "operator_id")} == {("acme", acme.operator.pk)}
    eventually(lambda: queue.waiting(".dead") == 3)
    dead = queue.there.basic_get(f"{queue.queue}.dead", no_ack=True)
    assert bytes(dead.body) == b"no json"
    assert dead.headers["x-death"][0]["reason"] == "rejected"
    feed.close()
    assert queue.waiting() == 0
    kept = Channel.objects.get(pk=queue.channel.pk)
    assert (kept.taken, kept.refused, kept.failures) == (104, 3, 0)
    assert kept.last_error.startswith("TOO_MANY_ROUNDS")


def test_the_queue_has_the_name_of_the_contract_and_is_durable(port, acme):
    queue = Queue(port, acme, "named", queue="")
    feed = queue.feed()
    assert feed.queue == "gamity.acme.rounds"
    with pytest.raises(amqp.exceptions.PreconditionFailed):
        queue.there.queue_declare("gamity.acme.rounds", durable=False)
    feed.close()


def test_what_could_not_be_stored_comes_again(port, acme, monkeypatch):
    queue = Queue(port, acme, "again")
    queue_feed = queue.feed()
    queue.publish(*(a_round() for _ in range(20)))
    takes = intake.take

    def fails(*_, **__):
        raise consuming.DatabaseError("the disk is full")

    monkeypatch.setattr(intake, "take", fails)
    with pytest.raises(consuming.DatabaseError):
        read_all(queue, queue_feed)
    queue_feed.close()
    monkeypatch.setattr(intake, "take", takes)
    eventually(lambda: queue.waiting() == 20)
    feed = queue.feed()
    assert read_all(queue, feed) == 20
    feed.close()
    assert Round.objects.count() == 20
    assert queue.waiting() == queue.waiting(".dead") == 0


def test_a_wrong_password_and_a_place_that_is_not_fit_are_told_to_staff(port, acme, settings):
    queue = Queue(port, acme, "closed")
    channels.change(
        queue.channel.pk,
        configuration=queue.channel.configuration,
        mapping={},
        secret="wrong",
        actor=SYSTEM,
        at=clock.now(),
    )
    queue.channel.refresh_from_db()
    with pytest.raises(Trouble, match="ACCESS_REFUSED"):
        queue.feed()
    settings.EGRESS_ALLOW_LOOPBACK = False
    with pytest.raises(DomainError, match="not called"):
        consuming.check(queue.channel.pk)


def test_a_consumer_that_is_killed_between_commit_and_acknowledgement_counts_rounds_once(port, acme):
    queue = Queue(port, acme, "killed")
    queue.feed().close()
    queue.publish(*([a_round() for _ in range(5)] for _ in range(50)))
    environment = web.environment() | {"EGRESS_ALLOW_LOOPBACK": "true", "ROUNDS_COUNT_SECONDS": "0"}
    on_leash = [sys.executable, "-P", leash.__file__, str(os.getpid()), sys.executable]

    def start(*words):
        return subprocess.Popen([*on_leash, *words], cwd=addresses.REPOSITORY, env=environment)

    first = start("-c", DIES_BEFORE_ACK, "killed")
    assert first.wait(240) == -signal.SIGKILL
    stored = Round.objects.count()
    assert stored > 0
    eventually(lambda: queue.waiting() == 50)  # the broker has them all back: not one was acknowledged
    second = start("manage.py", "consume_rounds", "--channel", "killed")
    try:
        eventually(lambda: Channel.objects.get(pk=queue.channel.pk).taken == 250, seconds=240)
        eventually(lambda: queue.waiting() == 0)
    finally:
        second.send_signal(signal.SIGTERM)
        assert second.wait(60) == 0
    assert Round.objects.count() == 250
    assert PendingRound.objects.count() == 250
