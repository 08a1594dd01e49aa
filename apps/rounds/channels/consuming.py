"""Read channels for as long as they are switched on: fetch, take in, settle; and wait longer after each failure."""

import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime

import structlog
from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, ProgrammingError, connection

from apps.core import clock
from apps.core.crew import Crew
from apps.core.errors import DomainError
from apps.rounds.channels.feeds import Feed, Message, Outcome, Trouble, read, why
from apps.rounds.channels.kafka import KafkaFeed
from apps.rounds.channels.pull import PullFeed
from apps.rounds.channels.rabbitmq import RabbitFeed
from apps.rounds.models import Channel
from apps.rounds.reading import ToldRound
from apps.rounds.services import channels, counting, intake

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
    good: list[tuple[Message, list[ToldRound]]] = []
    refused: list[tuple[Message, str]] = []
    for message in messages:
        try:
            good.append((message, read(message, channel.mapping)))
        except DomainError as problem:
            refused.append((message, why(problem)))
    at = now()
    taken, back = _take(channel, good, at)
    feed.settle(Outcome([message for message, _ in taken], refused, back))
    rounds = sum(len(told) for _, told in taken)
    channels.note_taken(channel.pk, rounds=rounds, refused=len(refused), error=refused[-1][1] if refused else "", at=at)
    if refused:
        log.warning("channel_messages_refused", channel=channel.name, count=len(refused), first=refused[0][1])
        counting.count(channel.operator_id, channel.integration, calls=len(refused), refused=len(refused), at=at)
    if back:
        raise Trouble(f"{len(back)} messages could not be stored; see the log.")
    return len(messages)


Told = tuple[Message, list[ToldRound]]


def _take(channel: Channel, good: Sequence[Told], at: datetime) -> tuple[Sequence[Told], list[Message]]:
    """Take messages in, many at once; return those that are durable, and those that failed by a fault of ours."""
    back: list[Message] = []
    taken: list[Told] = []
    for some in _portions(good):
        try:
            _store(channel, some, at)
            taken += some
        except BUGS:
            # One message must not hold up the others: each by itself, to find it.
            for one in some:
                try:
                    _store(channel, [one], at)
                    taken.append(one)
                except BUGS:
                    log.exception("channel_message_failed", channel=channel.name)
                    back.append(one[0])
    return taken, back


def _store(channel: Channel, some: Sequence[Told], at: datetime) -> None:
    intake.take(
        [one for _, told in some for one in told],
        operator_id=channel.operator_id,
        integration=channel.integration,
        calls=len(some),
        at=at,
    )


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
