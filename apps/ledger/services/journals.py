"""Post balanced movements. One SQL statement each, so that the balancing trigger sees a journal whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from django.db import IntegrityError, connection

from apps.core.actors import Actor
from apps.core.errors import DomainError
from apps.ledger.models import Journal, Posting

# Everything a journal needs travels as one JSON text; units as text inside it, because JSON has no exact numbers.
POST = """
    WITH given AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(%(journals)s::jsonb)
            AS g(kind text, key text, subject text, memo text, reverses_id bigint, legs jsonb)
    ), written AS (
        -- By key, so that two writers with keys in common wait for each other in one order.
        INSERT INTO ledger_journal
               (operator_id, kind, key, subject, legs, occurred_at, actor, request_id, memo, reverses_id)
        SELECT %(operator)s, g.kind, g.key, g.subject, jsonb_array_length(g.legs), %(at)s, %(actor)s, %(request)s,
               g.memo, g.reverses_id
          FROM given g ORDER BY g.key
        ON CONFLICT (operator_id, key) DO NOTHING
        RETURNING id, key
    ), posted AS (
        INSERT INTO ledger_posting (journal_id, leg, account_id, units)
        SELECT w.id, l.place - 1, (l.leg ->> 0)::bigint, (l.leg ->> 1)::numeric
          FROM written w JOIN given g ON g.key = w.key
         CROSS JOIN LATERAL jsonb_array_elements(g.legs) WITH ORDINALITY AS l(leg, place)
    )
    SELECT id, key FROM written
"""


# The constraint that speaks when a wallet, hold or escrow would go below zero.
OVERDRAWN = "ledger_balance_not_negative"


class JournalMismatch(DomainError):
    """The business act has been posted before, with other amounts or accounts."""

    code = "JOURNAL_MISMATCH"


class InsufficientFunds(DomainError):
    """There is not enough money for this."""

    code = "INSUFFICIENT_BALANCE"


@dataclass(frozen=True, slots=True)
class NewJournal:
    """A movement about to be posted. `legs` maps account ids to units, positive onto and negative off the account."""

    kind: str
    key: str
    legs: Mapping[int, int]
    subject: str = ""
    memo: str = ""
    reverses_id: int | None = None

    def __post_init__(self) -> None:
        """Refuse what could never be a movement; whether it balances is the database's to say."""
        if not self.legs or not all(self.legs.values()):
            message = "a journal needs legs, and a leg moves something"
            raise ValueError(message)


def post(journal: NewJournal, *, operator_id: int, actor: Actor, at: datetime) -> Journal:
    """Post one journal and return it; the same key with the same legs again returns the first one.

    Raises JournalMismatch for the same key with other legs, InsufficientFunds when a wallet, hold or escrow would go
    below zero. After InsufficientFunds the transaction is broken: let it propagate to the caller's atomic block.
    """
    return post_once(journal, operator_id=operator_id, actor=actor, at=at)[0]


def post_once(journal: NewJournal, *, operator_id: int, actor: Actor, at: datetime) -> tuple[Journal, bool]:
    """Like `post`, and tell whether the journal is new."""
    ids = _write([journal], operator_id=operator_id, actor=actor, at=at)
    if journal.key not in ids:
        return _first(operator_id, [journal])[0], False
    row = Journal(
        pk=ids[journal.key],
        operator_id=operator_id,
        kind=journal.kind,
        key=journal.key,
        subject=journal.subject,
        legs=len(journal.legs),
        occurred_at=at,
        actor=str(actor),
        request_id=actor.request_id,
        memo=journal.memo,
        reverses_id=journal.reverses_id,
    )
    row._state.adding = False  # noqa: SLF001 - it was written, by SQL
    return row, True


def post_many(journals: Sequence[NewJournal], *, operator_id: int, actor: Actor, at: datetime) -> None:
    """Post journals in one statement: all of those that are new, or none. Raises as `post` does."""
    unique: dict[str, NewJournal] = {}
    for journal in journals:
        twin = unique.setdefault(journal.key, journal)
        if dict(twin.legs) != dict(journal.legs):
            raise JournalMismatch(key=journal.key)
    ids = _write(list(unique.values()), operator_id=operator_id, actor=actor, at=at)
    _first(operator_id, [journal for key, journal in unique.items() if key not in ids])


def violated(problem: BaseException) -> str:
    """Return the name of the constraint behind a database error, or nothing."""
    diagnosis = getattr(problem.__cause__, "diag", None)
    return (diagnosis.constraint_name if diagnosis else None) or ""


def _write(journals: Sequence[NewJournal], *, operator_id: int, actor: Actor, at: datetime) -> dict[str, int]:
    """Write those that are new; return their ids by key."""
    if not connection.in_atomic_block:
        message = "a journal must share the transaction of the change it belongs to"
        raise RuntimeError(message)
    if not journals:
        return {}
    text = msgspec.json.encode(
        [
            {
                "kind": journal.kind,
                "key": journal.key,
                "subject": journal.subject,
                "memo": journal.memo,
                "reverses_id": journal.reverses_id,
                "legs": [(account_id, str(int(units))) for account_id, units in journal.legs.items()],
            }
            for journal in journals
        ]
    ).decode()
    parameters: dict[str, Any] = {
        "journals": text,
        "operator": operator_id,
        "at": at,
        "actor": str(actor),
        "request": actor.request_id,
    }
    try:
        with connection.cursor() as cursor:
            cursor.execute(POST, parameters)
            return {key: pk for pk, key in cursor.fetchall()}
    except IntegrityError as problem:
        if violated(problem) == OVERDRAWN:
            raise InsufficientFunds from problem
        raise


def _first(operator_id: int, journals: Sequence[NewJournal]) -> list[Journal]:
    """Return what was posted under these keys before. Raises JournalMismatch where the legs differ."""
    if not journals:
        return []
    rows = {row.key: row for row in Journal.objects.filter(operator_id=operator_id, key__in=[j.key for j in journals])}
    legs: dict[int, dict[int, int]] = {row.pk: {} for row in rows.values()}
    for leg in Posting.objects.filter(journal_id__in=legs):
        legs[leg.journal_id][leg.account_id] = int(leg.units)
    for journal in journals:
        if legs[rows[journal.key].pk] != dict(journal.legs):
            raise JournalMismatch(key=journal.key)
    return [rows[journal.key] for journal in journals]
