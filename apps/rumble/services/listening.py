"""How transactions of the chain find their way back to what they were made for."""

from datetime import datetime

from apps.core.actors import Actor
from apps.ledger.models import ChainDirection, ChainTransaction
from apps.rumble.models import Container
from apps.rumble.services import containers, outgoing, participation, settling
from apps.tournaments.models import Tournament

TOURNAMENT = "tournament"


class RumbleArea:
    """What the rail tells of transactions that this area has asked for."""

    def hold(self, transaction: ChainTransaction) -> None:
        """Hold the tournament, or the container that is nobody's tournament."""
        kind, _, number = transaction.subject.rpartition(":")
        holder = Tournament if kind == TOURNAMENT else Container
        holder.objects.hold(int(number))

    def changed(self, transaction: ChainTransaction, *, actor: Actor, at: datetime) -> None:
        """Pass it on to who asked."""
        of_tournament = transaction.subject.startswith(f"{TOURNAMENT}:")
        match transaction.direction, of_tournament:
            case ChainDirection.INTO, True:
                participation.payment_changed(transaction, actor=actor, at=at)
            case ChainDirection.INTO, False:
                containers.deposit_changed(transaction, actor=actor, at=at)
            case _, True:
                settling.plan_changed(transaction, actor=actor, at=at)
            case _:
                outgoing.container_changed(transaction, actor=actor, at=at)
