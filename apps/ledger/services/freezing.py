"""Freeze what is owed, once. Paying it is in `payments`, what staff decide about it in `decisions`.

A plan's digest is the SHA-256 over its lines in the order of their keys (by code point), each written as
`key|purpose|rail|target|units|player|entry|position` and a line feed; what is absent is empty. Where something else
than money is given, `|` and its JSON text follow before the line feed.
"""

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from django.db import connection, transaction
from django.db.models import Count, Sum

from apps.core import doorbell
from apps.core.actors import Actor
from apps.core.errors import DomainError
from apps.ledger.lifecycle import PayoutStatus
from apps.ledger.models import Asset, Payout, PlanKind, Purpose, Rail, SettlementPlan
from apps.ledger.services.orders import Order

# The bell of what is sent to operators; `services.remitting` answers it.
REMIT = "ledger.remit"

MAX_REASON = 300
COLUMNS = (
    "operator_id, plan_id, subject, key, purpose, rail, player_id, entry_ref, position, asset_id, units, source_id, "
    "target_id, status, attempts, error, award"
)
# The same text as `Line.canonical`, made by the database from what it stores.
DIGEST = """
    SELECT p.id, COUNT(y.id), COALESCE(SUM(y.units), 0), encode(sha256(convert_to(COALESCE(string_agg(
               y.key || '|' || y.purpose || '|' || y.rail || '|' || y.target_id || '|' || y.units || '|'
               || COALESCE(y.player_id::text, '') || '|' || COALESCE(y.entry_ref::text, '') || '|'
               || COALESCE(y.position::text, '')
               || CASE y.award WHEN '' THEN '' ELSE '|' || y.award END || E'\n',
               '' ORDER BY y.key COLLATE "C"), ''), 'UTF8')), 'hex')
      FROM ledger_settlementplan p LEFT JOIN ledger_payout y ON y.plan_id = p.id
     WHERE p.{column} = %s GROUP BY p.id
"""


class PlanChanged(DomainError):
    """The stored payouts are not the ones that were frozen; nothing is paid until a person has looked."""

    code = "PLAN_CHANGED"


@dataclass(frozen=True, slots=True)
class Line:
    """One payout about to be frozen. `target_id` is the account it goes to; `key` names the business act.

    `order` is what the operator is told, on its rail and only there. `award` is JSON text of what is given where it is
    not money. `refused` says why nobody gets it: it is frozen as NOT_ELIGIBLE.
    """

    key: str
    purpose: Purpose
    rail: Rail
    target_id: int
    units: int
    player_id: int | None = None
    entry_ref: int | None = None
    position: int | None = None
    award: str = ""
    refused: str = ""
    order: Order | None = None

    def canonical(self) -> str:
        """Return the line as the digest reads it."""
        optional = (self.player_id, self.entry_ref, self.position)
        rest = "|".join("" if value is None else str(value) for value in optional)
        award = f"|{self.award}" if self.award else ""
        return f"{self.key}|{self.purpose.value}|{self.rail.value}|{self.target_id}|{self.units}|{rest}{award}\n"


@transaction.atomic
def freeze(
    lines: Sequence[Line],
    *,
    operator_id: int,
    subject: str,
    kind: PlanKind,
    asset: Asset,
    source_id: int,
    needs_approval: bool,
    actor: Actor,
    at: datetime,
) -> SettlementPlan:
    """Store the payouts of one competition, in the order given, and the digest over them; 100,000 take seconds.

    Once per operator, subject and kind: a second call returns the first plan whatever its lines are, because a retry
    never recomputes. Raises ValueError for a line that could never be paid: no units, a key twice, a source or target
    that is no account of this operator and asset.
    """
    digest = hashlib.sha256()
    for line in sorted(lines, key=attrgetter("key")):
        digest.update(line.canonical().encode())
    # Waits for whoever is freezing the same plan, and then returns theirs.
    plan, new = SettlementPlan.objects.get_or_create(
        operator_id=operator_id,
        subject=subject,
        kind=kind,
        defaults={
            "asset": asset,
            "lines": len(lines),
            "total_units": sum(line.units for line in lines),
            "digest": digest.hexdigest(),
            "frozen_at": at,
            "frozen_by": str(actor),
        },
    )
    if new and lines:
        _refuse_nonsense(lines)
        _copy(lines, plan, source_id=source_id, needs_approval=needs_approval)
        _refuse_strangers(plan)
        _write_orders(lines, plan, automatic=not needs_approval)
    return plan


def verify(plan: SettlementPlan) -> None:
    """Compare the stored payouts with the plan's digest. Raises PlanChanged; 100,000 lines take a moment."""
    found = _stored("id", plan.pk)[plan.pk]
    if found != _frozen(plan):
        raise PlanChanged(plan=plan.pk, lines=found[0], frozen_lines=plan.lines)


