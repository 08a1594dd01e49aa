"""The player's own word on a payment: sign or refuse (podium.md 5)."""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from apps.core.actors import Actor
from apps.core.errors import NotFound
from apps.ledger.lifecycle import ChainStatus
from apps.ledger.models import ChainTransaction
from apps.ledger.services import rail
from apps.ledger.services.journals import InsufficientFunds
from apps.ledger.services.rail import PaymentNotWaiting
from apps.rumble.models import Deposit
from apps.rumble.services.ground import BalanceTooLow

__all__ = ["PaymentNotFound", "PaymentNotWaiting", "reject", "sign", "waiting"]


class PaymentNotFound(NotFound):
    """Payment not found."""

    code = "PAYMENT_NOT_FOUND"


def waiting(player_id: int) -> QuerySet[Deposit]:
    """Return what a player is asked to sign, what lapses first first."""
    asked = Deposit.objects.filter(player_id=player_id, transaction__status=ChainStatus.REQUESTED)
    return asked.select_related("container__application", "container__rumble__tournament", "transaction").order_by(
        "transaction__due_at", "pk"
    )


def sign(transaction_public_id: UUID | str, *, player_id: int, actor: Actor, at: datetime) -> ChainTransaction:
    """Agree to a payment: the units are set aside at once and reach the container when the chain says so.

    Raises PaymentNotFound, PaymentNotWaiting, PlayerBlocked, and BalanceTooLow, after which it waits on.
    """
    try:
        return rail.sign(_mine(transaction_public_id, player_id), actor=actor, at=at)
    except InsufficientFunds as problem:
        raise BalanceTooLow from problem


def reject(transaction_public_id: UUID | str, *, player_id: int, actor: Actor, at: datetime) -> ChainTransaction:
    """Refuse a payment. Raises PaymentNotFound, PaymentNotWaiting."""
    return rail.reject(_mine(transaction_public_id, player_id), actor=actor, at=at)


def _mine(transaction_public_id: UUID | str, player_id: int) -> int:
    try:
        public_id = UUID(str(transaction_public_id))
    except ValueError as problem:
        raise PaymentNotFound from problem
    mine = ChainTransaction.objects.filter(public_id=public_id, player_id=player_id, deposit__isnull=False)
    found: int | None = mine.values_list("pk", flat=True).first()
    if found is None:
        raise PaymentNotFound
    return found
