"""Doorbells of events: one service call each, safe to run twice."""

from typing import Any

from celery import shared_task

from apps.core import doorbell
from apps.events.services import numbering


@shared_task(name=numbering.SEQUENCER)
def number_facts(**_future: Any) -> None:
    """Number every operator's new facts. One worker at a time: with facts coming in all the time, one is enough."""
    doorbell.attend(numbering.SEQUENCER, numbering.number_new_facts)
