"""Put UPX into containers, and look at what is there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apps.core.actors import Actor
from apps.core.errors import DomainError, Invalid
from apps.ledger.lifecycle import ChainStatus
from apps.ledger.models import ChainTransaction
from apps.ledger.services import accounts, rail
from apps.ledger.services.journals import InsufficientFunds
from apps.operators.models import Player
from apps.operators.services import admission
from apps.rumble import facts, words
from apps.rumble.lifecycle import ContainerStatus
from apps.rumble.models import Container, Deposit, RumbleTournament, Signing
from apps.rumble.services import participation, stopping
from apps.rumble.services.containers.ground import ContainerClosed, hold_own
from apps.rumble.services.ground import AREA, BalanceTooLow, hold, record
from apps.rumble.services.payments import PaymentNotFound

DEPOSIT = "deposit"
# Deposits that count as somebody being in.
LIVE = (ChainStatus.REQUESTED, ChainStatus.SIGNED, ChainStatus.SUBMITTED, ChainStatus.FINAL)
# What is told of a deposit when its transaction has come so far.
WORDS = {ChainStatus.SIGNED: "Signed", ChainStatus.FINAL: "Final", **participation.LOST}


class NoDeveloper(DomainError):
    """The application's developer has no account that could pay."""

    kind = "forbidden"
    code = "NO_DEVELOPER"


@dataclass(frozen=True, slots=True)
class Holdings:
    """What is in a container: units that are final, and every request that was ever made."""

    upx: int
    deposits: Sequence[Deposit]


@dataclass(frozen=True, slots=True)
class Deposited:
    """A deposit that was asked for. `reached_limit` is None without a limit of users."""

    transaction_public_id: UUID
    reached_limit: bool | None


def holdings(container: Container) -> Holdings:
    """Return what is in a container and how it got there, oldest request first (3.19)."""
    made = Deposit.objects.filter(container=container).select_related("transaction").order_by("pk")
    return Holdings(accounts.balance(container.escrow_id), list(made))


def deposit(container_id: int, *, player_id: int, units: int, actor: Actor, at: datetime) -> Deposited:
    """Ask a player to put UPX into a container (3.20).

    Raises ContainerClosed, ContainerStopped, BelongsToTournament, Invalid, PlayerBlocked, BalanceTooLow.
    """
    return _deposit(container_id, player_id=player_id, units=units, signs=None, actor=actor, at=at)


def deposit_own(container_id: int, *, units: int, actor: Actor, at: datetime) -> Deposited:
    """Put the developer's own UPX into a container, signed by themselves (3.21).

    Raises NoDeveloper, and as `deposit`.
    """
    application = Container.objects.select_related("application").get(pk=container_id).application
    developer = Player.objects.for_operator(application.operator_id).filter(eos_id=application.developer_eos_id)
    player_id = developer.order_by("pk").values_list("pk", flat=True).first() if application.developer_eos_id else None
    if player_id is None:
        raise NoDeveloper
    return _deposit(container_id, player_id=player_id, units=units, signs=True, actor=actor, at=at)


def _deposit(
    container_id: int, *, player_id: int, units: int, signs: bool | None, actor: Actor, at: datetime
) -> Deposited:
    if units <= 0:
        raise Invalid("upxAmount must be above 0", fields={"upxAmount": ["Must be above 0."]})
    try:
        return _put_in(container_id, player_id=player_id, units=units, signs=signs, actor=actor, at=at)
    except InsufficientFunds as problem:
        raise BalanceTooLow from problem


@transaction.atomic
def _put_in(
    container_id: int, *, player_id: int, units: int, signs: bool | None, actor: Actor, at: datetime
) -> Deposited:
    container = hold_own(container_id, at=at)
    player = admission.lock(player_id)
    admission.refuse_blocked(player, at)
    users = _users(container)
    if container.status == ContainerStatus.LOCKED and player.pk not in users:
        raise ContainerClosed("The container is locked", status=container.status)
    if accounts.balance(accounts.wallet(player.pk, container.asset).pk) < units:
        raise BalanceTooLow
    asked: int = Deposit.objects.filter(container=container).count()
    owner = words.eos_of(player)
    paying = rail.request(
        rail.Errand(AREA, DEPOSIT, container.subject, f"{container.subject}:deposit:{asked + 1}"),
        rail.Leg(
            source_id=accounts.held(player.pk, container.asset).pk,
            target_id=container.escrow_id,
            units=units,
            address=owner,
        ),
        player_id=player.pk,
        asset=container.asset,
        until=at + timedelta(seconds=settings.SIGNING_SECONDS),
        actor=actor,
        at=at,
    )
    Deposit.objects.create(container=container, transaction=paying, player=player, owner_eos_id=owner, units=units)
    record(container.application, [facts.to_escrow("Created", container, paying, owner=owner)], actor=actor, at=at)
    limit = container.user_limit
    reached = None if limit is None else len(users | {player.pk}) >= limit
    if reached and container.status == ContainerStatus.CREATED:
        container.lock()
        container.save(update_fields=["status"])
    if signs or (signs is None and container.application.signing == Signing.AUTO):
        rail.sign(paying.pk, actor=actor, at=at)
    return Deposited(paying.public_id, reached)


def _users(container: Container) -> set[int]:
    live = Deposit.objects.filter(container=container, transaction__status__in=LIVE, refunded_at=None)
    return set(live.values_list("player_id", flat=True))


@transaction.atomic
def remove_deposit(container_id: int, transaction_public_id: UUID | str, *, actor: Actor, at: datetime) -> None:
    """Take back a request that its player has not signed; a tournament's participant is removed with it (3.27).

    Raises PaymentNotFound, PaymentNotWaiting.
    """
    try:
        public_id = UUID(str(transaction_public_id))
    except ValueError as problem:
        raise PaymentNotFound from problem
    mine = Deposit.objects.filter(container_id=container_id, transaction__public_id=public_id)
    transaction_id: int | None = mine.values_list("transaction_id", flat=True).first()
    if transaction_id is None:
        raise PaymentNotFound
    rail.withdraw(transaction_id, actor=actor, at=at)
    tournament_id = RumbleTournament.objects.filter(container_id=container_id).values_list("pk", flat=True).first()
    if tournament_id is not None:
        participation.payment_ended(hold(tournament_id), actor=actor, at=at)


def deposit_changed(paying: ChainTransaction, *, actor: Actor, at: datetime) -> None:
    """Tell what became of a deposit; the container is held."""
    made = Deposit.objects.select_related("container__application").get(transaction=paying)
    word = WORDS.get(ChainStatus(paying.status))
    if word is not None:
        told = facts.to_escrow(word, made.container, paying, owner=made.owner_eos_id)
        record(made.container.application, [told], actor=actor, at=at)
    if made.container.stop and paying.status in (ChainStatus.FINAL, ChainStatus.FAILED):
        stopping.carry_on(made.container_id, at=at)
