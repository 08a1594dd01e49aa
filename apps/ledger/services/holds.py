"""Holds: a player's units set aside for one purpose, and what becomes of them. Each ends once.

While a suspension or self-exclusion stands nothing takes the player's money: no hold is placed and none is captured,
except where a chain has moved the money already.
A hold that was there before can be released.
"""

from collections.abc import Callable
from datetime import datetime

import django_fsm as fsm
from django.db import transaction

from apps.core.actors import Actor
from apps.core.errors import DomainError
from apps.events.services import recording as events
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
    """Set base units of a wallet aside; the same key again returns the first hold, in whatever state it is now.

    Raises PlayerBlocked, InsufficientFunds, HoldDiffers; ValueError for units that are not positive.
    """
    if units <= 0:
        message = "a hold sets something aside"
        raise ValueError(message)
    player = admission.lock(player_id)
    # Waits for whoever is using the same key, and then finds theirs.
    hold: Hold
    hold, new = Hold.objects.select_related("asset", "player").get_or_create(
        operator_id=player.operator_id,
        key=key,
        defaults={"player": player, "asset": asset, "units": units, "subject": subject, "placed_at": at},
    )
    if (hold.player_id, hold.asset_id, int(hold.units), hold.subject) != (player_id, asset.pk, units, subject):
        raise HoldDiffers(key=key)
    if not new:
        return hold
    admission.refuse_blocked(player, at)
    _move(hold, "placed", legs={_wallet(hold): -units, _held(hold): units}, actor=actor, at=at)
    return hold


@transaction.atomic
def capture(hold_id: int, *, target_id: int, agreed: bool = False, actor: Actor, at: datetime) -> Hold:
    """Move the units on to an account of the same operator and asset. Raises HoldEnded, PlayerBlocked.

    `agreed`: the money has moved on a chain already, by the player's signature, and the books can only follow.
    """
    player = admission.lock(Hold.objects.values_list("player_id", flat=True).get(pk=hold_id))
    hold = _ended(hold_id, lambda hold: hold.capture(at=at))
    if not agreed:
        admission.refuse_blocked(player, at)
    _move(hold, "captured", legs={_held(hold): -int(hold.units), target_id: int(hold.units)}, actor=actor, at=at)
    return hold


@transaction.atomic
def release(hold_id: int, *, actor: Actor, at: datetime) -> Hold:
    """Give the units back to the wallet. Raises HoldEnded."""
    hold = _ended(hold_id, lambda hold: hold.release(at=at))
    _move(hold, "released", legs={_held(hold): -int(hold.units), _wallet(hold): int(hold.units)}, actor=actor, at=at)
    return hold


def _ended(hold_id: int, transition: Callable[[Hold], None]) -> Hold:
    hold: Hold = (
        Hold.objects.select_for_update(of=("self",), no_key=True).select_related("asset", "player").get(pk=hold_id)
    )
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
