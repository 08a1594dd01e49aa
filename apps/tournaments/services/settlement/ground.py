"""What every verb of settling stands on: the plan, the job that tells of it, and how paying begins."""

from datetime import datetime

from apps.core import doorbell
from apps.core.actors import Actor
from apps.ledger.lifecycle import PayoutStatus
from apps.ledger.models import PlanKind, SettlementPlan
from apps.tournaments import keepers
from apps.tournaments.models import Tournament

PAY = "tournaments.pay"
SETTLED = (PayoutStatus.PAID, PayoutStatus.NOT_ELIGIBLE)


def job_key(tournament: Tournament, kind: str) -> str:
    """Return the key of the job that pays a plan of this tournament."""
    return f"{tournament.subject}:{kind.lower()}"


def plan_of(tournament: Tournament) -> SettlementPlan | None:
    """Return the plan that the tournament's end has frozen: refunds when it was cancelled, else prizes and fees."""
    kind = PlanKind.REFUND if tournament.cancelled_at is not None else PlanKind.SETTLEMENT
    return SettlementPlan.objects.filter(
        operator_id=tournament.operator_id, subject=tournament.subject, kind=kind
    ).first()


def set_going(tournament: Tournament, plan: SettlementPlan, *, actor: Actor, at: datetime) -> None:
    """Begin to pay: a worker of ours, or whoever keeps the money."""
    keeper = keepers.of(tournament)
    if keeper.pays_itself:
        keeper.pay(tournament, plan, actor=actor, at=at)
    else:
        doorbell.ring(PAY, tournament_id=tournament.pk)
