"""Pay frozen plans, thousands of lines per statement."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import DatabaseError, connection, transaction
from django.db.models import F, Q

from apps.core.actors import Actor
from apps.events.services import recording as events
from apps.ledger.lifecycle import PayoutStatus
from apps.ledger.models import OpenPayout, Payout, Rail, SettlementPlan
from apps.ledger.money import written
from apps.ledger.services import accounts
from apps.ledger.services.freezing import verify
from apps.ledger.services.journals import OVERDRAWN, JournalMismatch, NewJournal, post_once, violated

# When a payout that failed for now is tried again; after the last of these a person decides.
RETRY_AFTER = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 3600, 4 * 3600, 12 * 3600))
INTEGRITY = "23"  # the class of SQLSTATEs that say: a rule of the books refuses this
# Deadlock, lock timeout, serialisation failure: the same may well succeed in a moment.
PASSING = {"40P01", "55P03", "40001"}

# One pass: the update hands each payout, with the number of the journal to come, to the two inserts. No ON CONFLICT: a
# journal that was posted before is so rare that refusing the batch and isolating the line costs less than asking.
PAY = """
    WITH paid AS (
        UPDATE ledger_payout
           SET status = 'PAID', paid_at = %(at)s, journal_id = nextval(%(numbers)s), attempts = attempts + 1,
               next_attempt_at = NULL, error = ''
         WHERE id = ANY(%(ids)s) AND status = 'PROCESSING'
        RETURNING id, operator_id, subject, key, purpose, rail, player_id, entry_ref, position, units, source_id,
                  target_id, journal_id
    ), journals AS (
        INSERT INTO ledger_journal (id, operator_id, kind, key, subject, legs, occurred_at, actor, request_id, memo)
        SELECT journal_id, operator_id, 'payout.' || lower(purpose), key, subject, 2, %(at)s, %(actor)s, %(request)s, ''
          FROM paid
    ), postings AS (
        INSERT INTO ledger_posting (journal_id, leg, account_id, units)
        SELECT p.journal_id, l.leg, CASE l.leg WHEN 0 THEN p.source_id ELSE p.target_id END,
               CASE l.leg WHEN 0 THEN -p.units ELSE p.units END
          FROM paid p CROSS JOIN (VALUES (0), (1)) AS l(leg)
    )
    SELECT id, key, purpose, rail, player_id, entry_ref, position, units, target_id, journal_id FROM paid ORDER BY id
