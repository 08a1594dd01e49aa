"""What staff set up about queues: added, changed, switched on and off (operators.md 6)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.db import IntegrityError, transaction

from apps.core import crypto, egress
from apps.core.actors import Actor
from apps.core.errors import DomainError, Invalid, NotFound
from apps.events.models import InboundQueue, Queue, Stream

REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]{1,2}", re.ASCII)
# What a credential and a name may hold; anything else would end up in a header.
PLAIN = re.compile(r"[\x21-\x7e]*", re.ASCII)

# `tournament.started`, `tournament.*` or `*`.
PATTERN = re.compile(r"\*|[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*(\.\*)?", re.ASCII)
MOST_PATTERNS = 50

Either = TypeVar("Either", Queue, InboundQueue)


class QueueNotFound(NotFound):
    """There is no such queue."""


class NameTaken(DomainError):
    """Another queue has this name."""

    code = "NAME_TAKEN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How a queue is reached. `secret` None keeps the one that is stored, "" forgets it."""

    name: str
    url: str = ""
    region: str = "eu-central-1"
    endpoint_url: str = ""
    access_key_id: str = ""
    secret: str | None = None

    def columns(self) -> dict[str, Any]:
        """Return what is stored, the secret sealed. Raises Invalid, naming the fields."""
        wrong: dict[str, list[str]] = {}
        if not self.name.strip() or len(self.name) > 80:  # noqa: PLR2004 - the column's length
            wrong["name"] = ["1 to 80 characters."]
        if not REGION.fullmatch(self.region):
            wrong["region"] = ["A region such as eu-central-1."]
        for field in ("url", "endpoint_url"):
            try:
                if getattr(self, field):
                    egress.examine(getattr(self, field))
            except egress.Refused as problem:
                wrong[field] = [str(problem)]
        if not PLAIN.fullmatch(self.access_key_id) or len(self.access_key_id) > 128:  # noqa: PLR2004 - likewise
            wrong["access_key_id"] = ["At most 128 printable characters."]
        if self.secret is not None and not PLAIN.fullmatch(self.secret):
            wrong["secret"] = ["Printable characters only."]
        if wrong:
            raise Invalid("A queue can't be reached like this.", fields=wrong)
        columns = {
            "name": self.name.strip(),
            "url": self.url,
            "region": self.region,
            "endpoint_url": self.endpoint_url.rstrip("/"),
            "access_key_id": self.access_key_id,
        }
        if self.secret is not None:
            columns["sealed_secret"] = crypto.encrypt(self.secret) if self.secret else ""
        return columns


@transaction.atomic
def add_queue(operator_id: int, access: Access, *, events: list[str], actor: Actor, at: datetime) -> Queue:
    """Add a queue that facts numbered from now on are told to. Raises Invalid, NameTaken."""
    head = Stream.objects.filter(operator_id=operator_id).values_list("last_sequence", flat=True).first() or 0
    columns = _outgoing(access, events)
    return _add(
        lambda: Queue.objects.create(
            operator_id=operator_id,
            created_by=str(actor),
            created_at=at,
            next_try_at=at,
            from_sequence=head,
            after_sequence=head,
            **columns,
        )
    )


@transaction.atomic
def change_queue(queue_id: int, access: Access, *, events: list[str], actor: Actor, at: datetime) -> Queue:
    """Change where a queue is, how it is reached or what it wants; it is tried again at once.

    What it wants counts for facts that it has not come to yet. Raises Invalid, NameTaken, QueueNotFound.
    """
    changes = {**_outgoing(access, events), "next_try_at": at}
    return _change(_hold(Queue, queue_id), changes, "changed", actor=actor, at=at)


@transaction.atomic
def add_inbound_queue(operator_id: int | None, access: Access, *, actor: Actor, at: datetime) -> InboundQueue:
    """Add a queue to read game events from; without an operator its messages reach all. Raises Invalid, NameTaken."""
    columns = access.columns()
    return _add(
        lambda: InboundQueue.objects.create(operator_id=operator_id, created_by=str(actor), created_at=at, **columns)
    )


