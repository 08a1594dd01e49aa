"""Write facts in the transaction of the change they report."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from apps.core import doorbell, ids
from apps.core.actors import Actor
from apps.core.exact import dumps
from apps.events.services.numbering import SEQUENCER

# Facts written by one statement: their payloads travel as one JSON array, which PostgreSQL limits to 256 MB.
WRITTEN_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class NewFact:
    """A fact about to be written: its type, what it is about, and its payload (JSON, amounts as the areas decide)."""

    type: str
    subject: str
    data: Mapping[str, Any]


def record(*, operator_id: int, type: str, subject: str, data: Mapping[str, Any], actor: Actor, at: datetime) -> str:
    """Write one fact and return its public id.

    Raises RuntimeError outside a transaction: a fact commits with the change it reports.
    """
    return record_many([NewFact(type, subject, data)], operator_id=operator_id, actor=actor, at=at)[0]


def record_many(facts: Iterable[NewFact], *, operator_id: int, actor: Actor, at: datetime) -> list[str]:
    """Write facts in order, in the running transaction, and ring the sequencer for when it commits.

    Returns their public ids in the same order. Ten thousand cost one statement; a settlement writes ten times that.
    Whoever needs facts of one subject in the order of what happened holds that subject's lock while writing them, from
    before this call until the commit; `number_facts` says why.

    Raises RuntimeError outside a transaction, TypeError for a payload that is no JSON.
    """
    if not connection.in_atomic_block:
        message = "a fact must share the transaction of the change it reports"
        raise RuntimeError(message)
    rows = prepared(facts, at=at)
    for start in range(0, len(rows), WRITTEN_AT_ONCE):
        _insert(rows[start : start + WRITTEN_AT_ONCE], operator_id=operator_id, actor=actor, at=at)
    if rows:
        announce()
    return [row["id"] for row in rows]


def prepared(facts: Iterable[NewFact], *, at: datetime) -> list[dict[str, Any]]:
    """Return the rows (id, type, subject, data) of facts.

    For an area that writes its change and its facts with one statement, and then calls `announce`; everybody else calls
    `record`.
    """
    new = list(facts)
    return [
        {"id": public_id, "type": fact.type, "subject": fact.subject, "data": fact.data}
        for public_id, fact in zip(_public_ids(len(new), at), new, strict=True)
    ]


def announce() -> None:
    """Ring the sequencer for when the running transaction commits; at once, if there is none."""
    doorbell.ring(SEQUENCER)


def _insert(rows: Sequence[Mapping[str, Any]], *, operator_id: int, actor: Actor, at: datetime) -> None:
    """One statement. Its function scan yields the rows in their order, and so the ids that they draw rise with it."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO events_fact
                   (operator_id, public_id, type, subject, data, actor, request_id, occurred_at)
            SELECT %(operator)s, f.id, f.type, f.subject, f.data, %(actor)s, %(request)s, %(at)s
              FROM jsonb_to_recordset(%(rows)s::jsonb) AS f (id text, type text, subject text, data jsonb)
            """,
            {
                "operator": operator_id,
                "actor": str(actor),
                "request": actor.request_id,
                "at": at,
                "rows": dumps(rows),
            },
        )


def _public_ids(count: int, at: datetime) -> list[str]:
    """`evt_<unix seconds>_<random>` (operators.md 5); 12 characters, because one moment may see thousands."""
    start = f"evt_{int(at.timestamp())}_"
    return [start + token for token in ids.tokens(count, 12)]
