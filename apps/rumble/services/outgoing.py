"""Money out of a container that is no tournament's: resolve, give back, and what the chain says (3.25, 3.26, 6.1)."""

from collections.abc import Sequence
from datetime import datetime

from apps.core.actors import Actor
from apps.ledger.lifecycle import ChainStatus
from apps.ledger.models import ChainTransaction
from apps.ledger.services import accounts, rail
from apps.rumble import facts
from apps.rumble.lifecycle import OPEN, ContainerStatus
from apps.rumble.models import Container
from apps.rumble.services.ground import AREA, deposits_inside, record

RESOLVE, REFUND = "resolve", "refund"


def send(
    container: Container, legs: Sequence[rail.Leg], *, purpose: str, actor: Actor, at: datetime
) -> ChainTransaction:
    """Send everything that is in a container to where the legs say; the caller holds it."""
    tries = ChainTransaction.objects.filter(operator_id=container.operator_id, subject=container.subject).count()
    leaving = rail.send(
        rail.Errand(AREA, purpose, container.subject, f"{container.subject}:out:{tries + 1}"),
        legs,
        asset=container.asset,
        actor=actor,
        at=at,
    )
    container.out = leaving
    if container.status in OPEN:
        container.begin_resolving()
    container.save(update_fields=["status", "out"])
    record(container.application, [facts.from_escrow("Created", container, leaving)], actor=actor, at=at)
    return leaving


def give_back(container: Container, *, actor: Actor, at: datetime) -> ChainTransaction | None:
    """Send every deposit to its owner, without any fee; an empty container has nothing to send and is resolved."""
    legs = [
        rail.Leg(
            source_id=container.escrow_id,
            target_id=accounts.wallet(deposit.player_id, container.asset).pk,
            units=int(deposit.units),
            address=deposit.owner_eos_id,
        )
        for deposit in deposits_inside(container)
    ]
    if legs:
        return send(container, legs, purpose=REFUND, actor=actor, at=at)
    if container.status != ContainerStatus.EXPIRED:
        container.resolve(at=at)
        container.save(update_fields=["status", "ended_at"])
    return None


def container_changed(leaving: ChainTransaction, *, actor: Actor, at: datetime) -> None:
    """Do what follows from what became of a transaction out of a container; it is held."""
    container: Container = Container.objects.hold(int(leaving.subject.rpartition(":")[2]))
    if leaving.status == ChainStatus.FINAL:
        if leaving.purpose == REFUND:
            for deposit in deposits_inside(container):
                deposit.refunded_at = at
                deposit.save(update_fields=["refunded_at"])
        if container.status == ContainerStatus.RESOLVING:
            container.resolve(at=at)
        word = "Final"
    elif leaving.status == ChainStatus.FAILED:
        if container.status == ContainerStatus.RESOLVING:
            container.stand_still()
        word = "Failure"
    else:
        return
    container.save(update_fields=["status", "ended_at"])
    record(container.application, [facts.from_escrow(word, container, leaving)], actor=actor, at=at)
