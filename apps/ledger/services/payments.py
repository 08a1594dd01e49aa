"""Pay frozen plans, thousands of lines per statement."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import DatabaseError, connection, transaction
from django.db.models import F

from apps.core.actors import Actor
from apps.events import services as events
from apps.ledger.lifecycle import PayoutStatus
from apps.ledger.models import Payout, SettlementPlan
from apps.ledger.money import written
from apps.ledger.services.freezing import verify
from apps.ledger.services.journals import JournalMismatch, NewJournal, post_once, violated

# When a payout that failed for now is tried again; after the last of these a person decides.
RETRY_AFTER = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 3600, 4 * 3600, 12 * 3600))
INTEGRITY = "23"  # the class of SQLSTATEs that say: a rule of the books refuses this
# Deadlock, lock timeout, serialisation failure: the same may well succeed in a moment.
PASSING = {"40P01", "55P03", "40001"}

PAY = """
    WITH due AS MATERIALIZED (
        SELECT id, operator_id, subject, key, purpose, rail, player_id, entry_ref, position, units, source_id, target_id
          FROM ledger_payout WHERE id = ANY(%(ids)s)
    ), written AS (
        INSERT INTO ledger_journal (operator_id, kind, key, subject, legs, occurred_at, actor, request_id, memo)
        SELECT operator_id, 'payout.' || lower(purpose), key, subject, 2, %(at)s, %(actor)s, %(request)s, ''
          FROM due ORDER BY id
        ON CONFLICT (operator_id, key) DO NOTHING
        RETURNING id, key
    ), paying AS MATERIALIZED (
        SELECT d.*, w.id AS journal_id FROM due d JOIN written w ON w.key = d.key
    ), posted AS (
        INSERT INTO ledger_posting (journal_id, leg, account_id, units)
        SELECT journal_id, 0, source_id, -units FROM paying
        UNION ALL SELECT journal_id, 1, target_id, units FROM paying
    ), settled AS (
        UPDATE ledger_payout p
           SET status = 'PAID', paid_at = %(at)s, journal_id = x.journal_id, attempts = p.attempts + 1,
               next_attempt_at = NULL, error = ''
          FROM paying x WHERE p.id = x.id
    )
    SELECT id, key, purpose, rail, player_id, entry_ref, position, units, target_id, journal_id FROM paying ORDER BY id
"""


class Paid(NamedTuple):
    """A payout that has just been paid. `units` are base units of the plan's asset."""

    id: int
    key: str
    purpose: str
    rail: str
    player_id: int | None
    entry_ref: int | None
    position: int | None
    units: int
    target_id: int
    journal_id: int


@transaction.atomic
def pay_some(plan: SettlementPlan, *, limit: int, actor: Actor, at: datetime) -> list[Paid]:
    """Pay up to `limit` due payouts of a plan and return them, lowest id first. Everything or nothing of them.

    Due are PROCESSING and those ERROR_RETRY whose time has come; payouts that somebody else is paying are passed
    over, so any number of workers may share a plan. A payout that the books refuse becomes ERROR_MANUAL with the
    reason and the fact `payout.failed`, and the others are paid. An empty answer means: nothing is due now.

    Before the first payment the stored lines are compared with the digest: raises PlanChanged.
    """
    if not Payout.objects.filter(plan=plan, status=PayoutStatus.PAID).exists():
        verify(plan)
    _wake(plan, limit=limit, at=at)
    due = _take(plan, limit=limit)
    while due:
        if paid := _pay_or_isolate(due, plan=plan, actor=actor, at=at):
            return paid
        due = _take(plan, limit=limit)
    return []


def _take(plan: SettlementPlan, *, limit: int) -> list[int]:
    """Lock the next payouts that nobody else is paying."""
    queue = Payout.objects.filter(plan=plan, status=PayoutStatus.PROCESSING).order_by("pk")
    return list(queue.select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True)[:limit])


def _wake(plan: SettlementPlan, *, limit: int, at: datetime) -> None:
    """Put those whose pause is over back in the queue."""
    asleep = (
        Payout.objects.filter(plan=plan, status=PayoutStatus.ERROR_RETRY, next_attempt_at__lte=at)
        .order_by("pk")
        .select_for_update(skip_locked=True, no_key=True)
        .values_list("pk", flat=True)[:limit]
    )
    if ids := list(asleep):
        Payout.objects.filter(pk__in=ids).update(status=PayoutStatus.PROCESSING, next_attempt_at=at)


