"""What staff set up about channels of rounds, and how the channels fare (rounds.md 4).

How a channel is spoken to is agreed with each client, so everything that may differ is configuration: where it is, how
it is entered, and where each field of ours stands in the client's own message.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from django.db import IntegrityError, transaction
from django.db.models import F
from msgspec import Meta

from apps.core import crypto, egress
from apps.core.actors import Actor
from apps.core.errors import DomainError, Invalid, NotFound
from apps.rounds.models import Channel, ChannelKind, RefusedItem
from apps.rounds.reading import ToldRound

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}", re.ASCII)
INTEGRATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}", re.ASCII)
# Where something stands in a message: `round.id`.
PATH = re.compile(r"[^\s.=]+(\.[^\s.=]+)*")
FIELDS = ToldRound.__struct_encode_fields__
# What a transaction says of itself, besides the fields of its round but for their two amounts.
OF_TRANSACTIONS = ("transactionId", "transactionType", "amount", "roundEnded")

Host = Annotated[str, Meta(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9._:-]+$")]
Servers = Annotated[str, Meta(min_length=3, max_length=1000, pattern=r"^[A-Za-z0-9.-]+:\d+(,[A-Za-z0-9.-]+:\d+)*$")]
Word = Annotated[str, Meta(max_length=200, pattern=r"^[^\x00-\x1f]*$")]
Header = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9-]+$")]
Parameter = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9_.\[\]-]+$")]
Place = Annotated[str, Meta(max_length=200, pattern=r"^([^\s.=]+(\.[^\s.=]+)*)?$")]


class ChannelNotFound(NotFound):
    """There is no such channel."""


class ChannelNameTaken(DomainError):
    """Another channel has this name."""

    code = "NAME_TAKEN"
    hint = "Names are unique over all operators, because `consume_rounds --channel` goes by them."


class Rabbit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A queue of RabbitMQ. Empty queue names are those of the contract."""

    host: Host
    port: Annotated[int, Meta(ge=1, le=65535)] = 5671
    tls: bool = True
    virtual_host: Word = "/"
    username: Word = "guest"
    queue: Word = ""
    dead_queue: Word = ""
    declare: bool = True
    prefetch: Annotated[int, Meta(ge=1, le=5000)] = 200

    def queue_of(self, integration: str) -> str:
        """The queue to read."""
        return self.queue or f"gamity.{integration}.rounds"

    def dead_queue_of(self, integration: str) -> str:
        """Where refused messages go."""
        return self.dead_queue or f"{self.queue_of(integration)}.dead"