@transaction.atomic
def change_inbound_queue(queue_id: int, access: Access, *, actor: Actor, at: datetime) -> InboundQueue:
    """Change where a queue is or how it is reached. Raises Invalid, NameTaken, QueueNotFound."""
    return _change(_hold(InboundQueue, queue_id), access.columns(), "changed", actor=actor, at=at)


@transaction.atomic
def enable(queue_id: int, *, model: type[Either], actor: Actor, at: datetime) -> Either:
    """Go on where the queue stopped, with all that has gathered since. Raises QueueNotFound."""
    changes: dict[str, Any] = {"enabled": True, "failures": 0}
    if issubclass(model, Queue):
        changes["next_try_at"] = at
    return _change(_hold(model, queue_id), changes, "enabled", actor=actor, at=at)


@transaction.atomic
def disable(queue_id: int, *, model: type[Either], reason: str, actor: Actor, at: datetime) -> Either:
    """Stop; what is not sent yet waits. A batch on its way may still arrive. Raises QueueNotFound."""
    return _change(_hold(model, queue_id), {"enabled": False}, f"disabled: {reason}", actor=actor, at=at)


@transaction.atomic
def skip_to_now(queue_id: int, *, reason: str, actor: Actor, at: datetime) -> Queue:
    """Give up everything a queue has not sent: it goes on with the next new fact. Raises QueueNotFound."""
    queue = _hold(Queue, queue_id)
    head = Stream.objects.filter(operator_id=queue.operator_id).values_list("last_sequence", flat=True).first() or 0
    changes = {"after_sequence": head, "held": [], "held_try_at": None, "held_tries": 0}
    return _change(queue, changes, f"skipped {head - queue.after_sequence} facts: {reason}", actor=actor, at=at)


@transaction.atomic
def note_created(queue_id: int, url: str, *, model: type[Either], actor: Actor, at: datetime) -> Either:
    """Remember the URL of a queue that was created at its provider. Raises QueueNotFound."""
    return _change(_hold(model, queue_id), {"url": url}, "created at the provider", actor=actor, at=at)


def operators_wanting(type: str) -> list[int]:
    """Return the operators with a queue, switched on, that wants facts of a type. There are few queues."""
    return sorted({queue.operator_id for queue in Queue.objects.filter(enabled=True) if queue.wants(type)})


def _outgoing(access: Access, events: list[str]) -> dict[str, Any]:
    if access.url and not access.url.endswith(".fifo"):
        raise Invalid("Facts are told in order.", fields={"url": ["The URL of a FIFO queue ends with .fifo."]})
    if not 1 <= len(events) <= MOST_PATTERNS or not all(PATTERN.fullmatch(pattern) for pattern in events):
        raise Invalid(
            "No events.", fields={"events": ["Names such as tournament.started, prefixes such as tournament.*, or *."]}
        )
    return {**access.columns(), "events": list(dict.fromkeys(events))}


def _hold(model: type[Either], queue_id: int) -> Either:
    queue: Either | None = model.objects.select_for_update(no_key=True).filter(pk=queue_id).first()
    if queue is None:
        raise QueueNotFound
    return queue


def _add(create: Callable[[], Either]) -> Either:
    try:
        with transaction.atomic():
            return create()
    except IntegrityError as problem:
        raise NameTaken from problem


def _change(queue: Either, changes: Mapping[str, Any], why: str, *, actor: Actor, at: datetime) -> Either:
    changed: dict[str, Any] = {name: value for name, value in changes.items() if getattr(queue, name) != value}
    if changed:
        for field, value in changed.items():
            setattr(queue, field, value)
        _explain(queue, f"{why}, by {actor}", at)
        try:
            with transaction.atomic():
                queue.save(update_fields=[*changed])
        except IntegrityError as problem:
            raise NameTaken from problem
    return queue


def _explain(row: Any, reason: str, at: datetime) -> None:
    """Say in the row's history who did it, why, and when; read by django-simple-history at the next save."""
    row._change_reason = reason[:300]  # noqa: SLF001 - its documented hook
    row._history_date = at  # noqa: SLF001 - likewise
