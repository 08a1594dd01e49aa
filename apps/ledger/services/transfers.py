"""Deposits and withdrawals: money between a player's wallet and the operator's clearing account (podium.md 2).

A block (suspension, self-exclusion) stops neither: it is their own money, and what they are owed must reach them.
"""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.db import transaction

from apps.core.actors import Actor
from apps.core.errors import DomainError, Invalid
from apps.events.services import recording as events
from apps.ledger.models import Asset, Direction, Transfer
from apps.ledger.money import to_units, written
from apps.ledger.services import accounts, journals
from apps.ledger.services.assets import UnknownAsset, held_asset
from apps.operators.models import Player

MAX_REFERENCE = 120


class ReferenceReused(DomainError):
    """The reference belongs to another deposit or withdrawal."""

    code = "REFERENCE_REUSED"
    hint = "Send a new reference with every new transfer, and the same one only to repeat it."


class Moved(NamedTuple):
    """A transfer, and whether this call made it; a repeat gets the first one."""

    transfer: Transfer
    new: bool


def deposit(
    player_id: int, *, asset_code: str, amount: Decimal | int | str, reference: str, actor: Actor, at: datetime
) -> Moved:
    """Put `amount` (major units) into a wallet. Repeating the reference repeats the first answer.

    Raises Invalid, UnknownAsset, ReferenceReused.
    """
    player = Player.objects.get(pk=player_id)
    asset = held_asset(player.operator_id, asset_code)
    return _move(player, asset, Direction.DEPOSIT, amount=amount, reference=reference, actor=actor, at=at)


def withdraw(
    player_id: int, *, asset_code: str, amount: Decimal | int | str, reference: str, actor: Actor, at: datetime
) -> Moved:
    """Take `amount` (major units) of what is available out of a wallet. Repeating the reference repeats the answer.

    Raises Invalid, UnknownAsset, ReferenceReused, InsufficientFunds.
    """
    player = Player.objects.get(pk=player_id)
    asset = held_asset(player.operator_id, asset_code)
    return _move(player, asset, Direction.WITHDRAWAL, amount=amount, reference=reference, actor=actor, at=at)


@transaction.atomic
def _move(
    player: Player,
    asset: Asset,
    direction: Direction,
    *,
    amount: Decimal | int | str,
    reference: str,
    actor: Actor,
    at: datetime,
) -> Moved:
    units = _positive(amount, asset)
    if not 0 < len(reference) <= MAX_REFERENCE:
        raise Invalid("A reference is needed.", fields={"reference": [f"1 to {MAX_REFERENCE} characters."]})
    wished = Transfer(
        operator_id=player.operator_id,
        player=player,
        direction=direction,
        asset=asset,
        units=units,
        reference=reference,
        created_at=at,
    )
    if first := _first(wished):
        return Moved(first, new=False)
    if direction == Direction.DEPOSIT and not asset.enabled:
        raise UnknownAsset(f"{asset.code} is switched off.", fields={"asset": [f"{asset.code} is switched off."]})
    gain = units if direction == Direction.DEPOSIT else -units
    journal = journals.NewJournal(
        kind=f"wallet.{direction.lower()}",
        key=f"transfer:{reference}",
        legs={accounts.wallet(player.pk, asset).pk: gain, accounts.clearing(asset).pk: -gain},
        subject=f"player:{player.pk}",
    )
    try:
        wished.journal, new = journals.post_once(journal, operator_id=player.operator_id, actor=actor, at=at)
    except journals.JournalMismatch as problem:
        raise ReferenceReused(reference=reference) from problem
    if not new and (first := _first(wished)):
        return Moved(first, new=False)  # somebody else was quicker between our look and our posting
    wished.balance_after = accounts.total_of_player(player.pk, asset)
    wished.save(force_insert=True)
    _report(wished, actor=actor, at=at)
    return Moved(wished, new=True)


def _positive(amount: Decimal | int | str, asset: Asset) -> int:
    try:
        units = to_units(amount, asset.scale)
    except Invalid as problem:
        raise Invalid(problem.message, fields={"amount": [problem.message]}) from problem
    if units <= 0:
        raise Invalid("An amount above zero is needed.", fields={"amount": ["Must be above 0."]})
    return units


def _first(wished: Transfer) -> Transfer | None:
    """Return the transfer that has the reference already. Raises ReferenceReused if it is another one."""
    first: Transfer | None = (
        Transfer.objects.for_operator(wished.operator_id)
        .select_related("asset", "player")
        .filter(reference=wished.reference)
        .first()
    )
    if first is None:
        return None
    same = ("player_id", "direction", "asset_id", "units")
    if any(getattr(first, name) != getattr(wished, name) for name in same):
        raise ReferenceReused(reference=wished.reference)
    return first


def _report(transfer: Transfer, *, actor: Actor, at: datetime) -> None:
    name = "wallet.deposited" if transfer.direction == Direction.DEPOSIT else "wallet.withdrawn"
    events.record(
        operator_id=transfer.operator_id,
        type=name,
        subject=f"player:{transfer.player_id}",
        data={
            "userId": transfer.player.external_id,
            "asset": transfer.asset.code,
            "amount": written(transfer.units, transfer.asset.scale),
            "balance": written(transfer.balance_after, transfer.asset.scale),
            "reference": transfer.reference,
        },
        actor=actor,
        at=at,
    )
