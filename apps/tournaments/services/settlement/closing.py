"""Close the books of a tournament, or ask for a person."""

from datetime import datetime

from apps.core.actors import Actor
from apps.events.services import recording as events
from apps.jobs import services as jobs
from apps.ledger.lifecycle import PayoutStatus
from apps.ledger.models import SettlementPlan
from apps.ledger.services import accounts, journals, plans
from apps.tournaments import facts, keepers
from apps.tournaments.lifecycle import TournamentStatus
from apps.tournaments.models import Tournament
from apps.tournaments.services.settlement.ground import SETTLED, job_key, plan_of


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
    end(tournament, plan, problem=problem, actor=actor, at=at)


def _return_refused(tournament: Tournament, units: int, *, actor: Actor, at: datetime) -> None:
    journal = journals.NewJournal(
        kind="tournament.not_eligible",
        key=f"{tournament.subject}:not_eligible",
        legs={tournament.escrow_id: -units, accounts.clearing(tournament.asset).pk: units},
        subject=tournament.subject,
    )
    journals.post(journal, operator_id=tournament.operator_id, actor=actor, at=at)


def end(tournament: Tournament, plan: SettlementPlan, *, problem: str, actor: Actor, at: datetime) -> None:
    """Close a tournament that the caller holds alone; with a problem, ask for a person instead."""
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
