"""Bells of the ledger."""

import structlog
from celery import shared_task
from django.conf import settings

from apps.core import clock, doorbell
from apps.core.actors import SYSTEM
from apps.core.errors import DomainError
from apps.ledger.services import feeds, rail

log = structlog.get_logger(__name__)


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
