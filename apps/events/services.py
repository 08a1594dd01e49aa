"""Write facts, and number them after they have committed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from apps.core import doorbell, ids
from apps.core.actors import Actor
from apps.events.models import Fact, Stream

SEQUENCER = "events.number_facts"


@dataclass(frozen=True, slots=True)
class NewFact:
    """A fact about to be written: its type, what it is about, and its payload (JSON, amounts as the areas decide)."""

    type: str
    subject: str
    data: Mapping[str, Any]


def new_public_id(at: datetime) -> str:
    """Return `evt_<unix seconds>_<random>` (operators.md 5); 12 characters, because one settlement writes thousands."""
    return f"evt_{int(at.timestamp())}_{ids.token(12)}"


def record(*, operator_id: int, type: str, subject: str, data: Mapping[str, Any], actor: Actor, at: datetime) -> Fact:
    """Write one fact. Raises RuntimeError outside a transaction: a fact commits with the change it reports."""
    return record_many([NewFact(type, subject, data)], operator_id=operator_id, actor=actor, at=at)[0]


def record_many(facts: Iterable[NewFact], *, operator_id: int, actor: Actor, at: datetime) -> list[Fact]:
    """Write facts in order, in the running transaction, and ring the sequencer for when it commits."""
    if not connection.in_atomic_block:
        message = "a fact must share the transaction of the change it reports"
        raise RuntimeError(message)
    rows = Fact.objects.bulk_create(
        [
            Fact(
                operator_id=operator_id,
                public_id=new_public_id(at),
                type=fact.type,
                subject=fact.subject,
                data=fact.data,
                actor=str(actor),
                request_id=actor.request_id,
                occurred_at=at,
            )
            for fact in facts
        ],
        batch_size=2000,
    )
    doorbell.ring(SEQUENCER)
    return rows


@transaction.atomic
def number_facts(operator_id: int, *, limit: int = 5000) -> int:
    """Number the operator's committed facts in the order of their ids; return how many.

    Gap-free per operator, because the counter moves in the transaction that hands out its numbers. In order per
    subject, because writers of one subject that must be ordered hold its lock until they commit, so the later one
    took its id after the earlier one was visible. Two sequencers queue on the counter's row; no writer ever does.
    """
    Stream.objects.get_or_create(operator_id=operator_id)
    # Its own statement: the next one must see what the sequencer before us numbered while we waited here.
    stream = Stream.objects.select_for_update().get(operator_id=operator_id)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE events_fact f SET sequence = %(last)s + fresh.place
              FROM (SELECT id, row_number() OVER (ORDER BY id) AS place
                      FROM (SELECT id FROM events_fact WHERE operator_id = %(operator)s AND sequence IS NULL
                             ORDER BY id LIMIT %(limit)s) unnumbered) fresh
             WHERE f.id = fresh.id
            """,
            {"operator": operator_id, "last": stream.last_sequence, "limit": limit},
        )
        numbered: int = cursor.rowcount
    stream.last_sequence += numbered
    stream.save(update_fields=["last_sequence"])
    return numbered


def operators_with_new_facts() -> list[int]:
    """Return the operators that have facts without a number."""
    return list(
        Fact.objects.filter(sequence=None).order_by().values_list("operator_id", flat=True).distinct()
    )
