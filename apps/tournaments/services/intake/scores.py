"""Scores as the game reports them: absolute, newest wins, in whatever order they arrive."""

from datetime import datetime
from decimal import Decimal

from apps.tournaments.lifecycle import EntryStatus
from apps.tournaments.models import Entry, ScoringSource
from apps.tournaments.services.intake.batch import ACCEPTED, REJECTED, STALE, Batch, Outcome, missing
from apps.tournaments.services.intake.shapes import Event, ScoreData


def take_score(batch: Batch, event: Event) -> Outcome:
    """`player.score.updated`: set the player's points, unless a newer report has been applied.

    A player who is out keeps what they had reached: a report from before the elimination still counts, a later one
    is refused.
    """
    data: ScoreData = event.data
    entry = batch.roster.find(str(data.player_id))
    refusal = missing(entry)
    if not batch.running:
        refusal = "the tournament is not running"
    elif batch.tournament.scoring_source != ScoringSource.REPORTED:
        refusal = "this tournament is scored from game rounds"
    if refusal or entry is None:
        return Outcome(event.id, REJECTED, refusal)
    if entry.status == EntryStatus.OUT and entry.eliminated_at is not None and event.at > entry.eliminated_at:
        return Outcome(event.id, REJECTED, "the player was eliminated before")
    if not apply_score(batch, entry, data.score, event.at, round_number=data.round):
        return Outcome(event.id, STALE, "a newer score has been applied")
    return Outcome(event.id, ACCEPTED)


def apply_score(
    batch: Batch, entry: Entry, score: Decimal, reported_at: datetime, *, round_number: int | None = None
) -> bool:
    """Set an entry's points from one report; tell whether the report was the newest, which alone counts.

    Of two reports of one moment the higher score is the newer one, so that every order of arrival ends alike. Points
    that are reported again keep the time they were reached at, which decides ties (operators.md 4.6).
    """
    newest = entry.score_reported_at
    if newest is not None and (reported_at, score) < (newest, entry.points):
        return False
    same = score == entry.points
    entry.score_reported_at = reported_at
    if not same or newest is None:
        entry.points = score
        entry.scored_at = reported_at
    if round_number is not None:
        entry.current_round = round_number
    batch.change(entry, moves=not same or newest is None)
    return True
