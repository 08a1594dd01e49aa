"""Containers of their own: the ten operations (rumble.md 3.18 to 3.27). A tournament's allows three of them."""

from apps.rumble.services.containers.deposits import (
    DEPOSIT,
    Deposited,
    Holdings,
    NoDeveloper,
    deposit,
    deposit_changed,
    deposit_own,
    holdings,
    remove_deposit,
)
from apps.rumble.services.containers.emptying import Action, UnknownTarget, refund, refund_again, resolve_container
from apps.rumble.services.containers.ground import BelongsToTournament, ContainerClosed
from apps.rumble.services.containers.lifetimes import (
    AlreadyRefreshed,
    create_container,
    find_container,
    lock,
    refresh,
    unlock,
)

__all__ = [
    "DEPOSIT",
    "Action",
    "AlreadyRefreshed",
    "BelongsToTournament",
    "ContainerClosed",
    "Deposited",
    "Holdings",
    "NoDeveloper",
    "UnknownTarget",
    "create_container",
    "deposit",
    "deposit_changed",
    "deposit_own",
    "find_container",
    "holdings",
    "lock",
    "refresh",
    "refund",
    "refund_again",
    "remove_deposit",
    "resolve_container",
    "unlock",
]
