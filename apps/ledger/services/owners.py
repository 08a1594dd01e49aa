"""Whose payouts they are: how the ledger tells the area that asked for a plan what became of it.

An area registers itself under the kind of its subjects (`tournament` of `tournament:17`) in its AppConfig.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from apps.core.actors import Actor


class Owner(Protocol):
    """What an area wants to know."""

    def paid(self, subject: str, rows: Sequence[Any], *, actor: Actor, at: datetime) -> None:
        """Payouts of a plan that a rail outside the books carried were paid; in the transaction that says so."""


_owners: dict[str, Owner] = {}


def register(kind: str, owner: Owner) -> None:
    """Let an area hear about the payouts of its subjects."""
    _owners[kind] = owner


def tell_paid(subject: str, rows: Sequence[Any], *, actor: Actor, at: datetime) -> None:
    """Tell the owner of a subject; nobody, where none has registered."""
    owner = _owners.get(subject.partition(":")[0])
    if owner is not None and rows:
        owner.paid(subject, rows, actor=actor, at=at)
