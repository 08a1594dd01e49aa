"""Give containers back that nobody asked to give back: their lifetime is over, or their application is gone (8, 2.1).

A container that is to be given back takes nothing any more. Its unsigned requests are withdrawn; while a payment is on
the chain it waits, and what ends that payment carries on here.
"""

from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import Q

from apps.core import doorbell
from apps.core.actors import SYSTEM, Actor
from apps.core.clock import iso
from apps.ledger.lifecycle import ChainStatus
from apps.ledger.services import rail
from apps.rumble import facts
from apps.rumble.lifecycle import OPEN, ContainerStatus
from apps.rumble.models import Application, Container, RumbleTournament, Stop
from apps.rumble.services import outgoing
from apps.rumble.services.ground import hold, in_flight, record, unsigned
from apps.tournaments.lifecycle import CANCELLABLE
from apps.tournaments.services import running

log = structlog.get_logger(__name__)

TICK = "rumble.tick"
REASONS = {Stop.EXPIRED.value: "Expired", Stop.INACTIVATED.value: "The application was inactivated"}
# In one tick; the next one is a second away.
MANY = 200


def due(at: datetime) -> list[int]:
    """Return the containers that are to be given back, what failed before and needs a person left out."""
    waiting = Container.objects.filter(status__in=OPEN).filter(
        Q(rumble=None) | Q(rumble__tournament__status__in=CANCELLABLE)
    )
    # One query each, because each has an index of its own.
    kinds = (
        waiting.filter(expires_at__lte=at).order_by("expires_at"),
        waiting.exclude(stop="").exclude(out__status=ChainStatus.FAILED).order_by("pk"),
    )
    return sorted({pk for kind in kinds for pk in kind.values_list("pk", flat=True)[:MANY]})


def tick(*, at: datetime) -> int:
    """Give back what is due; one that fails is logged and does not hold up the others. Return how many were due."""
    found = due(at)
    for container_id in found:
        try:
            carry_on(container_id, at=at)
        except Exception:
            log.exception("container_not_given_back", container_id=container_id)
    return len(found)


@transaction.atomic
def carry_on(container_id: int, *, at: datetime) -> None:
    """Give one container back as far as that is possible now; looked at again under its lock, so safe to call twice."""
    tournament_id = (
        RumbleTournament.objects.filter(container_id=container_id).values_list("tournament_id", flat=True).first()
    )
    if tournament_id is not None:
        _tournament(hold(tournament_id), at=at)
    else:
        _container(Container.objects.hold(container_id), at=at)


def _tournament(rumble: RumbleTournament, *, at: datetime) -> None:
    container = rumble.container
    if rumble.tournament.status not in CANCELLABLE or not _stopped(container, at=at):
        return
    if in_flight(container):
        return
    if container.stop == Stop.EXPIRED:
        _expire(container, subject=rumble.tournament.subject, at=at)
    running.call_off(rumble.tournament, reason=REASONS[container.stop], actor=SYSTEM, at=at)


def _container(container: Container, *, at: datetime) -> None:
    if container.status not in OPEN or not _stopped(container, at=at) or in_flight(container):
        return
    if container.stop == Stop.EXPIRED:
        _expire(container, subject=container.subject, at=at)
    outgoing.give_back(container, actor=SYSTEM, at=at)


def _stopped(container: Container, *, at: datetime) -> bool:
    """Note that a container is to be given back, if it is, and withdraw what is unsigned; tell whether it is."""
    if not container.stop and container.expires_at <= at:
        container.stop = Stop.EXPIRED
        container.save(update_fields=["stop"])
    if not container.stop:
        return False
    for waiting in unsigned(container):
        rail.withdraw(waiting.pk, actor=SYSTEM, at=at)
    return True


def _expire(container: Container, *, subject: str, at: datetime) -> None:
    if container.status != ContainerStatus.EXPIRED:
        container.expire(at=at)
        container.save(update_fields=["status", "ended_at"])
        record(container.application, [facts.container_expired(container, subject=subject)], actor=SYSTEM, at=at)


def cancel_everything(application: Application, *, actor: Actor, at: datetime) -> int:
    """Have every open container of an application given back, its tournaments' included; return how many there are.

    They are marked here, take nothing more from now on, and are given back one by one by a worker: as soon as it hears
    the bell, or where a payment is on the chain as soon as that has ended.
    """
    mine = Container.objects.filter(application=application, status__in=OPEN, stop="")
    marked: int = mine.filter(Q(rumble=None) | Q(rumble__tournament__status__in=CANCELLABLE)).update(
        stop=Stop.INACTIVATED
    )
    log.info("application_stops", application=application.app_id, containers=marked, actor=str(actor), at=iso(at))
    if marked:
        doorbell.ring(TICK)
    return marked
