"""From a plan to money: freeze it once, pay it line by line, close the books. What it pays is decided in `planning`."""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction

from apps.core import doorbell
from apps.core.actors import SYSTEM, Actor
from apps.core.errors import DomainError
from apps.events.services import recording as events
from apps.jobs import services as jobs
from apps.ledger.lifecycle import PayoutStatus
from apps.ledger.models import PlanKind, Rail, SettlementPlan
from apps.ledger.services import accounts, journals, plans
from apps.tournaments import facts, keepers
from apps.tournaments.lifecycle import TournamentStatus
from apps.tournaments.models import Tournament
from apps.tournaments.services import ordering, results
from apps.tournaments.services.planning import (
    Preview,
    PreviewLine,
    plan_prizes,
    plan_refunds,
    preview_refunds,
    preview_settlement,
)
from apps.tournaments.services.states import InvalidState, refusing_wrong_states

__all__ = ["Preview", "PreviewLine", "preview_refunds", "preview_settlement"]

PAY = "tournaments.pay"
# A fact is read by people and webhooks: the first hundred winners; `results` serves them all.
WINNERS_TOLD = 100
BATCHES_A_RUN = 8
# Up to so many lines the bar of a plan that the operator confirms moves with every line, then once in so many.
SHORT_PLAN, STEPS = 200, 50
SETTLED = (PayoutStatus.PAID, PayoutStatus.NOT_ELIGIBLE)
# What ends in the player's own wallet, and not with the operator who credits them.
IN_WALLETS = (Rail.WALLET, Rail.CHAIN)


class NothingToApprove(DomainError):
    """No payout of this tournament waits for approval."""

    code = "INVALID_STATE"


def freeze_prizes(tournament: Tournament, *, actor: Actor, at: datetime) -> None:
    """Fix the prizes of a tournament that has just completed and set the payouts going; the caller holds it alone."""
    preview = plan_prizes(tournament)
    threshold = tournament.approval_from_units
    waits = tournament.needs_approval or (threshold is not None and preview.worth >= threshold)
    _freeze(tournament, preview, needs_approval=waits, actor=actor, at=at)
    outcome = results.outcome(tournament, winners=WINNERS_TOLD)
    if preview.top_up:
        # Last, after all that takes long or waits for others: everybody's deposits and entries need clearing too.
        _add_guarantee(tournament, preview.top_up, actor=actor, at=at)
    events.record_many(
        [facts.completed(tournament, outcome), facts.results_published(tournament, outcome)],
        operator_id=tournament.operator_id,
        actor=actor,
        at=at,
    )
    if not preview.lines:
        conclude(tournament, actor=actor, at=at)


def freeze_refunds(tournament: Tournament, *, actor: Actor, at: datetime) -> None:
    """Fix the refunds of a tournament that was just cancelled and set them going; the caller holds it alone."""
    preview = plan_refunds(tournament)
    _freeze(tournament, preview, needs_approval=False, actor=actor, at=at)
    events.record_many(
        [facts.cancelled(tournament, players=preview.players, units=preview.total_units)],
        operator_id=tournament.operator_id,
        actor=actor,
        at=at,
    )
    if not preview.lines:
        conclude(tournament, actor=actor, at=at)


def _add_guarantee(tournament: Tournament, units: int, *, actor: Actor, at: datetime) -> None:
    journal = journals.NewJournal(
        kind="tournament.guarantee",
        key=f"{tournament.subject}:guarantee",
        legs={accounts.clearing(tournament.asset).pk: -units, tournament.escrow_id: units},
        subject=tournament.subject,
    )
    journals.post(journal, operator_id=tournament.operator_id, actor=actor, at=at)


