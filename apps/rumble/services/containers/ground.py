"""What the ten operations stand on: their refusals, holding a container, reporting what changed."""

from datetime import datetime

from apps.core.actors import Actor
from apps.core.errors import DomainError
from apps.rumble import facts
from apps.rumble.lifecycle import OPEN
from apps.rumble.models import Container, RumbleTournament
from apps.rumble.services.ground import record, refuse_stopped


class ContainerClosed(DomainError):
    """The container's status does not allow this."""

    code = "INVALID_STATE"


class BelongsToTournament(DomainError):
    """The container belongs to a tournament, which alone moves what is in it."""

    code = "BELONGS_TO_TOURNAMENT"


def hold_own(container_id: int, *, at: datetime) -> Container:
    """Hold an open container that is nobody's tournament. Raises BelongsToTournament, ContainerClosed, …Stopped."""
    if RumbleTournament.objects.filter(container_id=container_id).exists():
        raise BelongsToTournament
    return hold_open(container_id, at=at)


def hold_open(container_id: int, *, at: datetime) -> Container:
    """Hold an open container. Raises ContainerClosed, ContainerStopped."""
    container: Container = Container.objects.hold(container_id)
    if container.status not in OPEN:
        raise ContainerClosed(f"The container is {container.status}", status=container.status)
    refuse_stopped(container, at)
    return container


def note(what: str, container: Container, *, subject: str = "", actor: Actor, at: datetime) -> None:
    """Report that something happened to a container; about the container itself unless `subject` says otherwise."""
    told = facts.container_changed(what, container, subject=subject or container.subject)
    record(container.application, [told], actor=actor, at=at)
