"""Doorbells of rounds: one service call each, safe to run twice."""

from typing import Any

from celery import shared_task

from apps.core import clock, doorbell
from apps.rounds.services import counting, intake, partitions, transactions
from apps.rounds.services.scoring import scorer


@shared_task(name="rounds.keep_partitions")
def keep_partitions(**_future: Any) -> None:
    """Make the partitions of the coming weeks and let go of those that are old enough."""
    at = clock.now()
    partitions.prepare(at=at)
    partitions.expire(at=at)


@shared_task(name="rounds.forget_counts")
def forget_counts(**_future: Any) -> None:
    """Remove counts of intake that nobody looks at any more."""
    counting.forget_old(at=clock.now())
    transactions.forget_old(at=clock.now())


@shared_task(name="rounds.close_overdue")
def close_overdue(**_future: Any) -> None:
    """Take in rounds of which no more bets and wins have come for long enough."""
    transactions.close_overdue(at=clock.now())


@shared_task(name=intake.SCORE)
def score(**_future: Any) -> None:
    """Count what waits; one worker at a time, as long as there is something."""
    doorbell.attend(intake.SCORE, scorer.drain)
