"""The course of play: rooms, who comes and goes, rounds, wishes for a rebuy, the end."""

from apps.tournaments import facts
from apps.tournaments.lifecycle import UPCOMING
from apps.tournaments.services import running
from apps.tournaments.services.intake.batch import ACCEPTED, REJECTED, STALE, Batch, Outcome, missing
from apps.tournaments.services.intake.eliminations import drop_lowest
from apps.tournaments.services.intake.scores import apply_score
from apps.tournaments.services.intake.shapes import CompletedData, Event, RoomData
from apps.tournaments.services.rooms import put_room

NOT_RUNNING = "the tournament is not running"


def take_room(batch: Batch, event: Event) -> Outcome:
    """`room.created`: where players are sent, until the tournament is over."""
    data: RoomData = event.data
    if batch.tournament.status not in UPCOMING and not batch.running:
        return Outcome(event.id, REJECTED, "the tournament is over")
    for fact in put_room(batch.tournament, room_id=data.room_id, room_url=data.room_url):
        batch.report(fact)
    return Outcome(event.id, ACCEPTED)


def take_presence(batch: Batch, event: Event) -> Outcome:
    """`player.joined`, `player.left`: recorded; leaving the room is not leaving the tournament."""
    refusal = missing(batch.roster.find(str(event.data.player_id)))
    return Outcome(event.id, REJECTED if refusal else ACCEPTED, refusal)


def take_rebuy_request(batch: Batch, event: Event) -> Outcome:
    """`rebuy.requested`: told to the operator, who takes the payment and calls the rebuy (operators.md 8)."""
    entry = batch.roster.find(str(event.data.player_id))
    tournament = batch.tournament
    refusal = missing(entry) if batch.running else NOT_RUNNING
    if refusal or entry is None:
        return Outcome(event.id, REJECTED, refusal)
    deadline = tournament.rebuy_deadline
    if not tournament.rebuy_enabled or (deadline is not None and batch.at > deadline):
        return Outcome(event.id, REJECTED, "the tournament takes no rebuys now")
    if entry.entry_count >= tournament.max_entries:
        return Outcome(event.id, REJECTED, "the player has no rebuy left")
    batch.report(facts.rebuy_requested(tournament, entry))
    return Outcome(event.id, ACCEPTED)


def take_round_start(batch: Batch, event: Event) -> Outcome:
    """`round.started`: the round being played, which never goes back."""
    if not batch.running:
        return Outcome(event.id, REJECTED, NOT_RUNNING)
    if event.data.round < batch.tournament.current_round:
        return Outcome(event.id, STALE, "a later round has begun")
    _advance(batch, event.data.round)
    return Outcome(event.id, ACCEPTED)


def take_round_end(batch: Batch, event: Event) -> Outcome:
    """`round.completed`: the server's eliminations, if it is to decide them; the last round ends the tournament."""
    if not batch.running:
        return Outcome(event.id, REJECTED, NOT_RUNNING)
    tournament = batch.tournament
    number = event.data.round or tournament.current_round
    if number < 1:
        return Outcome(event.id, REJECTED, "no round has begun")
    _advance(batch, max(number, tournament.current_round))
    drop_lowest(batch, number, event.at)
    if batch.running and tournament.max_rounds is not None and number >= tournament.max_rounds:
        _finish(batch)
    return Outcome(event.id, ACCEPTED)


def take_end(batch: Batch, event: Event) -> Outcome:
    """`tournament.completed`: the final standings, if given, are the last word on the scores; then it is over.

    Standings with a player who isn't in the tournament are refused whole: prizes are not paid on a mistake.
    """
    data: CompletedData = event.data
    if not batch.running:
        return Outcome(event.id, REJECTED, NOT_RUNNING)
    standings = [(batch.roster.find(str(one.player_id)), one) for one in data.final_standings or ()]
    for entry, one in standings:
        refusal = missing(entry)
        if refusal:
            return Outcome(event.id, REJECTED, f"{one.player_id}: {refusal}"[:200])
    for entry, one in standings:
        if entry is not None:
            # The last word even on a report with a later time.
            moment = max(event.at, entry.score_reported_at or event.at)
            if one.score != entry.points:
                entry.score_reported_at = None
            apply_score(batch, entry, one.score, moment)
    _finish(batch)
    return Outcome(event.id, ACCEPTED)


def _advance(batch: Batch, number: int) -> None:
    if number != batch.tournament.current_round:
        batch.tournament.current_round = number
        batch.tournament.save(update_fields=["current_round"])


def _finish(batch: Batch) -> None:
    """Write what has gathered, for the results are read from the tables, and complete."""
    batch.write()
    running.finish(batch.tournament, actor=batch.actor, at=batch.at)