"""
JOURNAL_NUMBERS = "ledger_journal_id_seq"


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

    @classmethod
    def of(cls, payout: Payout, journal_id: int) -> "Paid":
        """Return what is told of a payout that this journal has just paid."""
        return cls(
            payout.pk,
            payout.key,
            payout.purpose,
            payout.rail,
            payout.player_id,
            payout.entry_ref,
            payout.position,
            int(payout.units),
            payout.target_id,
            journal_id,
        )


@transaction.atomic
def pay_some(plan: SettlementPlan, *, limit: int, actor: Actor, at: datetime) -> list[Paid]:
    """Pay up to `limit` due payouts of a plan and return them, lowest id first. Everything or nothing of them.

    What goes to the operator's payout API is not among them: it is paid when the operator says so (`remitting`).

    Due are PROCESSING and those ERROR_RETRY whose time has come. A payout that the books refuse becomes ERROR_MANUAL
    with the reason and the fact `payout.failed`, and the others are paid. An empty answer means: nothing is due now.

    Whoever pays the same plan at the same time waits for the other's batch: they would anyway, for the escrow's
    balance. Different plans are paid side by side.

    Before the first payment the stored lines are compared with the digest: raises PlanChanged.
    """
    SettlementPlan.objects.select_for_update(no_key=True).only("pk").get(pk=plan.pk)
    if not Payout.objects.filter(plan=plan, status=PayoutStatus.PAID).exists():
        verify(plan)
    before: list[int] = []
    while (due := _due(plan, limit=limit, at=at)) != before:
        if paid := _pay_or_isolate(due, plan=plan, actor=actor, at=at):
            return paid
        before = due
    return []


def _due(plan: SettlementPlan, *, limit: int, at: datetime) -> list[int]:
    """Return the next payouts in the queue, with those whose pause is over woken up."""
    queue = OpenPayout.objects.filter(
        Q(status=PayoutStatus.PROCESSING) | Q(status=PayoutStatus.ERROR_RETRY, due_at__lte=at), plan=plan
    ).exclude(rail=Rail.OPERATOR)
    rows = list(queue.order_by("payout_id").values_list("payout_id", "status")[:limit])
    asleep = [pk for pk, status in rows if status == PayoutStatus.ERROR_RETRY]
    if asleep:
        locked = Payout.objects.filter(pk__in=asleep).order_by("pk").select_for_update(no_key=True)
        woken = [payout.pk for payout in locked if payout.status == PayoutStatus.ERROR_RETRY]
        Payout.objects.filter(pk__in=woken).update(status=PayoutStatus.PROCESSING, next_attempt_at=at)
    return [pk for pk, _ in rows]


def _pay_or_isolate(ids: Sequence[int], *, plan: SettlementPlan, actor: Actor, at: datetime) -> list[Paid]:
    """Pay what can be paid. A refusal halves the batch until the line that is refused stands alone."""
    if not ids:
        return []
    try:
        with transaction.atomic():
            return _pay(ids, actor=actor, at=at)
    except DatabaseError as problem:
        state = getattr(problem.__cause__, "sqlstate", None) or ""
        if not state.startswith(INTEGRITY) and state not in PASSING:
            raise
        if violated(problem) == OVERDRAWN:
            affordable, rest = _affordable(ids)
            if rest:
                _give_up(rest, "The account it is paid from has not enough money.", plan=plan, actor=actor, at=at)
                return _pay_or_isolate(affordable, plan=plan, actor=actor, at=at)
        if len(ids) == 1:
            return _judge(ids[0], problem, passing=state in PASSING, plan=plan, actor=actor, at=at)
        middle = len(ids) // 2
        return [
            *_pay_or_isolate(ids[:middle], plan=plan, actor=actor, at=at),
            *_pay_or_isolate(ids[middle:], plan=plan, actor=actor, at=at),
        ]


def _affordable(ids: Sequence[int]) -> tuple[list[int], list[int]]:
    """Part payouts into those that their account can pay, each in its turn, and the rest."""
    left: dict[int, int] = {}
    affordable, rest = [], []
    for pk, source_id, units in (
        Payout.objects.filter(pk__in=ids).order_by("pk").values_list("pk", "source_id", "units")
    ):
        left.setdefault(source_id, accounts.balance(source_id))
        if units <= left[source_id]:
            left[source_id] -= int(units)
            affordable.append(pk)
        else:
            rest.append(pk)
    return affordable, rest


def _pay(ids: Sequence[int], *, actor: Actor, at: datetime) -> list[Paid]:
    """Write journals, postings and states in one statement."""
    parameters: dict[str, Any] = {
        "ids": list(ids),
        "at": at,
        "actor": str(actor),
        "request": actor.request_id,
        "numbers": JOURNAL_NUMBERS,
    }
    with connection.cursor() as cursor:
        cursor.execute(PAY, parameters)
        return [Paid._make((*row[:7], int(row[7]), *row[8:])) for row in cursor.fetchall()]


def journal_of(payout: Payout) -> NewJournal:
    """Return the journal that pays a payout; its key is the payout's, so it is paid once however often it is tried."""
    units = int(payout.units)
    legs = {payout.source_id: -units, payout.target_id: units}
    return NewJournal(f"payout.{payout.purpose.lower()}", payout.key, legs, subject=payout.subject)


