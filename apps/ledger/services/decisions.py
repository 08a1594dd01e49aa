"""What staff decide about payouts. Each decision is a fact, because money moves, or does not, by a person's word."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import django_fsm as fsm
from django.db import transaction

from apps.core import doorbell
from apps.core.actors import Actor
from apps.core.errors import DomainError, Invalid
from apps.events.services import recording as events
from apps.ledger.lifecycle import PayoutStatus
from apps.ledger.models import Payout, Rail, Remittance
from apps.ledger.money import written
from apps.ledger.services import accounts
from apps.ledger.services.freezing import REMIT
from apps.ledger.services.journals import NewJournal, post

MAX_TEXT = 300


class PayoutNotReady(DomainError):
    """The payout is not in a state in which this can be done."""

    code = "INVALID_STATE"


class ReasonMissing(Invalid):
    """A reason of 1 to 300 characters is needed."""


@transaction.atomic
def approve(plan_id: int, *, actor: Actor, at: datetime) -> int:  # noqa: ARG001 - the area whose plan it is tells who
    """Let all payouts of a plan that wait for approval be paid; return how many. Again: 0, and nothing happens.

    Records no fact: the area that asked for the plan does.
    """
    return _release(plan_id, [PayoutStatus.WAITING_APPROVAL], at=at)


@transaction.atomic
def retry_all(plan_id: int, *, actor: Actor, at: datetime) -> int:  # noqa: ARG001 - likewise
    """Put every failed payout of a plan back in the queue; return how many. Records no fact, as `approve`."""
    return _release(plan_id, [PayoutStatus.ERROR_RETRY, PayoutStatus.ERROR_MANUAL], at=at)


@transaction.atomic
def reject(payout_id: int, *, reason: str, actor: Actor, at: datetime) -> Payout:
    """Refuse a payout that waits for approval; it will never be paid. Raises PayoutNotReady, ReasonMissing.

    Its units stay in escrow until the area closes the competition and says where they go.
    """
    payout = _locked(payout_id)
    _move(payout, "reject", reason=_text(reason))
    payout.save(update_fields=["status", "error"])
    _tell("payout.rejected", payout, {"reason": reason}, actor=actor, at=at)
    return payout


@transaction.atomic
def retry(payout_id: int, *, actor: Actor, at: datetime) -> Payout:
    """Put a payout that failed back in the queue, with the same stored amount and ids. Raises PayoutNotReady.

    On the operator's rail its automatic tries begin anew; one that is being sent just now can't be retried.
    """
    payout = _locked(payout_id)
    _move(payout, "retry", at=at)
    payout.save(update_fields=["status", "next_attempt_at"])
    _queue_again([payout.pk], payout.operator_id)
    _tell("payout.retried", payout, {}, actor=actor, at=at)
    return payout


@transaction.atomic
def settle_outside(payout_id: int, *, note: str, actor: Actor, at: datetime) -> Payout:
    """Close a failed payout that the operator has paid by other means; the note says how.

    The operator has spent its own money, so the units move from escrow to its clearing account, under the payout's
    own key: it can never be paid a second time. Raises PayoutNotReady, ReasonMissing, and InsufficientFunds if the
    escrow does not hold them.
    """
    payout = _locked(payout_id)
    _move(payout, "settle_outside", at=at, note=_text(note))
    units = int(payout.units)
    legs = {payout.source_id: -units, accounts.clearing(payout.asset).pk: units}
    journal = NewJournal("payout.outside", payout.key, legs, payout.subject, memo=note[:200])
    payout.journal = post(journal, operator_id=payout.operator_id, actor=actor, at=at)
    payout.save(update_fields=["status", "paid_at", "error", "journal"])
    _tell("payout.settled_outside", payout, {"note": note}, actor=actor, at=at)
    return payout


def _release(plan_id: int, statuses: Sequence[PayoutStatus], *, at: datetime) -> int:
    """Put all payouts in these states in the queue, locked in one order first so that two decisions can't deadlock."""
    chosen = Payout.objects.filter(plan_id=plan_id, status__in=statuses).order_by("pk").select_for_update(no_key=True)
    rows = list(chosen.values_list("pk", "operator_id", "rail"))
    outside = [pk for pk, _, rail in rows if rail == Rail.OPERATOR]
    if outside:
        _queue_again(outside, rows[0][1])
    ids = [pk for pk, _, _ in rows]
    return Payout.objects.filter(pk__in=ids).update(status=PayoutStatus.PROCESSING, next_attempt_at=at)


def _queue_again(ids: Sequence[int], operator_id: int) -> None:
    """Let payouts on the operator's rail have all their tries once more; those on other rails have none to count."""
    if Remittance.objects.filter(pk__in=ids).update(tries=0):
        doorbell.ring(REMIT, operator_id=operator_id)


def _locked(payout_id: int) -> Payout:
    payout: Payout = (
        Payout.objects.select_for_update(of=("self",), no_key=True).select_related("asset").get(pk=payout_id)
    )
    return payout


def _move(payout: Payout, verb: str, **arguments: Any) -> None:
    try:
        getattr(payout, verb)(**arguments)
    except fsm.TransitionNotAllowed as problem:
        raise PayoutNotReady(f"The payout is {payout.get_status_display().lower()}.", status=payout.status) from problem


def _text(text: str) -> str:
    if not text.strip() or len(text) > MAX_TEXT:
        raise ReasonMissing(fields={"reason": [f"1 to {MAX_TEXT} characters."]})
    return text


def _tell(name: str, payout: Payout, more: Mapping[str, Any], *, actor: Actor, at: datetime) -> None:
    events.record(
        operator_id=payout.operator_id,
        type=name,
        subject=payout.subject,
        data={
            "payoutId": str(payout.pk),
            "purpose": payout.purpose,
            "amount": written(payout.units, payout.asset.scale),
            "asset": payout.asset.code,
            **more,
        },
        actor=actor,
        at=at,
    )
