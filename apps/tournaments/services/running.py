"""From registration to the end: close registration, start, complete, cancel, and what the clock does by itself."""

from datetime import datetime

import structlog
from django.db import transaction

from apps.core.actors import SYSTEM, Actor
from apps.core.errors import DomainError
from apps.events.services import recording as events
from apps.tournaments import engines, facts, keepers
from apps.tournaments.lifecycle import UPCOMING, TournamentStatus
from apps.tournaments.models import ScoringSource, StartMode, Tournament, TournamentType
from apps.tournaments.querysets import MANY
from apps.tournaments.services import settlement, tally
from apps.tournaments.services.states import InvalidState, refusing_wrong_states

log = structlog.get_logger(__name__)

TOO_FEW = "Insufficient player registration"


class NotEnoughPlayers(DomainError):
    """Too few players are registered."""

    code = "NOT_ENOUGH_PLAYERS"


class ScoringInProgress(DomainError):
    """Rounds that have come in are still being counted; try again in a moment."""

    code = "SCORING_IN_PROGRESS"


@transaction.atomic
def close_registration(tournament_id: int, *, actor: Actor, at: datetime) -> Tournament:
    """Let nobody enter any more; the start stays as planned. Raises InvalidState.

    Where payments are still on their way they are awaited first, and then it closes by itself.
    """
    tournament: Tournament = Tournament.objects.hold(tournament_id)
    if tournament.status == TournamentStatus.REGISTERING and not keepers.of(tournament).closing(tournament, at=at):
        tournament.await_payments()
        tournament.save(update_fields=["status"])
        keepers.of(tournament).changed(tournament, actor=actor, at=at)
        return tournament
    return shut(tournament, actor=actor, at=at)


def shut(tournament: Tournament, *, actor: Actor, at: datetime) -> Tournament:
    """Close the registration of a tournament that the caller holds alone; every payment has ended."""
    with refusing_wrong_states(tournament, "close registration of"):
        tournament.close_registration(at=at)
    tournament.save(update_fields=["status", "registration_closed_at"])
    _report(tournament, facts.registration_closed(tournament), actor=actor, at=at)
    keepers.of(tournament).changed(tournament, actor=actor, at=at)
    return tournament


@transaction.atomic
def start(tournament_id: int, *, actor: Actor, at: datetime) -> Tournament:
    """Start now, whatever the plan says (operators.md 3.6). Raises InvalidState, NotEnoughPlayers."""
    tournament: Tournament = Tournament.objects.hold(tournament_id)
    if tournament.status not in UPCOMING:
        raise InvalidState(status=tournament.status)
    needed = _needed(tournament)
    players = tally.totals(tournament_id).players
    if players < needed:
        raise NotEnoughPlayers(players=players, needed=needed)
    return begin(tournament, immediately=False, actor=actor, at=at)


def _needed(tournament: Tournament) -> int:
    """Return how many players a start needs. Who plays rounds may join by the first of them, or any time later."""
    if tournament.enforce_min_players:
        return tournament.min_players
    return 0 if tournament.scoring_source == ScoringSource.ROUNDS else 1


def begin(tournament: Tournament, *, immediately: bool, actor: Actor, at: datetime) -> Tournament:
    """Start a tournament that the caller holds alone. `immediately`: its start time had come when it was created."""
    with refusing_wrong_states(tournament, "start"):
        tournament.start(at=at)
    keepers.of(tournament).starting(tournament, actor=actor, at=at)
    tournament.started_immediately = immediately
    tournament.save(update_fields=["status", "started_at", "started_immediately"])
    engines.of(tournament).started(tournament, at=at)
    _report(tournament, facts.started(tournament, tally.totals(tournament.pk)), actor=actor, at=at)
    keepers.of(tournament).changed(tournament, actor=actor, at=at)
    return tournament


def begin_if_waiting(tournament: Tournament, *, actor: Actor, at: datetime) -> None:
    """Start a hop-on lobby that has just become full enough; the caller holds it alone."""
    if tournament.status in (TournamentStatus.REGISTERING, TournamentStatus.REGISTRATION_CLOSED):
        begin(tournament, immediately=False, actor=actor, at=at)


@transaction.atomic
def complete(tournament_id: int, *, actor: Actor, at: datetime) -> Tournament:
    """End the play: scores and prizes are fixed once, and the payouts begin or wait for staff.

    Raises InvalidState, ScoringInProgress.
    """
    tournament: Tournament = Tournament.objects.hold(tournament_id)
    if tournament.status == TournamentStatus.RUNNING and not engines.of(tournament).drained(tournament, at=at):
        raise ScoringInProgress
    keepers.of(tournament).completing(tournament)
    return finish(tournament, actor=actor, at=at)


