"""Read channels for as long as they are switched on: fetch, take in, settle; and wait longer after each failure."""

import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime
from typing import Any

import structlog
from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, ProgrammingError, connection

from apps.core import clock
from apps.core.crew import Crew
from apps.core.errors import DomainError
from apps.rounds.channels.feeds import Feed, Message, Outcome, Trouble, read, read_transactions, why
from apps.rounds.channels.kafka import KafkaFeed
from apps.rounds.channels.pull import PullFeed
from apps.rounds.channels.rabbitmq import RabbitFeed
from apps.rounds.models import Channel
from apps.rounds.services import channels, counting, intake, transactions

log = structlog.get_logger(__name__)

# As many rounds go into one statement: more make it no faster, and longer for the one that waits behind it.
AT_ONCE = 5000
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
# How often a quiet channel is noted as well.
WELL_SECONDS = 15.0
# What a message itself brought about; everything else of a database passes for all messages alike.
BUGS = (DataError, IntegrityError, ProgrammingError)

Key = tuple[int, datetime]


def crew(name: str | None = None) -> Crew[Key]:
    """Return the readers of all channels that are switched on, or of the one with this name."""
    return Crew("channel", lambda: channels.to_read(name).items(), lambda key, told: read_on(key[0], told))


def open_feed(channel: Channel, told: threading.Event) -> Feed:
    """Open a channel. Raises Trouble."""
    setup, secret = channels.setup_of(channel), channels.secret_of(channel)
    if isinstance(setup, channels.Rabbit):
        return RabbitFeed(setup, integration=channel.integration, secret=secret)
    if isinstance(setup, channels.Kafka):
        return KafkaFeed(setup, integration=channel.integration, secret=secret)
    return PullFeed(setup, channel=channel, secret=secret, told=told)


def check(channel_id: int, **_: object) -> str:
    """Open a channel, take nothing and say how the other side is found. Raises Unreachable."""
    channel = Channel.objects.get(pk=channel_id)
    try:
        with closing(open_feed(channel, threading.Event())) as feed:
            return feed.check()
    except Trouble as problem:
        raise Unreachable(str(problem)) from problem


class Unreachable(DomainError):
    """The other side can't be reached like this."""

    code = "UNREACHABLE"


def read_on(channel_id: int, told: threading.Event, now: Callable[[], datetime] = clock.now) -> None:
    """Read one channel until told to stop; after the n-th failure in a row wait 2ⁿ seconds, a minute at most."""
    while not told.is_set():
        channel = Channel.objects.filter(pk=channel_id, enabled=True).first()
        if channel is None:
            return
        try:
            with closing(open_feed(channel, told)) as feed:
                _read_while_well(channel, feed, told, now)
        except Trouble as problem:
            log.warning("channel_trouble", channel=channel.name, problem=str(problem))
            failures = channels.note_trouble(channel_id, error=str(problem), at=now())
        except (DatabaseError, InterfaceError) as problem:
            # Nothing can be noted either; what was not settled comes again.
            connection.close()
            log.warning("channel_not_stored", channel=channel.name, problem=str(problem))
            failures = 3
        else:
            continue
        finally:
            connection.close()
        told.wait(min(FIRST_PAUSE * 2 ** min(failures - 1, 10), LONGEST_PAUSE))


def _read_while_well(channel: Channel, feed: Feed, told: threading.Event, now: Callable[[], datetime]) -> None:
    noted = None
    while not told.is_set():
        if read_once(channel, feed, now=now):
            noted = now()
        elif noted is None or (now() - noted).total_seconds() > WELL_SECONDS:
            noted = now()
            channels.note_well(channel.pk, at=noted)
            # A quiet channel needs no connection to the database.
            connection.close()


def read_once(channel: Channel, feed: Feed, *, now: Callable[[], datetime] = clock.now) -> int:
    """Fetch once, take in what came and settle it; return how many messages there were.

    Raises Trouble and DatabaseError; what was not settled then is delivered again.
    """
    messages = feed.fetch()
    if not messages:
        return 0
    good: list[Told] = []
    refused: list[Refused] = []
    understand = _reader(channel)
    for message in messages:
        try:
            good.append((message, understand(message)))
        except DomainError as problem:
            refused.append((message, why(problem)))
    at = now()
    taken, back, late = _take(channel, good, at)
    refused += late
    feed.settle(Outcome([message for message, _ in taken], refused, back))
    rounds = sum(len(told) for _, told in taken)
    channels.note_taken(channel.pk, rounds=rounds, refused=len(refused), error=refused[-1][1] if refused else "", at=at)
    if refused:
        log.warning("channel_messages_refused", channel=channel.name, count=len(refused), first=refused[0][1])
        counting.count(channel.operator_id, channel.integration, calls=len(refused), refused=len(refused), at=at)
    if back:
        raise Trouble(f"{len(back)} messages could not be stored; see the log.")
    return len(messages)


Told = tuple[Message, list[Any]]
Refused = tuple[Message, str]


def _reader(channel: Channel) -> Callable[[Message], list[Any]]:
    """Return what reads a message of the channel: into rounds, or into bets and wins."""
    if channel.transactions is None:
        return lambda message: read(message, channel.mapping)
    known = channels.transactions_of(channel)
    return lambda message: read_transactions(message, channel.mapping, known)


def _take(channel: Channel, good: Sequence[Told], at: datetime) -> tuple[list[Told], list[Message], list[Refused]]:
    """Take messages in, many at once; return those that are durable, that failed by a fault of ours, that came late."""
    back: list[Message] = []
    taken: list[Told] = []
    late: list[Refused] = []
    for some in _portions(good):
        try:
            late += _store(channel, some, at)
            taken += some
        except BUGS:
            # One message must not hold up the others: each by itself, to find it.
            for one in some:
                try:
                    late += _store(channel, [one], at)
                    taken.append(one)
                except BUGS:
                    log.exception("channel_message_failed", channel=channel.name)
                    back.append(one[0])
    gone = {id(message) for message, _ in late}
    return [one for one in taken if id(one[0]) not in gone], back, late


def _store(channel: Channel, some: Sequence[Told], at: datetime) -> list[Refused]:
    """Store what messages hold; return those with a transaction that can't belong to its round any more."""
    told = [one for _, several in some for one in several]
    if channel.transactions is None:
        intake.take(told, operator_id=channel.operator_id, integration=channel.integration, calls=len(some), at=at)
        return []
    refused = transactions.gather(told, channel=channel, calls=len(some), at=at)
    of = [message for message, several in some for _ in several]
    return [*{id(of[place]): (of[place], error) for place, error in refused.items()}.values()]


def _portions(good: Sequence[Told]) -> list[list[Told]]:
    portions: list[list[Told]] = []
    size = AT_ONCE
    for one in good:
        if size + len(one[1]) > AT_ONCE:
            portions.append([])
            size = 0
        portions[-1].append(one)
        size += len(one[1])
    return portions