def _freeze(
    tournament: Tournament, preview: Preview, *, needs_approval: bool, actor: Actor, at: datetime
) -> SettlementPlan:
    wallets: dict[int, int] = {}
    if any(line.rail in IN_WALLETS for line in preview.lines):
        wallets = accounts.wallets([line.player_id for line in preview.lines if line.player_id], tournament.asset)
    clearing = accounts.clearing(tournament.asset).pk if preview.lines else 0
    keeper = keepers.of(tournament)
    fee_accounts = {line.party: keeper.fee_account(tournament, line.party).pk for line in preview.lines if line.party}

    def target(line: PreviewLine) -> int:
        if line.party:
            return fee_accounts[line.party]
        return wallets[line.player_id] if line.rail in IN_WALLETS and line.player_id else clearing

    told = ordering.orders(tournament, preview.lines, at=at)
    plan = plans.freeze(
        [
            plans.Line(
                key=line.key,
                purpose=line.purpose,
                rail=line.rail,
                target_id=target(line),
                units=line.units,
                player_id=line.player_id,
                entry_ref=line.entry_id,
                position=line.position,
                award=ordering.award(line),
                refused=line.refused,
                order=told.get(line.key),
            )
            for line in preview.lines
        ],
        operator_id=tournament.operator_id,
        subject=tournament.subject,
        kind=preview.kind,
        asset=tournament.asset,
        source_id=tournament.escrow_id,
        needs_approval=needs_approval,
        actor=actor,
        at=at,
    )
    if preview.lines:
        verb = "Refund" if preview.kind == PlanKind.REFUND else "Settle"
        jobs.ask(
            operator_id=tournament.operator_id,
            kind=f"tournament.{preview.kind.lower()}",
            key=job_key(tournament, preview.kind),
            subject=tournament.subject,
            title=f"{verb} {tournament.name}",
            total=len(preview.lines),
            actor=actor,
            at=at,
        )
        if not needs_approval:
            _set_going(tournament, plan, actor=actor, at=at)
    return plan


def _set_going(tournament: Tournament, plan: SettlementPlan, *, actor: Actor, at: datetime) -> None:
    """Begin to pay: a worker of ours, or whoever keeps the money."""
    keeper = keepers.of(tournament)
    if keeper.pays_itself:
        keeper.pay(tournament, plan, actor=actor, at=at)
    else:
        doorbell.ring(PAY, tournament_id=tournament.pk)


def job_key(tournament: Tournament, kind: str) -> str:
    """Return the key of the job that pays a plan of this tournament."""
    return f"{tournament.subject}:{kind.lower()}"


@transaction.atomic
def approve_payouts(tournament_id: int, *, actor: Actor, at: datetime) -> int:
    """Let the waiting payouts of a settlement move; return how many. Raises NothingToApprove."""
    tournament: Tournament = Tournament.objects.hold(tournament_id)
    plan = plan_of(tournament)
    approved = plans.approve(plan.pk, actor=actor, at=at) if plan else 0
    if not approved:
        raise NothingToApprove
    events.record_many(
        [facts.payouts_approved(tournament, payouts=approved)],
        operator_id=tournament.operator_id,
        actor=actor,
        at=at,
    )
    if plan is not None:
        _set_going(tournament, plan, actor=actor, at=at)
    return approved


@transaction.atomic
def resume(tournament_id: int, *, actor: Actor, at: datetime) -> Tournament:
    """Pay on where money could not move: the same stored amounts, every error tried again. Raises InvalidState."""
    tournament: Tournament = Tournament.objects.hold(tournament_id)
    plan = plan_of(tournament)
    _resume(tournament, plan, actor=actor, at=at)
    if plan is not None:
        plans.retry_all(plan.pk, actor=actor, at=at)
        _set_going(tournament, plan, actor=actor, at=at)
    return tournament


@transaction.atomic
def retry_payouts(tournament_id: int, *, actor: Actor, at: datetime) -> int:
    """Try every payout that failed again while the others go on; return how many. Raises InvalidState."""
    tournament: Tournament = Tournament.objects.hold(tournament_id)
    plan = plan_of(tournament)
    if plan is None or tournament.status not in (TournamentStatus.SETTLING, TournamentStatus.REFUNDING):
        raise InvalidState(status=tournament.status)
    again = plans.retry_all(plan.pk, actor=actor, at=at)
    events.record_many(
        [facts.payouts_retried(tournament, payouts=again)], operator_id=tournament.operator_id, actor=actor, at=at
    )
    _set_going(tournament, plan, actor=actor, at=at)
    return again


