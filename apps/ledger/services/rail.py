"""The rail of a chain: ask for a signature, hold, submit, watch, book the outcome once (rumble.md 6).

The row is the queue: `due_at` says when something has to be done about a transaction, and a worker books the next try
before it acts. What the chain must be told or asked is told and asked while no transaction of ours is open. The area
that a transaction belongs to is told of every change in the transaction that makes it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import django_fsm as fsm
import structlog
from django.db import transaction

from apps.core import doorbell
from apps.core.actors import SYSTEM, Actor
from apps.core.errors import DomainError
from apps.ledger import chain
from apps.ledger.models import (
    Asset,
    ChainDirection,
    ChainStatus,
    ChainTransaction,
    ChainTransfer,
    SettlementPlan,
)
from apps.ledger.services import holds, journals

log = structlog.get_logger(__name__)

ADVANCE = "ledger.chain_advance"
# A worker that was killed, or a chain that can't be reached, costs a transaction this long; more after each try.
PATIENCE = tuple(timedelta(seconds=seconds) for seconds in (5, 10, 30, 60, 120, 300))
# When to look again if the chain does not say.
AGAIN = timedelta(seconds=1)
# Of what is due, in one tick.
MANY = 500


class PaymentNotWaiting(DomainError):
    """The payment does not wait for a signature any more."""

    code = "PAYMENT_NOT_WAITING"


class TransactionUnknown(DomainError):
    """The chain's transaction is none of ours."""

    kind = "not_found"
    code = "TRANSACTION_UNKNOWN"


class Area(Protocol):
    """Who asked for a transaction and is told what becomes of it."""

    def hold(self, transaction: ChainTransaction) -> None:
        """Take the locks of the competition, which come before those of the transaction and of money."""
        ...

    def changed(self, transaction: ChainTransaction, *, actor: Actor, at: datetime) -> None:
        """Do what follows from its new state, in the same database transaction."""
        ...


@dataclass(frozen=True, slots=True)
class Leg:
    """One transfer about to be fixed: from and to accounts of ours, `address` the other party's name on the chain."""

    source_id: int
    target_id: int
    units: int
    address: str = ""
    payout_id: int | None = None


@dataclass(frozen=True, slots=True)
class Errand:
    """What a transaction is for: `key` names the business act once and for all; the rest is told to its area."""

    area: str
    purpose: str
    subject: str
    key: str


_areas: dict[str, Area] = {}


def register(name: str, area: Area) -> None:
    """Let an area answer for its transactions; called when the platform starts."""
    _areas[name] = area


def request(
    errand: Errand, leg: Leg, *, player_id: int, asset: Asset, until: datetime, actor: Actor, at: datetime
) -> ChainTransaction:
    """Ask a player to sign a payment into escrow, until a moment; nothing is held or moved yet.

    The caller holds the competition, in a transaction of its own. Raises ChainMissing.
    """
    made = _make(errand, [leg], ChainDirection.INTO, asset, player_id=player_id, due_at=until, at=at)
    log.info("chain_payment_requested", transaction=str(made), subject=errand.subject, actor=str(actor))
    return made


def send(
    errand: Errand,
    legs: Sequence[Leg],
    *,
    asset: Asset,
    plan: SettlementPlan | None = None,
    actor: Actor,
    at: datetime,
) -> ChainTransaction:
    """Send money out of escrow: submitted at once, moved in the books when the chain says that it is final.

    The same key again returns the first transaction. The caller holds the competition. Raises ChainMissing.
    """
    first: ChainTransaction | None = ChainTransaction.objects.filter(
        operator_id=asset.operator_id, key=errand.key
    ).first()
    if first is not None:
        return first
    made = _make(errand, legs, ChainDirection.OUT, asset, plan=plan, due_at=at, at=at)
    made.sign(at=at)
    made.save(update_fields=["status", "signed_at", "due_at"])
    log.info("chain_transaction_sent", transaction=str(made), subject=errand.subject, actor=str(actor))
    doorbell.ring(ADVANCE, transaction_id=made.pk)
    return made


def _make(
    errand: Errand, legs: Sequence[Leg], direction: ChainDirection, asset: Asset, *, at: datetime, **more: Any
) -> ChainTransaction:
    chain.current()  # refuses where there is none
    made: ChainTransaction = ChainTransaction.objects.create(
        operator_id=asset.operator_id,
        direction=direction,
        area=errand.area,
        purpose=errand.purpose,
        subject=errand.subject,
        key=errand.key,
        asset=asset,
        units=sum(leg.units for leg in legs),
        created_at=at,
        **more,
    )
    ChainTransfer.objects.bulk_create(
        ChainTransfer(
            transaction=made,
            number=number,
            source_id=leg.source_id,
            target_id=leg.target_id,
            units=leg.units,
            address=leg.address,
            payout_id=leg.payout_id,
        )
        for number, leg in enumerate(legs)
    )
    return made


