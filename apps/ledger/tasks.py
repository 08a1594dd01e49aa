"""Bells of the ledger."""

import time

import structlog
from celery import shared_task
from django.conf import settings

from apps.core import clock, doorbell
from apps.core.actors import SYSTEM
from apps.core.errors import DomainError
from apps.ledger.services import feeds, rail, remitting

log = structlog.get_logger(__name__)

# How long a worker goes on sending one operator's payouts before it makes way for what else is queued.
REMIT_SECONDS = 20.0


@shared_task(name="ledger.fetch_exchange_rates")
def fetch_exchange_rates(**_: object) -> None:
    """Read `EXCHANGE_RATES_SOURCE`, where one is set, for every operator. Running it twice changes nothing."""
    if not settings.EXCHANGE_RATES_SOURCE:
        return
    try:
        changed = feeds.take_in_everywhere(settings.EXCHANGE_RATES_SOURCE, actor=SYSTEM, at=clock.now())
    except DomainError as problem:
        log.warning("exchange_rates_not_read", source=settings.EXCHANGE_RATES_SOURCE, problem=str(problem))
    else:
        log.info("exchange_rates_read", changed=changed)


@shared_task(name="ledger.chain_tick")
def chain_tick(**_: object) -> None:
    """Ring for the transactions of the chain about which something is due."""
    rail.tick(at=clock.now())


@shared_task(name=rail.ADVANCE, acks_late=True)
def chain_advance(*, transaction_id: int, **_: object) -> None:
    """Submit one transaction, look what became of it, or let it lapse. Running it again changes nothing."""
    doorbell.answered(rail.ADVANCE, transaction_id=transaction_id)
    rail.advance(transaction_id, at=clock.now())


@shared_task(name="ledger.remit_tick")
def remit_tick(**_: object) -> None:
    """Ring for every operator to whom payouts are to be sent."""
    for operator_id in remitting.due(clock.now()):
        doorbell.ring(remitting.REMIT, operator_id=operator_id)


@shared_task(name=remitting.REMIT, acks_late=True)
def remit(*, operator_id: int, **_: object) -> None:
    """Send what is due to one operator. Running it twice sends nothing twice that was confirmed or is being sent."""
    doorbell.attend(remitting.REMIT, lambda: _remit_on(operator_id), operator_id=operator_id)


def _remit_on(operator_id: int) -> None:
    """Go on while there is something, the operator answers, and it is not for too long."""
    until = time.monotonic() + REMIT_SECONDS
    while time.monotonic() < until:
        _, answered = remitting.remit(operator_id, at=clock.now())
        if not answered:
            return
    doorbell.ring(remitting.REMIT, operator_id=operator_id)
