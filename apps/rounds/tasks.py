"""Doorbells of rounds: one service call each, safe to run twice."""

from typing import Any

from celery import shared_task

from apps.core import clock
from apps.rounds.services import partitions


@shared_task(name="rounds.keep_partitions")
def keep_partitions(**_future: Any) -> None:
    """Make the partitions of the coming weeks and let go of those that are old enough."""
    at = clock.now()
    partitions.prepare(at=at)
    partitions.expire(at=at)
