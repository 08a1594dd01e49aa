"""Open, find, lock, unlock and refresh containers."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from apps.core.actors import Actor
from apps.core.errors import DomainError, Invalid
from apps.ledger import chain
from apps.ledger.services import accounts
from apps.rumble.lifecycle import ContainerStatus
from apps.rumble.models import Application, Container, RumbleTournament
from apps.rumble.services.containers.ground import hold_open, hold_own, note
from apps.rumble.services.ground import ContainerNotFound, hold, upx


class AlreadyRefreshed(DomainError):
    """The expiration time of a container can be refreshed once."""

    code = "ALREADY_REFRESHED"


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
    note("created", made, actor=actor, at=at)
    return made


def find_container(application_id: int, container_id: int) -> Container:
    """Return an application's container, a tournament's included. Raises ContainerNotFound."""
    mine = Container.objects.filter(pk=container_id, application_id=application_id)
    found: Container | None = mine.select_related("application", "asset", "out", "rumble__tournament").first()
    if found is None:
        raise ContainerNotFound
    return found


@transaction.atomic
def lock(container_id: int, *, actor: Actor, at: datetime) -> Container:
    """Let no new players in; again does nothing (3.22). Raises ContainerClosed, BelongsToTournament."""
    container = hold_own(container_id, at=at)
    if container.status == ContainerStatus.CREATED:
        container.lock()
        container.save(update_fields=["status"])
        note("locked", container, actor=actor, at=at)
    return container


@transaction.atomic
def unlock(container_id: int, *, actor: Actor, at: datetime) -> Container:
    """Let new players in again; again does nothing (3.23). Raises ContainerClosed, BelongsToTournament."""
    container = hold_own(container_id, at=at)
    if container.status == ContainerStatus.LOCKED:
        container.unlock()
        container.save(update_fields=["status"])
        note("unlocked", container, actor=actor, at=at)
    return container


@transaction.atomic
def refresh(container_id: int, *, actor: Actor, at: datetime) -> Container:
    """Restart the clock of an open container, once; a tournament's too (3.24).

    Raises AlreadyRefreshed, ContainerClosed, ContainerStopped.
    """
    tournament_id = RumbleTournament.objects.filter(container_id=container_id).values_list("pk", flat=True).first()
    if tournament_id is not None:
        hold(tournament_id)
    container = hold_open(container_id, at=at)
    if container.refreshed_at is not None:
        raise AlreadyRefreshed
    container.refreshed_at = at
    container.expires_at = at + timedelta(hours=container.lifetime_hours)
    container.save(update_fields=["refreshed_at", "expires_at"])
    subject = f"tournament:{tournament_id}" if tournament_id is not None else ""
    note("refreshed", container, subject=subject, actor=actor, at=at)
    return container
