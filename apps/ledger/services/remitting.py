"""The operator's rail (rounds.md 3.5): lease payouts, tell the operator outside any transaction, note what came of it.

The open payouts are the queue. The next try is booked before anything is sent, so a sender that is killed leaves a
payout that is due again when its lease has run out, under the same two ids: they were frozen with the plan and no try,
automatic or by hand, ever has others. A payout that is being sent is PROCESSING with its lease as the next try; staff
can't retry or settle it meanwhile, because the graph has no such edge.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet

from apps.core import clock, egress
from apps.core.actors import SYSTEM, Actor
from apps.core.errors import Invalid
from apps.events.services import recording as events
from apps.ledger.lifecycle import PayoutStatus
from apps.ledger.models import CallbackKind, OpenPayout, Payout, Rail, Remittance, SettlementPlan
from apps.ledger.services import calling, owners
from apps.ledger.services.calling import Call, Heard
from apps.ledger.services.decisions import PayoutNotReady
from apps.ledger.services.freezing import REMIT, PlanChanged, verify
from apps.ledger.services.journals import InsufficientFunds, JournalMismatch, post
from apps.ledger.services.payments import Paid, journal_of, report_failed
from apps.operators.models import Operator

__all__ = ["REMIT", "due", "lease", "note", "readdress", "remit"]

log = structlog.get_logger(__name__)

# Calls made at the same time to one operator, a thread each; all of them end within the lease.
AT_ONCE = 16
MANY = 500
CUT_OFF = "The last try was cut off: whether it arrived is not known. A retry sends the same ids."
NO_ADDRESS = "There is no address to send it to: set payoutUrl, then retry."


@dataclass(frozen=True, slots=True)
class Sending:
    """A payout that is ours to send once."""

    payout_id: int
    call: Call


def due(at: datetime) -> list[int]:
    """Return the operators to whom something is to be sent now."""
    found = _queue(at).order_by("payout__operator_id").values_list("payout__operator_id", flat=True)
    return list(found.distinct()[:MANY])


def remit(operator_id: int, *, at: datetime) -> tuple[int, int]:
    """Send some of what is due to one operator, at the same time; return how many were tried and how many answered.

    Safe to run twice and side by side: each payout is leased by one of them.
    """
    sendings = lease(operator_id, limit=AT_ONCE, at=at)
    if not sendings:
        return 0, 0
    answered = 0
    with ThreadPoolExecutor(len(sendings), thread_name_prefix="remit") as threads:
        flying = {threads.submit(calling.send, sending.call): sending for sending in sendings}
        for landed in as_completed(flying):
            heard = landed.result()
            answered += heard.status is not None
            try:
                note(flying[landed], heard, at=max(at, clock.now()))
            except Exception:
                # Its lease will run out, and it is sent again under the same ids; the others must be noted meanwhile.
                log.exception("payout_not_noted", payout=flying[landed].payout_id)
    return len(sendings), answered


def _queue(at: datetime) -> QuerySet[OpenPayout]:
    return OpenPayout.objects.filter(
        Q(due_at=None) | Q(due_at__lte=at),
        rail=Rail.OPERATOR,
        status__in=(PayoutStatus.PROCESSING, PayoutStatus.ERROR_RETRY),
    )


@transaction.atomic
def lease(operator_id: int, *, limit: int, at: datetime) -> list[Sending]:
    """Take due payouts of an operator for one try each, and book what happens if nobody ever notes its outcome.

    One whose tries are used up, because its last sender vanished, is left to a person. So is a plan whose stored lines
    are not those that were frozen.
    """
    ids = list(
        _queue(at)
        .filter(payout__operator_id=operator_id)
        .order_by("payout_id")
        .values_list("payout_id", flat=True)[:limit]
    )
    rows = (
        Payout.objects.filter(pk__in=ids).order_by("pk").select_for_update(of=("self",), no_key=True, skip_locked=True)
    )
    payouts = [row for row in rows.select_related("remittance", "plan") if _is_due(row, at)]
    payouts = _as_frozen(payouts, at=at)
    spent = [row for row in payouts if row.remittance.tries > allowed_retries(row.remittance)]
    _leave_to_people(spent, CUT_OFF, at=at)
    ready = [row for row in payouts if row not in spent]
    if not ready:
        return []
    usual = Operator.objects.get(pk=operator_id).settings.payout_url
    _leave_to_people([row for row in ready if not (row.remittance.url or usual)], NO_ADDRESS, at=at)
    ready = [row for row in ready if row.remittance.url or usual]
    chosen = [row.pk for row in ready]
    Payout.objects.filter(pk__in=chosen).update(
        status=PayoutStatus.PROCESSING, attempts=F("attempts") + 1, next_attempt_at=at + calling.lease()
    )
    Remittance.objects.filter(pk__in=chosen).update(tries=F("tries") + 1)
    key = calling.key_of(operator_id, CallbackKind.PAYOUT, at=at) if ready else ""
    sendings = [
        Sending(
            row.pk,
            Call(
                operator_id=operator_id,
                kind=CallbackKind.PAYOUT,
                ref=row.remittance.ref,
                number=row.attempts + 1,
                url=row.remittance.url or usual,
                body=row.remittance.body,
                key=key,
                started_at=at,
            ),
        )
        for row in ready
    ]
    calling.book([sending.call for sending in sendings])
    return sendings


def allowed_retries(remittance: Remittance) -> int:
    """Return how often a try that failed for now is repeated without a person: never where staff approve payouts."""
    return int(settings.PAYOUT_RETRIES) if remittance.automatic else 0


def _is_due(payout: Payout, at: datetime) -> bool:
    """Look again, under the lock."""
    open_now = payout.status in (PayoutStatus.PROCESSING, PayoutStatus.ERROR_RETRY)
    return open_now and (payout.next_attempt_at is None or payout.next_attempt_at <= at)


def _as_frozen(payouts: Sequence[Payout], *, at: datetime) -> list[Payout]:
    """Compare plans with their digests before the first payment of each."""
    plans: dict[int, SettlementPlan] = {payout.plan_id: payout.plan for payout in payouts}
    wrong = set()
    for plan in plans.values():
        if Payout.objects.filter(plan=plan, status=PayoutStatus.PAID).exists():
            continue
        try:
            verify(plan)
        except PlanChanged as changed:
            wrong.add(plan.pk)
            _leave_to_people([row for row in payouts if row.plan_id == plan.pk], changed.message, at=at)
    return [row for row in payouts if row.plan_id not in wrong]


def _leave_to_people(payouts: Sequence[Payout], reason: str, *, at: datetime) -> None:
    for payout in payouts:
        payout.give_up(error=reason)
        payout.save(update_fields=["status", "error", "next_attempt_at"])
        report_failed([payout.pk], plan=payout.plan, actor=SYSTEM, at=at)


@transaction.atomic
def readdress(payout_id: int, *, url: str, reason: str, actor: Actor, at: datetime) -> int:
    """Send the payouts of this one's plan that are not paid yet to another address; return how many.

    What is told stays the same, byte for byte, ids included. Nothing is sent by this: what failed is retried as ever.
    Raises PayoutNotReady for one that is on another rail or has ended, and Invalid.
    """
    payout = Payout.objects.select_related("asset").get(pk=payout_id)
    if payout.rail != Rail.OPERATOR or not OpenPayout.objects.filter(payout=payout).exists():
        raise PayoutNotReady("Only what still has to be sent to the operator has an address.", status=payout.status)
    try:
        egress.examine(url)
    except egress.Refused as problem:
        raise Invalid(str(problem), fields={"url": [str(problem)]}) from problem
    open_ones = OpenPayout.objects.filter(plan_id=payout.plan_id).values_list("payout_id", flat=True)
    moved = Remittance.objects.filter(pk__in=list(open_ones)).exclude(url=url).update(url=url)
    events.record(
        operator_id=payout.operator_id,
        type="payouts.readdressed",
        subject=payout.subject,
        data={"payouts": moved, "url": url, "reason": reason},
        actor=actor,
        at=at,
    )
    return moved


@transaction.atomic
def note(sending: Sending, heard: Heard, *, at: datetime) -> None:
    """Write down what came of a try, and move the money in the books if the operator has confirmed.

    An answer that comes after its lease has run out counts only if it confirms: the operator has done it, whatever
    became of the payout meanwhile. One that is paid already stays as it is.
    """
    payout: Payout = (
        Payout.objects.select_for_update(of=("self",), no_key=True)
        .select_related("remittance", "plan", "asset")
        .get(pk=sending.payout_id)
    )
    calling.note(sending.call, heard, at=at)
    if payout.status == PayoutStatus.PAID:
        return
    if heard.ok:
        _confirm(payout, heard, at=at)
        return
    if payout.status != PayoutStatus.PROCESSING or payout.attempts != sending.call.number:
        return  # another try has been made since
    if heard.temporary and payout.remittance.tries <= allowed_retries(payout.remittance):
        pause = timedelta(seconds=settings.PAYOUT_RETRY_SECONDS)
        payout.fail(error=heard.told[:300], retry_at=sending.call.started_at + pause)
    else:
        payout.give_up(error=heard.told[:300])
    payout.save(update_fields=["status", "error", "next_attempt_at"])
    report_failed([payout.pk], plan=payout.plan, actor=SYSTEM, at=at)


def _confirm(payout: Payout, heard: Heard, *, at: datetime) -> None:
    if payout.status != PayoutStatus.PROCESSING:
        payout.retry(at=at)
        payout.save(update_fields=["status", "next_attempt_at"])  # the graph has no shorter way
    try:
        with transaction.atomic():
            payout.journal = post(journal_of(payout), operator_id=payout.operator_id, actor=SYSTEM, at=at)
    except (InsufficientFunds, JournalMismatch) as problem:
        # It was paid all the same; only a person can put the books right.
        payout.give_up(error=f"The operator has paid it, but the books refuse: {problem.message}"[:300])
        payout.save(update_fields=["status", "error", "next_attempt_at"])
        report_failed([payout.pk], plan=payout.plan, actor=SYSTEM, at=at)
        return
    payout.settle(at=at)
    payout.save(update_fields=["status", "paid_at", "next_attempt_at", "error", "journal"])
    if found := heard.transaction_id:
        Remittance.objects.filter(pk=payout.pk).update(transaction_id=found)
    owners.tell_paid(payout.subject, [Paid.of(payout, payout.journal.pk)], actor=SYSTEM, at=at)
