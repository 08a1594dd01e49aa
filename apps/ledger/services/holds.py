"""Holds: a player's units set aside for one purpose, and what becomes of them. Each ends once."""

from collections.abc import Callable
from datetime import datetime

import django_fsm as fsm
from django.db import transaction

from apps.core.actors import Actor
from apps.core.errors import DomainError
from apps.events import services as events
from apps.ledger.models import Asset, Hold
from apps.ledger.money import written
from apps.ledger.services import accounts, journals
from apps.operators.services import admission


class HoldEnded(DomainError):
    """The hold has been captured or released already."""

    code = "HOLD_ENDED"


class HoldDiffers(DomainError):
    """The key belongs to another hold."""

    code = "HOLD_DIFFERS"


@transaction.atomic
def place(player_id: int, asset: Asset, *, units: int, key: str, subject: str = "", actor: Actor, at: datetime) -> Hold:
    """Set base units of a wallet aside; the same key again returns the first hold.

    Raises PlayerBlocked, InsufficientFunds, HoldDiffers.
    """
    player = admission.lock(player_id)
    first = Hold.objects.for_operator(player.operator_id).filter(key=key).first()
    if first is not None:
        if (first.player_id, first.asset_id, int(first.units)) != (player_id, asset.pk, units):
            raise HoldDiffers(key=key)
        return first
    admission.refuse_blocked(player, at)
    hold = Hold.objects.create(
        operator_id=player.operator_id, player=player, asset=asset, units=units, key=key, subject=subject, placed_at=at
    )
    _move(hold, "placed", legs={_wallet(hold): -units, _held(hold): units}, actor=actor, at=at)
    return hold


@transaction.atomic
def capture(hold_id: int, *, target_id: int, actor: Actor, at: datetime) -> Hold:
    """Move the units on to an account of the same operator and asset. Raises HoldEnded."""
    hold = _ended(hold_id, lambda hold: hold.capture(at=at))
    _move(hold, "captured", legs={_held(hold): -int(hold.units), target_id: int(hold.units)}, actor=actor, at=at)
    return hold


@transaction.atomic
def release(hold_id: int, *, actor: Actor, at: datetime) -> Hold:
    """Give the units back to the wallet. Raises HoldEnded."""
    hold = _ended(hold_id, lambda hold: hold.release(at=at))
    _move(hold, "released", legs={_held(hold): -int(hold.units), _wallet(hold): int(hold.units)}, actor=actor, at=at)
    return hold


def _ended(hold_id: int, transition: Callable[[Hold], None]) -> Hold:
    hold = Hold.objects.select_for_update(of=("self",), no_key=True).select_related("asset", "player").get(pk=hold_id)
    try:
        transition(hold)
    except fsm.TransitionNotAllowed as problem:
        raise HoldEnded(status=hold.status) from problem
    hold.save(update_fields=["status", "ended_at"])
    return hold


def _wallet(hold: Hold) -> int:
    return accounts.wallet(hold.player_id, hold.asset).pk


def _held(hold: Hold) -> int:
    return accounts.held(hold.player_id, hold.asset).pk


def _move(hold: Hold, what: str, *, legs: dict[int, int], actor: Actor, at: datetime) -> None:
    subject = hold.subject or f"player:{hold.player_id}"
    journal = journals.NewJournal(kind=f"hold.{what}", key=f"hold:{hold.key}:{what}", legs=legs, subject=subject)
    journals.post(journal, operator_id=hold.operator_id, actor=actor, at=at)
    events.record(
        operator_id=hold.operator_id,
        type=f"hold.{what}",
        subject=f"player:{hold.player_id}",
        data={
            "userId": hold.player.external_id,
            "asset": hold.asset.code,
            "amount": written(hold.units, hold.asset.scale),
            "purpose": hold.subject or None,
        },
        actor=actor,
        at=at,
    )