def finish(tournament: Tournament, *, actor: Actor, at: datetime) -> Tournament:
    """Complete a tournament that the caller holds alone."""
    with refusing_wrong_states(tournament, "complete"):
        tournament.complete(at=at)
    tournament.save(update_fields=["status", "completed_at"])
    engines.of(tournament).ended(tournament, at=at)
    settlement.freeze_prizes(tournament, actor=actor, at=at)
    return tournament


def complete_if_decided(tournament: Tournament, *, active: int, actor: Actor, at: datetime) -> None:
    """Complete an elimination with one player left; the caller holds the tournament alone (operators.md 4.6)."""
    decided = tournament.tournament_type == TournamentType.ELIMINATION and active <= 1
    if decided and tournament.status == TournamentStatus.RUNNING:
        finish(tournament, actor=actor, at=at)


@transaction.atomic
def cancel(tournament_id: int, *, reason: str, actor: Actor, at: datetime) -> Tournament:
    """Cancel and give back everything paid, rebuys included (operators.md 3.5). Raises InvalidState.

    The refunds are frozen here and paid by a worker; a crash can delay one, never lose or repeat it.
    """
    return call_off(Tournament.objects.hold(tournament_id), reason=reason, actor=actor, at=at)


def call_off(tournament: Tournament, *, reason: str, actor: Actor, at: datetime) -> Tournament:
    """Cancel a tournament that the caller holds alone."""
    with refusing_wrong_states(tournament, "cancel"):
        tournament.cancel(reason=reason, at=at)
    keepers.of(tournament).cancelling(tournament, actor=actor, at=at)
    tournament.save(update_fields=["status", "status_before_cancel", "cancel_reason", "cancelled_at"])
    engines.of(tournament).ended(tournament, at=at)
    settlement.freeze_refunds(tournament, actor=actor, at=at)
    return tournament


def due(at: datetime) -> list[int]:
    """Return the tournaments whose start or end time has come, however long ago."""
    waiting = Tournament.objects.filter(status__in=(TournamentStatus.REGISTERING, TournamentStatus.REGISTRATION_CLOSED))
    # One query each, because each has an index of its own.
    kinds = (
        waiting.filter(start_mode=StartMode.AT_TIME, starts_at__lte=at).order_by("starts_at"),
        waiting.filter(ends_at__lte=at).order_by("ends_at"),
    )
    found = {tournament_id for kind in kinds for tournament_id in kind.values_list("id", flat=True)[:MANY]}
    for engine in engines.every():
        found.update(engine.due(at=at))
    return sorted(found)


@transaction.atomic
def keep_time(tournament_id: int, *, at: datetime) -> None:
    """Do what the clock asks of one tournament; looked at again under its lock, so it is safe to call twice."""
    tournament: Tournament = Tournament.objects.hold(tournament_id)
    starts, ends = tournament.starts_at, tournament.ends_at
    over = ends is not None and ends <= at
    if tournament.status == TournamentStatus.RUNNING and over and engines.of(tournament).closed(tournament, at=at):
        finish(tournament, actor=SYSTEM, at=at)
        return
    if tournament.status not in (TournamentStatus.REGISTERING, TournamentStatus.REGISTRATION_CLOSED):
        return
    if tournament.start_mode == StartMode.AT_TIME and starts is not None and starts <= at:
        players = tally.totals(tournament_id).players
        if players < _needed(tournament):
            call_off(tournament, reason=TOO_FEW, actor=SYSTEM, at=at)
        else:
            begin(tournament, immediately=False, actor=SYSTEM, at=at)
    elif over:
        # A lobby that never filled, or a start that nobody called: its time is over, and the money goes back.
        call_off(tournament, reason=TOO_FEW, actor=SYSTEM, at=at)


def tick(*, at: datetime) -> int:
    """Start and end what is due; one that fails is logged and does not hold up the others. Return how many were due."""
    found = due(at)
    for tournament_id in found:
        try:
            keep_time(tournament_id, at=at)
        except Exception:
            # Whatever it is, a deadlock or a bug: the others' time has come too, and the next tick looks again.
            log.exception("tournament_not_kept_in_time", tournament_id=tournament_id)
    return len(found)


def _report(tournament: Tournament, fact: events.NewFact, *, actor: Actor, at: datetime) -> None:
    events.record_many([fact], operator_id=tournament.operator_id, actor=actor, at=at)