@transaction.atomic
def sign(transaction_id: int, *, actor: Actor, at: datetime) -> ChainTransaction:
    """The player agrees: their units are set aside until the chain has decided.

    Raises PaymentNotWaiting, PlayerBlocked, InsufficientFunds; the request then waits on.
    """
    paying = _held(transaction_id)
    if paying.status == ChainStatus.REQUESTED and paying.due_at is not None and paying.due_at <= at:
        raise PaymentNotWaiting("The payment was not signed in time.")
    _move(paying, lambda: paying.sign(at=at))
    if paying.player_id is None:
        raise PaymentNotWaiting
    paying.hold = holds.place(
        paying.player_id,
        paying.asset,
        units=int(paying.units),
        key=f"chain:{paying.public_id}",
        subject=paying.subject,
        actor=actor,
        at=at,
    )
    paying.save(update_fields=["status", "signed_at", "due_at", "hold"])
    _tell(paying, actor=actor, at=at)
    doorbell.ring(ADVANCE, transaction_id=paying.pk)
    return paying


@transaction.atomic
def reject(transaction_id: int, *, actor: Actor, at: datetime) -> ChainTransaction:
    """The player refuses. Raises PaymentNotWaiting."""
    return _end_unsigned(_held(transaction_id), "reject", actor=actor, at=at)


@transaction.atomic
def withdraw(transaction_id: int, *, actor: Actor, at: datetime) -> ChainTransaction:
    """Take an unsigned request back. Raises PaymentNotWaiting."""
    return _end_unsigned(_held(transaction_id), "withdraw", actor=actor, at=at)


@transaction.atomic
def _lapse(transaction_id: int, *, at: datetime) -> None:
    """End a request that nobody has signed in time; looked at again under its lock."""
    waiting = _held(transaction_id)
    if waiting.status == ChainStatus.REQUESTED and waiting.due_at is not None and waiting.due_at <= at:
        _end_unsigned(waiting, "expire", actor=SYSTEM, at=at)


def _end_unsigned(waiting: ChainTransaction, verb: str, *, actor: Actor, at: datetime) -> ChainTransaction:
    _move(waiting, lambda: getattr(waiting, verb)(at=at))
    waiting.save(update_fields=["status", "ended_at", "due_at"])
    _tell(waiting, actor=actor, at=at)
    return waiting


def _move(moving: ChainTransaction, step: Callable[[], None]) -> None:
    try:
        step()
    except fsm.TransitionNotAllowed as refusal:
        message = f"The payment is {moving.get_status_display().lower()}."
        raise PaymentNotWaiting(message, status=moving.status) from refusal


def _held(transaction_id: int) -> ChainTransaction:
    """Lock a transaction, after what its area locks."""
    found: ChainTransaction = ChainTransaction.objects.get(pk=transaction_id)
    _areas[found.area].hold(found)
    locked: ChainTransaction = (
        ChainTransaction.objects.select_for_update(of=("self",), no_key=True)
        .select_related("asset", "player", "plan", "hold")
        .get(pk=transaction_id)
    )
    return locked


def _tell(changed: ChainTransaction, *, actor: Actor, at: datetime) -> None:
    _areas[changed.area].changed(changed, actor=actor, at=at)


def due(at: datetime) -> list[int]:
    """Return the transactions about which something has to be done, the longest overdue first."""
    waiting = ChainTransaction.objects.filter(due_at__lte=at).order_by("due_at", "pk")
    return list(waiting.values_list("pk", flat=True)[:MANY])


def advance(transaction_id: int, *, at: datetime) -> None:
    """Do what is due about one transaction: let it lapse, submit it, or look what became of it.

    Safe to run twice, side by side, and again after a kill: the next try is booked first, submitting is repeatable, and
    an outcome is booked once. Raises ChainMissing where the installation has lost its chain.
    """
    found = _book(transaction_id, at=at)
    if found is None:
        return
    if found.status == ChainStatus.REQUESTED:
        _lapse(transaction_id, at=at)
        return
    try:
        if found.status == ChainStatus.SIGNED:
            receipt = chain.current().submit(_batch(found), at=at)
            if not _note_submitted(transaction_id, receipt, at=at):
                return
            found.reference = receipt.reference
        sighting = chain.current().look(found.reference, at=at)
    except chain.ChainUnreachable as problem:
        log.warning("chain_unreachable", transaction=str(found), problem=problem.message)
        ChainTransaction.objects.filter(pk=transaction_id, ended_at=None).update(error=problem.message[:300])
    except chain.BatchRefused as refusal:
        _conclude(transaction_id, chain.Sighting(chain.Sight.FAILED, error=refusal.message), at=at)
    else:
        _conclude(transaction_id, sighting, at=at)