class Kafka(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A topic of Kafka. Empty names are those of the contract."""

    servers: Servers
    security: Literal["PLAINTEXT", "SSL", "SASL_SSL", "SASL_PLAINTEXT"] = "SASL_SSL"
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    username: Word = ""
    topic: Word = ""
    group: Word = ""
    dead_topic: Word = ""
    start: Literal["earliest", "latest"] = "earliest"

    def topic_of(self, integration: str) -> str:
        """The topic to read."""
        return self.topic or f"gamity.{integration}.rounds"

    def group_of(self, integration: str) -> str:
        """The consumer group that shares the topic's partitions."""
        return self.group or f"gamity-{integration}"

    def dead_topic_of(self, integration: str) -> str:
        """Where refused messages go."""
        return self.dead_topic or f"{self.topic_of(integration)}.dead"


class Pull(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A client's HTTP interface: `GET url?after={cursor}&limit={limit}`.

    `items` says where the page's array stands in the answer (empty: the answer is the array), `following` where the
    next cursor does (empty: it is the last item's round id).
    """

    url: Annotated[str, Meta(min_length=1, max_length=1000)]
    key_header: Header = "X-API-Key"
    after_parameter: Parameter = "after"
    limit_parameter: Parameter = "limit"
    limit: Annotated[int, Meta(ge=1, le=5000)] = 500
    items: Place = ""
    following: Place = ""
    seconds: Annotated[float, Meta(ge=0.1, le=3600)] = 1.0


Words = Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=100)], ...], Meta(max_length=50)]


class Transactions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How bets and wins that come apart are known: by the words of `transactionType`.

    A transaction of `ends`, or one that says `roundEnded`, is the round's last. A round of which nothing has come for
    `seconds` is closed as it stands.
    """

    bets: Annotated[Words, Meta(min_length=1)]
    wins: Annotated[Words, Meta(min_length=1)]
    ends: Words = ()
    seconds: Annotated[float, Meta(ge=1, le=86_400)] = 60.0


Setup = Rabbit | Kafka | Pull
SETUPS: Mapping[str, type[Rabbit | Kafka | Pull]] = {
    ChannelKind.RABBITMQ: Rabbit,
    ChannelKind.KAFKA: Kafka,
    ChannelKind.PULL: Pull,
}


def setup_of(channel: Channel) -> Setup:
    """Return how a channel is set up. What was stored was checked before."""
    return msgspec.convert(channel.configuration, SETUPS[channel.kind])


def transactions_of(channel: Channel) -> Transactions:
    """Return how the transactions of a channel are known that has some."""
    return msgspec.convert(channel.transactions, Transactions)


def secret_of(channel: Channel) -> str:
    """Return a channel's password or key in the clear; "" if it has none."""
    return crypto.decrypt(channel.sealed_secret) if channel.sealed_secret else ""


@transaction.atomic
def add(
    operator_id: int,
    *,
    name: str,
    integration: str,
    kind: str,
    configuration: Mapping[str, Any],
    mapping: Mapping[str, str],
    transactions: Mapping[str, Any] | None = None,
    secret: str = "",
    actor: Actor,
    at: datetime,
) -> Channel:
    """Add a channel, switched on. Raises Invalid, naming the fields, and ChannelNameTaken."""
    wrong = {} if NAME.fullmatch(name) else {"name": ["Small letters, digits, dots, - and _; at most 80."]}
    if not INTEGRATION.fullmatch(integration):
        wrong["integration"] = ["The integration's id, as in its calls."]
    if wrong:
        raise Invalid("A channel can't be called like this.", fields=wrong)
    try:
        with transaction.atomic():
            return Channel.objects.create(
                operator_id=operator_id,
                integration=integration,
                name=name,
                kind=kind,
                configuration=checked(kind, configuration),
                mapping=checked_mapping(mapping, transactions),
                transactions=checked_transactions(transactions),
                sealed_secret=crypto.encrypt(secret) if secret else "",
                created_by=str(actor),
                created_at=at,
                changed_at=at,
            )
    except IntegrityError as problem:
        raise ChannelNameTaken from problem


@transaction.atomic
def change(
    channel_id: int,
    *,
    configuration: Mapping[str, Any],
    mapping: Mapping[str, str],
    transactions: Mapping[str, Any] | None = None,
    secret: str | None = None,
    actor: Actor,
    at: datetime,
) -> Channel:
    """Change how a channel is spoken to; its readers begin anew. `secret` None keeps the one there is, "" forgets it.

    What it is called, whose it is and what kind stay. Raises Invalid, ChannelNotFound.
    """
    channel = _hold(channel_id)
    changes: dict[str, Any] = {
        "configuration": checked(channel.kind, configuration),
        "mapping": checked_mapping(mapping, transactions),
        "transactions": checked_transactions(transactions),
    }
    if secret is not None:
        changes["sealed_secret"] = crypto.encrypt(secret) if secret else ""
    return _change(channel, changes, "changed", actor=actor, at=at)


@transaction.atomic
def enable(channel_id: int, *, actor: Actor, at: datetime) -> Channel:
    """Read it again, from where it stopped. Raises ChannelNotFound."""
    return _change(_hold(channel_id), {"enabled": True, "failures": 0}, "enabled", actor=actor, at=at)


@transaction.atomic
def disable(channel_id: int, *, reason: str, actor: Actor, at: datetime) -> Channel:
    """Stop reading within seconds; nothing is lost. Raises ChannelNotFound."""
    return _change(_hold(channel_id), {"enabled": False}, f"disabled: {reason}", actor=actor, at=at)


@transaction.atomic
def rewind(channel_id: int, *, cursor: str, reason: str, actor: Actor, at: datetime) -> Channel:
    """Have a pulled channel go on after another cursor; rounds that were taken stay taken once.

    Raises Invalid for a broker's channel, which keeps its own place, and ChannelNotFound.
    """
    channel = _hold(channel_id)
    if channel.kind != ChannelKind.PULL:
        raise Invalid("A broker keeps its own place.", fields={"cursor": ["Only for HTTP pull."]})
    why = f"cursor {channel.cursor[:60]!r} → {cursor[:60]!r}: {reason}"
    return _change(channel, {"cursor": cursor}, why, actor=actor, at=at)


def checked(kind: str, configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration as it is stored, its defaults filled in. Raises Invalid, naming the field."""
    try:
        setup = msgspec.convert(dict(configuration), SETUPS[kind])
    except msgspec.ValidationError as problem:
        what, _, where = str(problem).partition(" - at `$.")
        raise Invalid("A channel can't be reached like this.", fields={where.rstrip("`") or "": [what]}) from problem
    if isinstance(setup, Pull):
        try:
            egress.examine(setup.url)
        except egress.Refused as problem:
            raise Invalid("A channel can't be reached like this.", fields={"url": [str(problem)]}) from problem
    return msgspec.to_builtins(setup)  # type: ignore[no-any-return]


def checked_mapping(mapping: Mapping[str, str], transactions: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Return where our fields stand in the client's message, as it is stored. Raises Invalid."""
    known = (*FIELDS[:-2], *OF_TRANSACTIONS) if transactions else FIELDS
    for field, path in mapping.items():
        if field not in known:
            raise Invalid("Unknown field.", fields={"mapping": [f"{field} is not one of {', '.join(known)}."]})
        if not PATH.fullmatch(path):
            raise Invalid("No path.", fields={"mapping": [f"{path!r} is no path such as round.id."]})
    return dict(mapping)


def checked_transactions(transactions: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return how transactions are known, as it is stored; None if messages are whole rounds. Raises Invalid."""
    if not transactions:
        return None
    try:
        known = msgspec.convert(dict(transactions), Transactions, strict=False)
    except msgspec.ValidationError as problem:
        told = {"transactions": [str(problem)]}
        raise Invalid("Transactions can't be told apart like this.", fields=told) from problem
    words = [*known.bets, *known.wins, *known.ends]
    if len(set(words)) != len(words):
        raise Invalid("Which is it?", fields={"transactions": ["A word stands for one thing only."]})
    return msgspec.json.decode(msgspec.json.encode(known))  # type: ignore[no-any-return]


# --- what readers ask and note ----------------------------------------------------------------------------------------


def to_read(name: str | None = None) -> dict[int, datetime]:
    """Return the channels to read now, and when each was changed; those of suspended operators are not."""
    rows = Channel.objects.filter(enabled=True, operator__suspended_at=None)
    if name is not None:
        rows = rows.filter(name=name)
    return dict(rows.values_list("pk", "changed_at"))


def note_taken(channel_id: int, *, rounds: int, refused: int, error: str = "", at: datetime) -> None:
    """Count what was settled; `error` says why messages were refused."""
    told = {"last_error": error[:300], "last_error_at": at} if error else {}
    Channel.objects.filter(pk=channel_id).update(
        taken=F("taken") + rounds,
        refused=F("refused") + refused,
        failures=0,
        last_seen_at=at,
        last_success_at=at,
        **told,
    )


def note_well(channel_id: int, *, at: datetime) -> None:
    """Note that the other side answers, though there was nothing new."""
    Channel.objects.filter(pk=channel_id).update(failures=0, last_success_at=at)


def note_trouble(channel_id: int, *, error: str, at: datetime) -> int:
    """Note that the other side could not be read, or that nothing could be stored; return how often in a row."""
    Channel.objects.filter(pk=channel_id).update(failures=F("failures") + 1, last_error=error[:300], last_error_at=at)
    return Channel.objects.filter(pk=channel_id).values_list("failures", flat=True).first() or 1


@transaction.atomic
def move_on(channel_id: int, *, seen: str, following: str, refused: Sequence[tuple[str, str]], at: datetime) -> bool:
    """Move a pull's cursor from `seen` to `following`, keeping what could not be read of the page: (body, error).

    False, and nothing is kept, if the cursor is not at `seen` any more: another reader or staff moved it meanwhile.
    """
    moved = Channel.objects.filter(pk=channel_id, cursor=seen).update(cursor=following)
    if moved:
        RefusedItem.objects.bulk_create(
            [RefusedItem(channel_id=channel_id, body=body, error=error[:300], refused_at=at) for body, error in refused]
        )
    return bool(moved)


def _hold(channel_id: int) -> Channel:
    channel: Channel | None = Channel.objects.select_for_update(no_key=True).filter(pk=channel_id).first()
    if channel is None:
        raise ChannelNotFound
    return channel


def _change(channel: Channel, changes: Mapping[str, Any], why: str, *, actor: Actor, at: datetime) -> Channel:
    changed = {name: value for name, value in changes.items() if getattr(channel, name) != value}
    if changed:
        changed["changed_at"] = at
        for field, value in changed.items():
            setattr(channel, field, value)
        # Documented hooks of django-simple-history, read at the next save.
        channel._change_reason = f"{why}, by {actor}"[:300]  # type: ignore[attr-defined]  # noqa: SLF001
        channel._history_date = at  # type: ignore[attr-defined]  # noqa: SLF001
        channel.save(update_fields=[*changed])
    return channel