def _adopt(pk: int, *, plan: SettlementPlan, actor: Actor, at: datetime) -> list[Paid]:
    """Settle a payout whose journal was posted before: it is paid if the journal says the same, wrong otherwise."""
    payout = Payout.objects.get(pk=pk)
    try:
        first, _ = post_once(journal_of(payout), operator_id=payout.operator_id, actor=actor, at=at)
    except JournalMismatch:
        reason = "Its journal was posted before, with other amounts or accounts."
        _give_up([pk], reason, plan=plan, actor=actor, at=at)
        return []
    payout.settle(at=at)
    payout.journal = first
    payout.attempts += 1
    payout.save(update_fields=["status", "paid_at", "next_attempt_at", "error", "journal", "attempts"])
    return [Paid.of(payout, first.pk)]


def _judge(
    pk: int, problem: Exception, *, passing: bool, plan: SettlementPlan, actor: Actor, at: datetime
) -> list[Paid]:
    """Say what becomes of the one payout that was refused: paid before, tried again later, or left to a person."""
    if violated(problem) == "ledger_journal_once":
        return _adopt(pk, plan=plan, actor=actor, at=at)
    reason = str(problem).strip().splitlines()[0][:300]
    payout = Payout.objects.get(pk=pk)
    if not passing or payout.attempts >= len(RETRY_AFTER):
        _give_up([pk], reason, plan=plan, actor=actor, at=at)
        return []
    payout.fail(error=reason, retry_at=at + RETRY_AFTER[payout.attempts])
    payout.attempts += 1
    payout.save(update_fields=["status", "error", "next_attempt_at", "attempts"])
    report_failed([pk], plan=plan, actor=actor, at=at)
    return []


def _give_up(ids: Sequence[int], reason: str, *, plan: SettlementPlan, actor: Actor, at: datetime) -> None:
    """Leave payouts to a person, with the reason."""
    Payout.objects.filter(pk__in=ids).update(
        status=PayoutStatus.ERROR_MANUAL, error=reason, next_attempt_at=None, attempts=F("attempts") + 1
    )
    report_failed(ids, plan=plan, actor=actor, at=at)


def report_failed(ids: Sequence[int], *, plan: SettlementPlan, actor: Actor, at: datetime) -> None:
    """Tell which payouts could not be paid."""
    failed = Payout.objects.filter(pk__in=ids).select_related("asset").order_by("pk")
    facts = [
        events.NewFact(
            "payout.failed",
            plan.subject,
            {
                "payoutId": str(payout.pk),
                "purpose": payout.purpose,
                "amount": written(payout.units, payout.asset.scale),
                "asset": payout.asset.code,
                "status": payout.status,
                "reason": payout.error,
            },
        )
        for payout in failed
    ]
    events.record_many(facts, operator_id=plan.operator_id, actor=actor, at=at)


@transaction.atomic
def pay_whole(plan: SettlementPlan, *, actor: Actor, at: datetime) -> list[Paid]:
    """Pay everything that is open of a plan, because a chain has moved it: all of it or, with an error, nothing.

    Raises PlanChanged, and whatever the books refuse with.
    """
    SettlementPlan.objects.select_for_update(no_key=True).only("pk").get(pk=plan.pk)
    verify(plan)
    owed = Payout.objects.filter(plan=plan, status=PayoutStatus.PROCESSING).order_by("pk")
    return _pay(list(owed.values_list("pk", flat=True)), actor=actor, at=at)


@transaction.atomic
def give_up_whole(plan: SettlementPlan, *, reason: str, actor: Actor, at: datetime) -> int:
    """Leave everything that is open of a plan to a person, with the reason; return how much that is."""
    owed = Payout.objects.filter(plan=plan, status=PayoutStatus.PROCESSING).order_by("pk")
    ids = list(owed.select_for_update(no_key=True).values_list("pk", flat=True))
    _give_up(ids, reason[:300], plan=plan, actor=actor, at=at)
    return len(ids)