def _resume(tournament: Tournament, plan: SettlementPlan | None, *, actor: Actor, at: datetime) -> None:
    if tournament.status != TournamentStatus.FAILED:
        raise InvalidState(status=tournament.status)
    with refusing_wrong_states(tournament, "resume"):
        if tournament.cancelled_at is not None:
            tournament.resume_refunds()
        else:
            tournament.resume_settlement()
    tournament.save(update_fields=["status", "problem"])
    if plan is not None:
        jobs.queue_again(tournament.operator_id, job_key(tournament, plan.kind), actor=actor, at=at)


def plan_of(tournament: Tournament) -> SettlementPlan | None:
    """Return the plan that the tournament's end has frozen: refunds when it was cancelled, else prizes and fees."""
    kind = PlanKind.REFUND if tournament.cancelled_at is not None else PlanKind.SETTLEMENT
    return SettlementPlan.objects.filter(
        operator_id=tournament.operator_id, subject=tournament.subject, kind=kind
    ).first()


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
        _end(tournament, plan, problem=problem, actor=SYSTEM, at=at)


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
            _resume(tournament, plan, actor=SYSTEM, at=at)
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


def conclude(tournament: Tournament, *, actor: Actor, at: datetime) -> None:
    """Close the books of a tournament once every payout has ended; the caller holds it alone.

    What staff refused to pay goes back to the operator. The escrow must then be empty; if it is not, or a payout needs
    a person, the tournament asks for attention instead of closing.
    """
    plan = plan_of(tournament)
    if plan is None or tournament.status not in (TournamentStatus.SETTLING, TournamentStatus.REFUNDING):
        return
    counts = plans.counts(plan.pk)
    open_statuses = {status for status, (number, _) in counts.items() if number and status not in SETTLED}
    if open_statuses - {PayoutStatus.ERROR_MANUAL}:
        return
    problem = ""
    if open_statuses:
        problem = f"{counts[PayoutStatus.ERROR_MANUAL][0]} payouts need a person."
    else:
        refused = counts.get(PayoutStatus.NOT_ELIGIBLE, (0, 0))[1]
        if refused:
            _return_refused(tournament, refused, actor=actor, at=at)
        left = accounts.balance(tournament.escrow_id)
        if left:
            problem = f"The escrow holds {facts.amount(tournament, left)} {tournament.asset.code} too much."
    _end(tournament, plan, problem=problem, actor=actor, at=at)


def _return_refused(tournament: Tournament, units: int, *, actor: Actor, at: datetime) -> None:
    journal = journals.NewJournal(
        kind="tournament.not_eligible",
        key=f"{tournament.subject}:not_eligible",
        legs={tournament.escrow_id: -units, accounts.clearing(tournament.asset).pk: units},
        subject=tournament.subject,
    )
    journals.post(journal, operator_id=tournament.operator_id, actor=actor, at=at)


def _end(tournament: Tournament, plan: SettlementPlan, *, problem: str, actor: Actor, at: datetime) -> None:
    key = job_key(tournament, plan.kind)
    if problem:
        tournament.need_attention(problem=problem)
        jobs.fail(tournament.operator_id, key, error=problem, at=at)
    else:
        if tournament.cancelled_at is not None:
            tournament.finish_refunds(at=at)
        else:
            tournament.close(at=at)
        jobs.report(tournament.operator_id, key, done=plan.lines, total=plan.lines, at=at, finished=True)
    tournament.save(update_fields=["status", "problem", "closed_at"])
    fact = facts.needs_attention(tournament) if problem else facts.closed(tournament)
    events.record_many([fact], operator_id=tournament.operator_id, actor=actor, at=at)
    keepers.of(tournament).changed(tournament, actor=actor, at=at)
