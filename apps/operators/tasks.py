"""Bells of operators."""

import structlog
from celery import shared_task

from apps.core import clock
from apps.operators.services import retries

log = structlog.get_logger(__name__)


@shared_task(name="operators.purge_idempotency")
def purge_idempotency(**_: object) -> None:
    """Forget the answers kept for retries that are older than a day. Running it twice changes nothing."""
    log.info("answers_forgotten", number=retries.forget_answers(at=clock.now()))
