"""Pay frozen plans, batch by batch, until their tournaments close."""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction

from apps.core import doorbell
from apps.core.actors import SYSTEM, Actor
from apps.events.services import recording as events
from apps.jobs import services as jobs
from apps.ledger.lifecycle import PayoutStatus
from apps.ledger.models import SettlementPlan
from apps.ledger.services import accounts, plans
from apps.tournaments import keepers
from apps.tournaments.lifecycle import TournamentStatus
from apps.tournaments.models import Tournament
from apps.tournaments.services import results
from apps.tournaments.services.settlement.closing import conclude, end
from apps.tournaments.services.settlement.decisions import go_on
from apps.tournaments.services.settlement.ground import PAY, SETTLED, job_key, plan_of

BATCHES_A_RUN = 8
# Up to so many lines the bar of a plan that the operator confirms moves with every line, then once in so many.
SHORT_PLAN, STEPS = 200, 50
# A plan of a hundred thousand that waits for approval, or for a person, is not read again every second: one that can
# go on has a payout that is due, or none that is open and an end to come to. What is sent to the operator is not ours
# to pay; but a tournament that needed a person goes on when one of those does.
_PAYING = """
    SELECT t.id FROM tournaments_tournament t
      JOIN ledger_settlementplan p ON p.operator_id = t.operator_id AND p.subject = 'tournament:' || t.id
       AND p.kind = CASE WHEN t.cancelled_at IS NULL THEN 'SETTLEMENT' ELSE 'REFUND' END
     WHERE t.status IN ('SETTLING', 'REFUNDING', 'FAILED')
       AND (EXISTS (SELECT FROM ledger_openpayout o
                     WHERE o.plan_id = p.id AND (o.rail <> 'OPERATOR' OR t.status = 'FAILED')
                       AND (o.status = 'PROCESSING' OR o.status = 'ERROR_RETRY' AND o.due_at <= now()))
            OR CASE t.status
               WHEN 'FAILED' THEN NOT EXISTS (SELECT FROM ledger_openpayout o WHERE o.plan_id = p.id)
                AND (SELECT sum(b.units) FROM ledger_balance b WHERE b.account_id = t.escrow_id) = 0
               ELSE NOT EXISTS (SELECT FROM ledger_openpayout o
                                 WHERE o.plan_id = p.id AND o.status <> 'ERROR_MANUAL') END)
     ORDER BY t.id
"""


def paying() -> list[int]:
    """Return the tournaments that can pay or end now, those included whose problem somebody has mended.

    The beat rings for them.
    """
    with connection.cursor() as cursor:
        cursor.execute(_PAYING)
        return [tournament_id for (tournament_id,) in cursor.fetchall()]


def pay_on(tournament_id: int, *, at: datetime) -> int:
    """Pay what is due, a batch a transaction, then close the tournament if nothing is left; return how many were paid.

    After some batches it rings for another run, so that a large settlement leaves the worker to others in between.

    Safe to run twice, side by side, and again after a kill: a payout is paid by the journal that carries its key.
    """
    tournament = _owing(tournament_id, at=at)
    plan = plan_of(tournament) if tournament else None
    if tournament is None or plan is None:
        return 0
    if keepers.of(tournament).pays_itself:
        _pay_elsewhere(tournament_id, plan, at=at)
        return 0
    paid, before = 0, plans.counts(plan.pk)[PayoutStatus.PAID][0]
    for _ in range(BATCHES_A_RUN):
        try:
            batch = _pay_batch(tournament, plan, at=at)
        except plans.PlanChanged as changed:
            _stop(tournament_id, plan, problem=changed.message, at=at)
            return paid
        if not batch:
            with transaction.atomic():
                conclude(Tournament.objects.hold(tournament_id), actor=SYSTEM, at=at)
            return paid
        paid += batch
        key = job_key(tournament, plan.kind)
        jobs.report(tournament.operator_id, key, done=before + paid, total=plan.lines, at=at)
    doorbell.ring(PAY, tournament_id=tournament_id)
    return paid


@transaction.atomic
def _pay_elsewhere(tournament_id: int, plan: SettlementPlan, *, at: datetime) -> None:
    """See to it that what is open is on its way, and close what has been paid."""
    tournament: Tournament = Tournament.objects.hold(tournament_id)
    if tournament.status not in (TournamentStatus.SETTLING, TournamentStatus.REFUNDING):
        return
    if plans.counts(plan.pk)[PayoutStatus.PROCESSING][0]:
        keepers.of(tournament).pay(tournament, plan, actor=SYSTEM, at=at)
    else:
        conclude(tournament, actor=SYSTEM, at=at)


@transaction.atomic
def _stop(tournament_id: int, plan: SettlementPlan, *, problem: str, at: datetime) -> None:
    """Ask for a person: the stored lines are not those that were frozen, so nothing of them may move."""
    tournament: Tournament = Tournament.objects.hold(tournament_id)
    if tournament.status in (TournamentStatus.SETTLING, TournamentStatus.REFUNDING):
        end(tournament, plan, problem=problem, actor=SYSTEM, at=at)


@transaction.atomic
def _owing(tournament_id: int, *, at: datetime) -> Tournament | None:
    """Return the tournament if it is paying. One that needed a person goes on by itself once they have seen to it."""
    tournament: Tournament = Tournament.objects.hold(tournament_id)
    if tournament.status == TournamentStatus.FAILED:
        plan = plan_of(tournament)
        counts = plans.counts(plan.pk) if plan else {}
        waiting = {status for status, (number, _) in counts.items() if number and status not in SETTLED}
        mended = PayoutStatus.PROCESSING in waiting or (not waiting and not accounts.balance(tournament.escrow_id))
        if mended and _is_as_frozen(plan):
            go_on(tournament, plan, actor=SYSTEM, at=at)
    return tournament if tournament.status in (TournamentStatus.SETTLING, TournamentStatus.REFUNDING) else None


def _is_as_frozen(plan: SettlementPlan | None) -> bool:
    try:
        if plan is not None:
            plans.verify(plan)
    except plans.PlanChanged:
        return False
    return True


class Payouts:
    """How the ledger tells tournaments of payouts that the operator has confirmed."""

    def paid(self, subject: str, rows: Sequence[plans.Paid], *, actor: Actor, at: datetime) -> None:
        """Report them, as those that the books pay; the beat closes the tournament after the last one."""
        tournament = Tournament.objects.select_related("asset").get(pk=int(subject.partition(":")[2]))
        told = results.payout_facts(tournament, rows)
        events.record_many(told, operator_id=tournament.operator_id, actor=actor, at=at)
        plan = plan_of(tournament)
        # Counting is cheap while it is short; of a long plan the bar moves in steps.
        if plan is not None and (plan.lines <= SHORT_PLAN or rows[0].id % STEPS == 0):
            done = plan.lines - plan.open_payouts.count()
            jobs.report(tournament.operator_id, job_key(tournament, plan.kind), done=done, total=plan.lines, at=at)


@transaction.atomic
def _pay_batch(tournament: Tournament, plan: SettlementPlan, *, at: datetime) -> int:
    rows = plans.pay_some(plan, limit=settings.PAYOUT_BATCH, actor=SYSTEM, at=at)
    events.record_many(results.payout_facts(tournament, rows), operator_id=tournament.operator_id, actor=SYSTEM, at=at)
    return len(rows)
