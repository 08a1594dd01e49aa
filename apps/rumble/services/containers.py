"""Containers of their own: the ten operations (rumble.md 3.18 to 3.27). A tournament's allows three of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from apps.core.actors import Actor
from apps.core.errors import DomainError, Invalid
from apps.ledger import chain
from apps.ledger.lifecycle import ChainStatus
from apps.ledger.models import ChainTransaction
from apps.ledger.services import accounts, rail
from apps.ledger.services.journals import InsufficientFunds
from apps.operators.models import Player
from apps.operators.services import admission
from apps.rumble import facts, words
from apps.rumble.lifecycle import OPEN, ContainerStatus
from apps.rumble.models import Application, Connection, Container, Deposit, RumbleTournament, Signing
from apps.rumble.services import outgoing, participation, stopping
from apps.rumble.services.ground import (
    AREA,
    BalanceTooLow,
    ContainerNotFound,
    PaymentInProgress,
    account_of,
    hold,
    in_flight,
    record,
    refuse_stopped,
    unsigned,
    upx,
)
from apps.rumble.services.payments import PaymentNotFound

DEPOSIT = "deposit"
# Deposits that count as somebody being in.
LIVE = (ChainStatus.REQUESTED, ChainStatus.SIGNED, ChainStatus.SUBMITTED, ChainStatus.FINAL)
MOST_ACTIONS = 1_000
# What is told of a deposit when its transaction has come so far.
WORDS = {ChainStatus.SIGNED: "Signed", ChainStatus.FINAL: "Final", **participation.LOST}


class ContainerClosed(DomainError):
    """The container's status does not allow this."""

    code = "INVALID_STATE"


class BelongsToTournament(DomainError):
    """The container belongs to a tournament, which alone moves what is in it."""

    code = "BELONGS_TO_TOURNAMENT"


class AlreadyRefreshed(DomainError):
    """The expiration time of a container can be refreshed once."""

    code = "ALREADY_REFRESHED"


class NoDeveloper(DomainError):
    """The application's developer has no account that could pay."""

    kind = "forbidden"
    code = "NO_DEVELOPER"


class UnknownTarget(Invalid):
    """targetEosId is no user connected to the application."""


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


@dataclass(frozen=True, slots=True)
class Action:
    """Base units of what is inside for somebody; `is_refund` only says why."""

    target_eos_id: str
    units: int
    is_refund: bool = False


@transaction.atomic
def create_container(
    application: Application,
    *,
    user_limit: int | None = None,
    dev_shop_id: UUID | None = None,
    hours: int | None = None,
    actor: Actor,
    at: datetime,
) -> Container:
    """Open a container with an escrow of its own (3.18).

    It lives as long as the application's settings say, or shorter if `hours` says so. Raises Invalid, ChainMissing.
    """
    chain.current()
    if user_limit is not None and user_limit < 1:
        raise Invalid("userLimitByContainer must be 1 or more", fields={"userLimitByContainer": ["1 or more."]})
    if hours is not None and hours < 1:
        raise Invalid("expirationPeriodHours must be 1 or more", fields={"expirationPeriodHours": ["1 or more."]})
    lifetime = min(hours or application.expiration_hours, application.expiration_hours)
    asset = upx(application.operator_id)
    with connection.cursor() as cursor:
        # The escrow is named after the container and the container needs its escrow: take the id first.
        cursor.execute("SELECT nextval(pg_get_serial_sequence('rumble_container', 'id'))")
        pk = int(cursor.fetchone()[0])
    made: Container = Container.objects.create(
        pk=pk,
        operator_id=application.operator_id,
        application=application,
        asset=asset,
        escrow=accounts.open_escrow(f"container:{pk}", asset, hot=False),
        user_limit=user_limit,
        dev_shop_id=dev_shop_id,
        lifetime_hours=lifetime,
        expires_at=at + timedelta(hours=lifetime),
        created_at=at,
    )
    _note("created", made, actor=actor, at=at)
    return made


def _note(what: str, container: Container, *, subject: str = "", actor: Actor, at: datetime) -> None:
    told = facts.container_changed(what, container, subject=subject or container.subject)
    record(container.application, [told], actor=actor, at=at)


def find_container(application_id: int, container_id: int) -> Container:
    """Return an application's container, a tournament's included. Raises ContainerNotFound."""
    mine = Container.objects.filter(pk=container_id, application_id=application_id)
    found: Container | None = mine.select_related("application", "asset", "out", "rumble__tournament").first()
    if found is None:
        raise ContainerNotFound
    return found


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
    container = _own(container_id, at=at)
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


def _own(container_id: int, *, at: datetime) -> Container:
    """Hold an open container that is nobody's tournament. Raises BelongsToTournament, ContainerClosed, …Stopped."""
    if RumbleTournament.objects.filter(container_id=container_id).exists():
        raise BelongsToTournament
    return _open(container_id, at=at)


def _open(container_id: int, *, at: datetime) -> Container:
    """Hold an open container. Raises ContainerClosed, ContainerStopped."""
    container: Container = Container.objects.hold(container_id)
    if container.status not in OPEN:
        raise ContainerClosed(f"The container is {container.status}", status=container.status)
    refuse_stopped(container, at)
    return container


@transaction.atomic
def lock(container_id: int, *, actor: Actor, at: datetime) -> Container:
    """Let no new players in; again does nothing (3.22). Raises ContainerClosed, BelongsToTournament."""
    container = _own(container_id, at=at)
    if container.status == ContainerStatus.CREATED:
        container.lock()
        container.save(update_fields=["status"])
        _note("locked", container, actor=actor, at=at)
    return container


@transaction.atomic
def unlock(container_id: int, *, actor: Actor, at: datetime) -> Container:
    """Let new players in again; again does nothing (3.23). Raises ContainerClosed, BelongsToTournament."""
    container = _own(container_id, at=at)
    if container.status == ContainerStatus.LOCKED:
        container.unlock()
        container.save(update_fields=["status"])
        _note("unlocked", container, actor=actor, at=at)
    return container


@transaction.atomic
def refresh(container_id: int, *, actor: Actor, at: datetime) -> Container:
    """Restart the clock of an open container, once; a tournament's too (3.24).

    Raises AlreadyRefreshed, ContainerClosed, ContainerStopped.
    """
    tournament_id = RumbleTournament.objects.filter(container_id=container_id).values_list("pk", flat=True).first()
    if tournament_id is not None:
        hold(tournament_id)
    container = _open(container_id, at=at)
    if container.refreshed_at is not None:
        raise AlreadyRefreshed
    container.refreshed_at = at
    container.expires_at = at + timedelta(hours=container.lifetime_hours)
    container.save(update_fields=["refreshed_at", "expires_at"])
    subject = f"tournament:{tournament_id}" if tournament_id is not None else ""
    _note("refreshed", container, subject=subject, actor=actor, at=at)
    return container


@transaction.atomic
def refund(container_id: int, *, actor: Actor, at: datetime) -> ChainTransaction | None:
    """Give everything back to its owners, without fees (3.25); None where there was nothing inside.

    Raises PaymentInProgress, ContainerClosed, ContainerStopped, BelongsToTournament.
    """
    container = _own(container_id, at=at)
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
    container = _own(container_id, at=at)
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