def _pay_or_isolate(ids: Sequence[int], *, plan: SettlementPlan, actor: Actor, at: datetime) -> list[Paid]:
    """Pay what can be paid. A refusal halves the batch until the line that is refused stands alone."""
    if not ids:
        return []
    try:
        with transaction.atomic():
            paid = _pay(ids, actor=actor, at=at)
    except DatabaseError as problem:
        state = getattr(problem.__cause__, "sqlstate", None) or ""
        if not state.startswith(INTEGRITY) and state not in PASSING:
            raise
        if len(ids) == 1:
            _fail(ids[0], problem, passing=state in PASSING, plan=plan, actor=actor, at=at)
            return []
        middle = len(ids) // 2
        return [
            *_pay_or_isolate(ids[:middle], plan=plan, actor=actor, at=at),
            *_pay_or_isolate(ids[middle:], plan=plan, actor=actor, at=at),
        ]
    if len(paid) < len(ids):
        done = {row.id for row in paid}
        paid += [row for pk in ids if pk not in done for row in _adopt(pk, plan=plan, actor=actor, at=at)]
    return paid


def _pay(ids: Sequence[int], *, actor: Actor, at: datetime) -> list[Paid]:
    """Write journals, postings and states in one statement. Leaves out those whose journal exists already."""
    with connection.cursor() as cursor:
        cursor.execute(PAY, {"ids": list(ids), "at": at, "actor": str(actor), "request": actor.request_id})
        return [Paid(*row[:7], int(row[7]), *row[8:]) for row in cursor.fetchall()]


def _adopt(pk: int, *, plan: SettlementPlan, actor: Actor, at: datetime) -> list[Paid]:
    """Settle a payout whose journal was posted before: it is paid if the journal says the same, wrong otherwise."""
    payout = Payout.objects.get(pk=pk)
    units = int(payout.units)
    legs = {payout.source_id: -units, payout.target_id: units}
    journal = NewJournal(f"payout.{payout.purpose.lower()}", payout.key, legs, subject=payout.subject)
    try:
        first, _ = post_once(journal, operator_id=payout.operator_id, actor=actor, at=at)
    except JournalMismatch as problem:
        _fail(pk, problem, passing=False, plan=plan, actor=actor, at=at)
        return []
    payout.settle(at=at)
    payout.journal = first
    payout.attempts += 1
    payout.save(update_fields=["status", "paid_at", "next_attempt_at", "error", "journal", "attempts"])
    return [
        Paid(
            pk,
            payout.key,
            payout.purpose,
            payout.rail,
            payout.player_id,
            payout.entry_ref,
            payout.position,
            units,
            payout.target_id,
            first.pk,
        )
    ]


def _fail(pk: int, problem: Exception, *, passing: bool, plan: SettlementPlan, actor: Actor, at: datetime) -> None:
    """Note why a payout was not paid, and when to try again, if at all."""
    payout = Payout.objects.select_related("asset").get(pk=pk)
    reason = _reason(problem)
    if passing and payout.attempts < len(RETRY_AFTER):
        payout.fail(error=reason, retry_at=at + RETRY_AFTER[payout.attempts])
    else:
        payout.give_up(error=reason)
    payout.attempts = F("attempts") + 1
    payout.save(update_fields=["status", "error", "next_attempt_at", "attempts"])
    events.record(
        operator_id=payout.operator_id,
        type="payout.failed",
        subject=plan.subject,
        data={
            "payoutId": str(pk),
            "purpose": payout.purpose,
            "amount": written(payout.units, payout.asset.scale),
            "asset": payout.asset.code,
            "status": payout.status,
            "reason": reason,
        },
        actor=actor,
        at=at,
    )


def _reason(problem: Exception) -> str:
    """Say in a person's words what the books had against it."""
    if violated(problem) == "ledger_balance_not_negative":
        return "The account it is paid from has not enough money."
    if isinstance(problem, JournalMismatch):
        return "Its journal was posted before, with other amounts or accounts."
    return str(problem).strip().splitlines()[0][:300]
