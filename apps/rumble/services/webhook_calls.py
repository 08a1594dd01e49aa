"""The record of what was sent to an application: the attempts of its endpoint's deliveries (rumble.md 3.28)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from django.db.models import Q, QuerySet

from apps.events.formats.rumble import HIDDEN, PREFIX, SEALED, notice
from apps.events.models import Attempt, Fact
from apps.rumble.models import Application

# They are kept a little longer (`deliveries.HISTORY`).
THREE_MONTHS = timedelta(days=92)
SUCCESS = (200, 299)


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt to tell an application something."""

    type: str
    attempt: int
    at: datetime
    succeeded: bool
    request: dict[str, Any]
    response: dict[str, Any]
    container_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What of the record is asked for; None is everything. Moments are included."""

    since: datetime | None = None
    until: datetime | None = None
    type: str | None = None
    succeeded: bool | None = None
    container_id: int | None = None


def calls(application: Application, wanted: Wanted, *, at: datetime) -> QuerySet[Attempt]:
    """Return the attempts that are asked for, at most three months back, newest first."""
    oldest = at - THREE_MONTHS
    if application.endpoint_id is None:
        return Attempt.objects.none()
    rows = Attempt.objects.filter(
        delivery__endpoint_id=application.endpoint_id,
        delivery__fact__isnull=False,
        started_at__gte=max(wanted.since or oldest, oldest),
    )
    if wanted.until is not None:
        rows = rows.filter(started_at__lte=wanted.until)
    if wanted.type is not None:
        rows = rows.filter(delivery__fact__type=PREFIX + wanted.type)
    if wanted.container_id is not None:
        rows = rows.filter(delivery__fact__data__containerId=wanted.container_id)
    if wanted.succeeded is not None:
        arrived = Q(status__range=SUCCESS)
        rows = rows.filter(arrived if wanted.succeeded else ~arrived | Q(status=None))
    return rows.select_related("delivery__fact").order_by("-started_at", "-pk")


def told(attempt: Attempt) -> Call:
    """Return an attempt in the dialect's words; a player's token is not repeated."""
    fact = cast("Fact", attempt.delivery.fact)
    status = attempt.status
    response: dict[str, Any] = {} if status is None else {"status": status, "body": attempt.answer}
    if attempt.error:
        response["error"] = attempt.error
    return Call(
        type=fact.type.removeprefix(PREFIX),
        attempt=attempt.number,
        at=attempt.started_at,
        succeeded=status is not None and SUCCESS[0] <= status <= SUCCESS[1],
        request=notice(fact.type, fact.data, token=HIDDEN if SEALED in fact.data else None),
        response=response,
        container_id=fact.data.get("containerId"),
    )
