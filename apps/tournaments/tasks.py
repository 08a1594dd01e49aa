"""Doorbells of tournaments: ids in, one service call, safe to run twice."""

from typing import Any

from celery import shared_task

from apps.core import clock, doorbell
from apps.tournaments import board
from apps.tournaments.services import buyins, running, score_facts, settlement

TICK = "tournaments.tick"


@shared_task(name=TICK)
def tick(**_future: Any) -> None:
    """Start and end what is due, and ring for every tournament whose payouts are on their way; one worker at a time."""
    doorbell.attend(TICK, keep_time)


def keep_time() -> None:
    """What a tick does."""
    running.tick(at=clock.now())
    for tournament_id in settlement.paying():
        doorbell.ring(settlement.PAY, tournament_id=tournament_id)
    for buy_in_id in buyins.due(clock.now()):
        doorbell.ring(buyins.ASK, buy_in_id=buy_in_id)
    score_facts.tell_scores(at=clock.now())


@shared_task(name=settlement.PAY, acks_late=True)
def pay(*, tournament_id: int, **_future: Any) -> None:
    """Pay what one tournament owes. Running it again after success changes nothing.

    One worker pays a tournament; the beat rings every second, and others have better to do than wait for its batches.
    """
    doorbell.attend(
        settlement.PAY, lambda: settlement.pay_on(tournament_id, at=clock.now()), tournament_id=tournament_id
    )


@shared_task(name=buyins.ASK, acks_late=True)
def ask_debit(*, buy_in_id: int, **_future: Any) -> None:
    """Ask an operator once for one buy-in. Running it again before its next try is due changes nothing."""
    doorbell.answered(buyins.ASK, buy_in_id=buy_in_id)
    buyins.attempt(buy_in_id, at=clock.now())


@shared_task(name=board.REBUILD, acks_late=True)
def rebuild_board(*, tournament_id: int, **_future: Any) -> None:
    """Fill a tournament's board from PostgreSQL, or compare it. A second one meanwhile does nothing."""
    doorbell.answered(board.REBUILD, tournament_id=tournament_id)
    board.rebuild(tournament_id)


@shared_task(name=board.SWEEP)
def sweep_boards(**_future: Any) -> None:
    """Make up for what boards missed."""
    doorbell.answered(board.SWEEP)
    board.sweep()
