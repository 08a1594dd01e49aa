"""Set aside what can't be counted, and put it back when its cause is mended: so that nothing else waits for it.

A round that is aside has neither been counted nor forgotten: counting anew leaves it out as it leaves out what is
queued, and "why this rank" says so. No tournament waits for it. A void is the other way to be rid of it.
"""

from datetime import datetime
from typing import Any

import structlog
from django.db import connection, transaction

from apps.core import doorbell
from apps.core.actors import SYSTEM, Actor
from apps.core.errors import DomainError
from apps.events.services import recording as events
from apps.rounds.models import PendingRound, SetAsideRecount, SetAsideRound
from apps.rounds.models.aside import ERROR_LENGTH, SetAside
from apps.rounds.services import intake

log = structlog.get_logger(__name__)

# With so many of an operator's aside, the fault is in no single one of them: then better wait than sort out all.
MOST = 1_000

_ROUND = """
    WITH taken AS (
        DELETE FROM rounds_pendinground WHERE operator_id = %(operator)s AND number = %(number)s
    )
    INSERT INTO rounds_setasideround AS held (number, received_at, operator_id, error, times, set_aside_at)
    VALUES (%(number)s, %(received_at)s, %(operator)s, %(error)s, 1, %(at)s)
    ON CONFLICT (number) DO UPDATE
       SET error = excluded.error, times = held.times + 1, set_aside_at = excluded.set_aside_at, released_at = NULL
    RETURNING times
"""
_RECOUNT = """
    WITH taken AS (DELETE FROM rounds_recount WHERE entry_id = %(entry)s)
    INSERT INTO rounds_setasiderecount AS held (entry_id, operator_id, error, times, set_aside_at)
    VALUES (%(entry)s, %(operator)s, %(error)s, 1, %(at)s)
    ON CONFLICT (entry_id) DO UPDATE
       SET error = excluded.error, times = held.times + 1, set_aside_at = excluded.set_aside_at, released_at = NULL
    RETURNING times
"""
_PUT_BACK_ROUND = """
    INSERT INTO rounds_pendinground (number, received_at, operator_id) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING
"""
_PUT_BACK_RECOUNT = "INSERT INTO rounds_recount (entry_id, operator_id) VALUES (%s, %s) ON CONFLICT DO NOTHING"


class NotSetAside(DomainError):
    """It is not aside any more: somebody has put it back, or it is no more to be counted."""

    code = "NOT_SET_ASIDE"


def set_round_aside(pending: PendingRound, problem: Exception, *, at: datetime) -> None:
    """Take a round that can't be counted out of the queue; the caller holds the operator's rounds."""
    number, operator_id, error = pending.number, pending.operator_id, _told(problem)
    given: dict[str, Any] = {
        "number": number,
        "received_at": pending.received_at,
        "operator": operator_id,
        "error": error,
        "at": at,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ROUND, given)
        (times,) = cursor.fetchone()
    log.error("round_set_aside", operator_id=operator_id, number=number, times=times, problem=error)
    fact = events.NewFact("round.set_aside", f"round:{number}", {"error": error, "times": times})
    events.record_many([fact], operator_id=operator_id, actor=SYSTEM, at=at)


def set_recount_aside(entry_id: int, problem: Exception, *, operator_id: int, at: datetime) -> None:
    """Take an entry that can't be counted anew out of the queue; the caller holds the operator's rounds."""
    error = _told(problem)
    with connection.cursor() as cursor:
        cursor.execute(_RECOUNT, {"entry": entry_id, "operator": operator_id, "error": error, "at": at})
        (times,) = cursor.fetchone()
    log.error("recount_set_aside", operator_id=operator_id, entry_id=entry_id, times=times, problem=error)


@transaction.atomic
def put_back(number: int, *, actor: Actor, at: datetime) -> SetAsideRound:
    """Have a round counted that was set aside, at its old place in the queue. Raises NotSetAside."""
    held: SetAsideRound | None = SetAsideRound.objects.waiting().select_for_update().filter(pk=number).first()
    if held is None:
        raise NotSetAside
    with connection.cursor() as cursor:
        cursor.execute(_PUT_BACK_ROUND, [held.number, held.received_at, held.operator_id])
    _release(held, at=at)
    fact = events.NewFact("round.put_back", f"round:{number}", {"error": held.error, "times": held.times})
    events.record_many([fact], operator_id=held.operator_id, actor=actor, at=at)
    return held


@transaction.atomic
def put_recount_back(entry_id: int, *, actor: Actor, at: datetime) -> SetAsideRecount:  # noqa: ARG001 - as any operation
    """Have an entry counted anew that was set aside. Raises NotSetAside."""
    held: SetAsideRecount | None = SetAsideRecount.objects.waiting().select_for_update().filter(pk=entry_id).first()
    if held is None:
        raise NotSetAside
    with connection.cursor() as cursor:
        cursor.execute(_PUT_BACK_RECOUNT, [held.entry_id, held.operator_id])
    _release(held, at=at)
    return held


def let_go(number: int, *, at: datetime) -> None:
    """Take note that a round is no more to be counted: it was voided."""
    SetAsideRound.objects.waiting().filter(pk=number).update(released_at=at)


def recounted(entry_ids: list[int], *, operator_id: int, at: datetime) -> None:
    """Take note that entries could be counted anew."""
    SetAsideRecount.objects.waiting().for_operator(operator_id).filter(pk__in=entry_ids).update(released_at=at)


def are_too_many(operator_id: int) -> bool:
    """Tell whether so many rounds of an operator are aside that something else must be wrong."""
    return SetAsideRound.objects.waiting().for_operator(operator_id)[:MOST].count() == MOST


def _release(held: SetAside, *, at: datetime) -> None:
    held.released_at = at
    held.save(update_fields=["released_at"])
    doorbell.ring(intake.SCORE)


def _told(problem: Exception) -> str:
    return f"{type(problem).__name__}: {problem}"[:ERROR_LENGTH]
