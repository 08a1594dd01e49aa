"""Send what is inside a container back, or to where the application says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from apps.core.actors import Actor
from apps.core.errors import Invalid
from apps.ledger.lifecycle import ChainStatus
from apps.ledger.models import ChainTransaction
from apps.ledger.services import accounts, rail
from apps.rumble.lifecycle import OPEN, ContainerStatus
from apps.rumble.models import Connection, Container, Deposit, RumbleTournament
from apps.rumble.services import outgoing
from apps.rumble.services.containers.ground import BelongsToTournament, ContainerClosed, hold_own
from apps.rumble.services.ground import PaymentInProgress, account_of, in_flight, unsigned

MOST_ACTIONS = 1_000


class UnknownTarget(Invalid):
    """targetEosId is no user connected to the application."""


@dataclass(frozen=True, slots=True)
class Action:
    """Base units of what is inside for somebody; `is_refund` only says why."""

    target_eos_id: str
    units: int
    is_refund: bool = False


@transaction.atomic
def refund(container_id: int, *, actor: Actor, at: datetime) -> ChainTransaction | None:
    """Give everything back to its owners, without fees (3.25); None where there was nothing inside.

    Raises PaymentInProgress, ContainerClosed, ContainerStopped, BelongsToTournament.
    """
    container = hold_own(container_id, at=at)
    _no_more_payments(container, actor=actor, at=at)
    return outgoing.give_back(container, actor=actor, at=at)


@transaction.atomic
def refund_again(container_id: int, *, actor: Actor, at: datetime) -> ChainTransaction | None:
    """Staff: give back what an earlier try could not, also of a container that is expired or stopped.

    Raises PaymentInProgress, ContainerClosed, BelongsToTournament.
    """
    if RumbleTournament.objects.filter(container_id=container_id).exists():
        raise BelongsToTournament
    container: Container = Container.objects.hold(container_id)
    failed = container.out is not None and container.out.status == ChainStatus.FAILED
    if container.status not in OPEN and not (container.status == ContainerStatus.EXPIRED and failed):
        raise ContainerClosed(f"The container is {container.status}", status=container.status)
    _no_more_payments(container, actor=actor, at=at)
    return outgoing.give_back(container, actor=actor, at=at)


@transaction.atomic
def resolve_container(container_id: int, actions: Sequence[Action], *, actor: Actor, at: datetime) -> ChainTransaction:
    """Send everything inside to where the actions say; every unit must be covered (3.26).

    A target is a user connected to the application, somebody whose units are inside, or its developer. Raises
    PaymentInProgress, ContainerClosed, ContainerStopped, BelongsToTournament, UnknownTarget, and Invalid unless the
    actions cover exactly what is inside.
    """
    container = hold_own(container_id, at=at)
    if not 1 <= len(actions) <= MOST_ACTIONS:
        raise _bad_actions(f"actions must have 1 to {MOST_ACTIONS} entries")
    if any(action.units <= 0 for action in actions):
        raise _bad_actions("amount must be above 0")
    _no_more_payments(container, actor=actor, at=at)
    inside, covered = accounts.balance(container.escrow_id), sum(action.units for action in actions)
    if inside == 0:
        raise ContainerClosed("The container is empty")
    if covered != inside:
        raise _bad_actions(f"actions must cover every asset in the container: {covered} of {inside} UPX")
    known = _targets(container, {action.target_eos_id for action in actions})
    legs = [
        rail.Leg(
            source_id=container.escrow_id,
            target_id=known[action.target_eos_id],
            units=action.units,
            address=action.target_eos_id,
        )
        for action in actions
    ]
    return outgoing.send(container, legs, purpose=outgoing.RESOLVE, actor=actor, at=at)


def _bad_actions(message: str) -> Invalid:
    return Invalid(message, fields={"actions": [message]})


def _targets(container: Container, wanted: set[str]) -> dict[str, int]:
    """Return the account of each name. Raises UnknownTarget."""
    owners = Deposit.objects.filter(container=container, owner_eos_id__in=wanted)
    players = dict(owners.values_list("owner_eos_id", "player_id"))
    connected = Connection.objects.filter(
        application=container.application, disconnected_at=None, player__eos_id__in=wanted
    )
    players |= dict(connected.values_list("player__eos_id", "player_id"))
    found = {name: accounts.wallet(player_id, container.asset).pk for name, player_id in players.items()}
    developer = container.application.developer_eos_id
    if developer in wanted and developer not in found:
        found[developer] = account_of(developer, container.asset).pk
    for name in sorted(wanted - found.keys()):
        raise UnknownTarget(f"{name} is no user connected to the application", fields={"targetEosId": [name]})
    return found


def _no_more_payments(container: Container, *, actor: Actor, at: datetime) -> None:
    if in_flight(container):
        raise PaymentInProgress
    for waiting in unsigned(container):
        rail.withdraw(waiting.pk, actor=actor, at=at)
