"""What staff decide about a plan: let it move, try it again, pay on."""

from datetime import datetime

from django.db import transaction

from apps.core.actors import Actor
from apps.core.errors import DomainError
from apps.events.services import recording as events
from apps.jobs import services as jobs
from apps.ledger.models import SettlementPlan
from apps.ledger.services import plans
from apps.tournaments import facts
from apps.tournaments.lifecycle import TournamentStatus
from apps.tournaments.models import Tournament
from apps.tournaments.services.settlement.ground import job_key, plan_of, set_going
from apps.tournaments.services.states import InvalidState, refusing_wrong_states


class NothingToApprove(DomainError):
    """No payout of this tournament waits for approval."""

    code = "INVALID_STATE"


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
        set_going(tournament, plan, actor=actor, at=at)
    return approved


@transaction.atomic
def resume(tournament_id: int, *, actor: Actor, at: datetime) -> Tournament:
    """Pay on where money could not move: the same stored amounts, every error tried again. Raises InvalidState."""
    tournament: Tournament = Tournament.objects.hold(tournament_id)
    plan = plan_of(tournament)
    go_on(tournament, plan, actor=actor, at=at)
    if plan is not None:
        plans.retry_all(plan.pk, actor=actor, at=at)
        set_going(tournament, plan, actor=actor, at=at)
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
    set_going(tournament, plan, actor=actor, at=at)
    return again


def go_on(tournament: Tournament, plan: SettlementPlan | None, *, actor: Actor, at: datetime) -> None:
    """Take a tournament that needed a person back to paying; the caller holds it alone. Raises InvalidState."""
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
