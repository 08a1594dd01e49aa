"""Doorbells of events: one service call each, safe to run twice."""

from typing import Any

from celery import shared_task

from apps.core import doorbell
from apps.events import services


@shared_task(name=services.SEQUENCER)
def number_facts(**_future: Any) -> None:
    """Number every operator's new facts. One worker at a time: with facts coming in all the time, one is enough."""
    doorbell.attend(services.SEQUENCER, services.number_new_facts)
