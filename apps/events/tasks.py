"""Doorbells of events: one service call each, safe to run twice."""

from typing import Any

from celery import shared_task

from apps.core import clock, doorbell
from apps.events.services import deliveries, numbering


@shared_task(name=numbering.SEQUENCER)
def number_facts(**_future: Any) -> None:
    """Number every operator's new facts. One worker at a time: with facts coming in all the time, one is enough."""
    doorbell.attend(numbering.SEQUENCER, numbering.number_new_facts)


@shared_task(name="events.purge_deliveries")
def purge_deliveries(**_future: Any) -> None:
    """Forget old deliveries and their attempts, a batch at a time."""
    deliveries.purge(at=clock.now())
