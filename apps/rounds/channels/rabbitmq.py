"""Read a queue of RabbitMQ: manual acknowledgement once rounds are stored, dead letters for what is not well formed.

py-amqp is what Celery brings along for its own brokers. The connection goes to an address that was found fit, and TLS
proves the name.
"""

import ssl
import time
from contextlib import suppress
from typing import Any

import amqp
import certifi
from amqp.exceptions import AMQPError

from apps.core import egress
from apps.rounds.channels.feeds import WAIT_SECONDS, Message, Outcome, Trouble
from apps.rounds.services.channels import Rabbit

CONNECT_SECONDS = 10.0
HEARTBEAT_SECONDS = 60
# Messages that come this close after one another are taken together.
QUIET_SECONDS = 0.005


class RabbitFeed:
    """One connection, one consumer, as many unacknowledged messages as `prefetch`."""

    def __init__(self, setup: Rabbit, *, integration: str, secret: str) -> None:
        """Connect and begin to consume. Raises Trouble."""
        self.setup = setup
        self.queue = setup.queue_of(integration)
        self.dead_queue = setup.dead_queue_of(integration)
        self.got: list[Message] = []
        self.waiting = 0
        self.consuming = False
        self.connection: Any = None
        try:
            self.connection = self._connect(secret)
            self.channel = self.connection.channel()
            self._declare()
        except (AMQPError, OSError, egress.Failed, egress.Refused) as problem:
            self.close()
            raise Trouble(_told(problem)) from problem

    def fetch(self) -> list[Message]:
        """Return what has come: up to `prefetch` messages, without waiting long for more than one."""
        try:
            if not self.consuming:
                self.channel.basic_consume(self.queue, callback=self._take, no_ack=False)
                self.consuming = True
            self.connection.heartbeat_tick()
            until = time.monotonic() + WAIT_SECONDS
            while len(self.got) < self.setup.prefetch and (left := until - time.monotonic()) > 0:
                try:
                    self.connection.drain_events(timeout=QUIET_SECONDS if self.got else left)
                except TimeoutError:
                    break
        except (AMQPError, OSError) as problem:
            raise Trouble(_told(problem)) from problem
        got, self.got = self.got, []
        return got

    def settle(self, outcome: Outcome) -> None:
        """Reject what is refused, which becomes a dead letter, requeue what failed, acknowledge the rest."""
        try:
            for message, _ in outcome.refused:
                self.channel.basic_reject(message.handle, requeue=False)
            for message in outcome.back:
                self.channel.basic_reject(message.handle, requeue=True)
            if outcome.taken:
                # Everything up to here: what came before is settled by now.
                if outcome.back:
                    for message in outcome.taken:
                        self.channel.basic_ack(message.handle)
                else:
                    self.channel.basic_ack(outcome.taken[-1].handle, multiple=True)
        except (AMQPError, OSError) as problem:
            raise Trouble(_told(problem)) from problem

    def check(self) -> str:
        """Say how much waits."""
        return f"{self.queue}: {self.waiting} messages wait"

    def close(self) -> None:
        """Hang up; the broker requeues what was not acknowledged."""
        with suppress(Exception):
            self.connection.close()

    def _connect(self, secret: str) -> Any:
        setup = self.setup
        fit = egress.fit_addresses(setup.host, setup.port, secure=setup.tls, timeout=CONNECT_SECONDS)
        tls: Any = False
        if setup.tls:
            tls = {
                "cert_reqs": ssl.CERT_REQUIRED,
                "ca_certs": certifi.where(),
                "server_hostname": setup.host,
                "ssl_version": ssl.PROTOCOL_TLS_CLIENT,
            }
        address = f"[{fit[0]}]" if ":" in fit[0] else fit[0]
        connection = amqp.Connection(
            host=f"{address}:{setup.port}",
            userid=setup.username,
            password=secret,
            virtual_host=setup.virtual_host,
            ssl=tls,
            connect_timeout=CONNECT_SECONDS,
            read_timeout=None,
            write_timeout=CONNECT_SECONDS,
            heartbeat=HEARTBEAT_SECONDS,
        )
        connection.connect()
        return connection

    def _declare(self) -> None:
        if self.setup.declare:
            self.channel.queue_declare(self.dead_queue, durable=True, auto_delete=False)
            told = self.channel.queue_declare(
                self.queue,
                durable=True,
                auto_delete=False,
                arguments={"x-dead-letter-exchange": "", "x-dead-letter-routing-key": self.dead_queue},
            )
        else:
            told = self.channel.queue_declare(self.queue, passive=True)
        self.waiting = told.message_count
        self.channel.basic_qos(0, self.setup.prefetch, False)

    def _take(self, message: Any) -> None:
        body = message.body.encode() if isinstance(message.body, str) else bytes(message.body)
        self.got.append(Message(body, message.delivery_tag))


def _told(problem: Exception) -> str:
    text = str(problem) or type(problem).__name__
    return f"RabbitMQ: {text}"[:300]