def changed(operator_id: int) -> list[SettlementPlan]:
    """Return the plans of an operator whose stored payouts are not those that were frozen."""
    stored = _stored("operator_id", operator_id)
    plans = SettlementPlan.objects.for_operator(operator_id).filter(pk__in=stored).order_by("pk")
    return [plan for plan in plans if stored[plan.pk] != _frozen(plan)]


def _stored(column: str, value: int) -> dict[int, tuple[int, int, str]]:
    """Return number, units and digest of what is stored, by plan."""
    with connection.cursor() as cursor:
        cursor.execute(DIGEST.format(column=column), [value])
        return {plan: (lines, int(units), digest) for plan, lines, units, digest in cursor.fetchall()}


def _frozen(plan: SettlementPlan) -> tuple[int, int, str]:
    return plan.lines, int(plan.total_units), plan.digest


def counts(plan_id: int) -> dict[PayoutStatus, tuple[int, int]]:
    """Return how many payouts of a plan stand where, and their units. Every status is there, often with (0, 0).

    Reads the whole plan: ask it when `pay_some` has come back with less than its limit, not after every batch.
    """
    found = dict.fromkeys(PayoutStatus, (0, 0))
    rows = Payout.objects.filter(plan_id=plan_id).order_by().values_list("status").annotate(Count("pk"), Sum("units"))
    for status, number, units in rows:
        found[PayoutStatus(status)] = (number, int(units))
    return found


def _copy(lines: Sequence[Line], plan: SettlementPlan, *, source_id: int, needs_approval: bool) -> None:
    """Stream the lines in. COPY is about twice as fast as the next best thing and needs no batches."""
    status = (PayoutStatus.WAITING_APPROVAL if needs_approval else PayoutStatus.PROCESSING).value
    with connection.cursor() as cursor, cursor.copy(f"COPY ledger_payout ({COLUMNS}) FROM STDIN") as sink:
        for line in lines:
            sink.write_row(
                (
                    plan.operator_id,
                    plan.pk,
                    plan.subject,
                    line.key,
                    line.purpose.value,
                    line.rail.value,
                    line.player_id,
                    line.entry_ref,
                    line.position,
                    plan.asset_id,
                    line.units,
                    source_id,
                    line.target_id,
                    PayoutStatus.NOT_ELIGIBLE.value if line.refused else status,
                    0,
                    line.refused[:MAX_REASON],
                    line.award,
                )
            )


def _write_orders(lines: Sequence[Line], plan: SettlementPlan, *, automatic: bool) -> None:
    """Write what the operator will be told, now that the payouts have their numbers, and ring for it."""
    orders = {line.key: line.order for line in lines if line.order is not None and not line.refused}
    if not orders:
        return
    numbers = list(Payout.objects.filter(plan=plan, rail=Rail.OPERATOR).values_list("key", "pk"))
    columns = "payout_id, operator_id, ref, url, body, automatic"
    with connection.cursor() as cursor, cursor.copy(f"COPY ledger_remittance ({columns}) FROM STDIN") as sink:
        for key, pk in numbers:
            if (order := orders.get(key)) is None:
                continue
            ref = uuid.uuid4()
            sink.write_row((pk, plan.operator_id, ref, order.url, order.body(payout_id=pk, ref=ref), automatic))
    if automatic:
        doorbell.ring(REMIT, operator_id=plan.operator_id)


def _refuse_nonsense(lines: Sequence[Line]) -> None:
    if any(line.units <= 0 for line in lines):
        message = "a payout moves something"
        raise ValueError(message)
    if len({line.key for line in lines}) != len(lines):
        message = "two payouts with one key"
        raise ValueError(message)
    if any((line.order is None) != (line.rail != Rail.OPERATOR) for line in lines):
        message = "what goes by the operator's rail has an order, and nothing else has"
        raise ValueError(message)


def _refuse_strangers(plan: SettlementPlan) -> None:
    """Look at all accounts at once; the payout's foreign keys have no constraints, which would look one by one."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT EXISTS (
                SELECT 1 FROM ledger_payout p
                  LEFT JOIN ledger_account s ON s.id = p.source_id
                  LEFT JOIN ledger_account t ON t.id = p.target_id
                 WHERE p.plan_id = %s
                   AND (s.operator_id, s.asset_id, t.operator_id, t.asset_id)
                       IS DISTINCT FROM (p.operator_id, p.asset_id, p.operator_id, p.asset_id))
            """,
            [plan.pk],
        )
        if cursor.fetchone() == (True,):
            message = "a payout from or to an account of another operator or asset, or of none"
            raise ValueError(message)