@transaction.atomic
def _book(transaction_id: int, *, at: datetime) -> ChainTransaction | None:
    """Return the transaction if something is due about it, with its next try booked; None if another worker has it."""
    rows = ChainTransaction.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
    found: ChainTransaction | None = rows.select_related("asset").filter(pk=transaction_id, due_at__lte=at).first()
    if found is None or found.status == ChainStatus.REQUESTED:
        return found
    found.due_at = at + PATIENCE[min(found.attempts, len(PATIENCE) - 1)]
    found.attempts += 1
    found.save(update_fields=["due_at", "attempts"])
    return found


def _batch(sending: ChainTransaction) -> chain.Batch:
    transfers = sending.transfers.order_by("number").select_related("source", "target")
    into = sending.direction == ChainDirection.INTO
    return chain.Batch(
        submission=sending.public_id,
        operator_id=sending.operator_id,
        transfers=[
            chain.Transfer(
                source=transfer.address if into else sending.subject,
                target=sending.subject if into else transfer.address,
                asset=sending.asset.code,
                units=int(transfer.units),
            )
            for transfer in transfers
        ],
    )


@transaction.atomic
def _note_submitted(transaction_id: int, receipt: chain.Receipt, *, at: datetime) -> bool:
    """Keep the chain's reference; tell whether it is time to look already."""
    sending = _held(transaction_id)
    if sending.status != ChainStatus.SIGNED:
        return False
    sending.submit(reference=receipt.reference, look_at=receipt.look_at, at=at)
    sending.attempts = 0
    sending.save(update_fields=["status", "reference", "submitted_at", "due_at", "error", "attempts"])
    return receipt.look_at <= at


def note(reference: str, sighting: chain.Sighting, *, at: datetime) -> bool:
    """Take a callback of the chain; tell whether it changed anything. A second outcome is ignored.

    Raises TransactionUnknown; also for one whose submission has not been noted yet, which asking will find.
    """
    pk = ChainTransaction.objects.filter(reference=reference).exclude(reference="").values_list("pk", flat=True).first()
    if pk is None:
        raise TransactionUnknown(reference=reference)
    return _conclude(pk, sighting, at=at)


@transaction.atomic
def _conclude(transaction_id: int, sighting: chain.Sighting, *, at: datetime) -> bool:
    """Book what was seen. A transaction ends exactly once; what is seen of one that has ended is ignored."""
    seen = _held(transaction_id)
    if seen.status not in (ChainStatus.SIGNED, ChainStatus.SUBMITTED):
        return False
    if sighting.state == chain.Sight.FAILED:
        seen.fail(error=sighting.error or "The transaction failed.", at=at)
        if seen.hold_id is not None:
            holds.release(seen.hold_id, actor=SYSTEM, at=at)
        seen.save(update_fields=["status", "error", "ended_at", "due_at"])
    elif seen.status == ChainStatus.SIGNED:
        return False  # seen before its submission was noted: asking will tell
    elif sighting.state == chain.Sight.FINAL:
        seen.confirmations = sighting.confirmations
        seen.finalize(at=at)
        _book_final(seen, at=at)
        seen.save(update_fields=["status", "confirmations", "error", "ended_at", "due_at"])
    elif sighting.state == chain.Sight.UNKNOWN:
        log.warning("chain_transaction_dropped", transaction=str(seen), reference=seen.reference)
        seen.drop(at=at + AGAIN)
        seen.save(update_fields=["status", "reference", "confirmations", "due_at"])
        return True
    else:
        seen.confirmations, seen.due_at = sighting.confirmations, sighting.look_at or at + AGAIN
        seen.attempts = 0
        seen.save(update_fields=["confirmations", "due_at", "attempts"])
        return True
    _tell(seen, actor=SYSTEM, at=at)
    return True


def _book_final(final: ChainTransaction, *, at: datetime) -> None:
    """Move the books as the chain has moved the money; a settlement's payouts are paid by the area whose plan it is."""
    transfers = list(final.transfers.order_by("number"))
    if final.hold_id is not None:
        holds.capture(final.hold_id, target_id=transfers[0].target_id, agreed=True, actor=SYSTEM, at=at)
        return
    if final.plan_id is not None:
        return
    legs: dict[int, int] = {}
    for transfer in transfers:
        legs[transfer.source_id] = legs.get(transfer.source_id, 0) - int(transfer.units)
        legs[transfer.target_id] = legs.get(transfer.target_id, 0) + int(transfer.units)
    journal = journals.NewJournal(
        kind=f"chain.{final.purpose}",
        key=f"chain:{final.public_id}",
        legs={account_id: units for account_id, units in legs.items() if units},
        subject=final.subject,
    )
    journals.post(journal, operator_id=final.operator_id, actor=SYSTEM, at=at)


def tick(*, at: datetime) -> int:
    """Ring for what is due; return how many."""
    found = due(at)
    for transaction_id in found:
        doorbell.ring(ADVANCE, transaction_id=transaction_id)
    return len(found)
