"""Make the simulated chain slow, fail or wait, so that somebody can stand in the pending state (podium.md 5)."""

from datetime import datetime

from django.db import transaction

from apps.core.actors import Actor
from apps.core.errors import DomainError, Invalid
from apps.events.services import recording as events
from apps.ledger import chain
from apps.ledger.models import ChainControl

SLOWEST = 7 * 24 * 3600
MOST_FAILURES = 1_000_000


class ChainNotSimulated(DomainError):
    """There is no simulated chain here."""

    kind = "forbidden"
    code = "CHAIN_NOT_SIMULATED"
    hint = "A real chain takes no orders, and production has no simulated one unless CHAIN says so."


def control_of(operator_id: int) -> ChainControl:
    """Return how the chain behaves for an operator. Raises ChainNotSimulated."""
    if not chain.is_simulated():
        raise ChainNotSimulated
    return ChainControl.objects.filter(operator_id=operator_id).first() or ChainControl(operator_id=operator_id)


@transaction.atomic
def control(
    operator_id: int,
    *,
    finality_seconds: float | None = None,
    fail_next: int | None = None,
    hold: bool | None = None,
    actor: Actor,
    at: datetime,
) -> ChainControl:
    """Change how the simulated chain behaves for an operator's next transactions; None leaves a thing as it is.

    `hold` works on those that are pending as well. Raises ChainNotSimulated, Invalid.
    """
    control_of(operator_id)
    if finality_seconds is not None and not 0 <= finality_seconds <= SLOWEST:
        raise Invalid("finalitySeconds is out of range.", fields={"finalitySeconds": [f"0 to {SLOWEST}."]})
    if fail_next is not None and not 0 <= fail_next <= MOST_FAILURES:
        raise Invalid("failNext is out of range.", fields={"failNext": [f"0 to {MOST_FAILURES}."]})
    ChainControl.objects.get_or_create(operator_id=operator_id)
    row = ChainControl.objects.select_for_update().get(operator_id=operator_id)
    wanted = {"finality_seconds": finality_seconds, "fail_next": fail_next, "hold": hold}
    given = {name: value for name, value in wanted.items() if value is not None}
    for name, value in given.items():
        setattr(row, name, value)
    row.save()
    if given:
        data = {"finalitySeconds": row.finality_seconds, "failNext": row.fail_next, "hold": row.hold}
        events.record(operator_id=operator_id, type="chain.controlled", subject="chain", data=data, actor=actor, at=at)
    return row
