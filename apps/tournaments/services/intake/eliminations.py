"""Players who are out: as the game reports it, or, where the tournament asks for it, as the server decides."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from apps.tournaments import engines, facts
from apps.tournaments.lifecycle import EntryStatus
from apps.tournaments.models import Entry, Tournament
from apps.tournaments.services import running
from apps.tournaments.services.intake.batch import ACCEPTED, REJECTED, STALE, Batch, Outcome, missing
from apps.tournaments.services.intake.scores import apply_score
from apps.tournaments.services.intake.shapes import EliminatedData, Event

# A share of the field that the server drops after each round must be below this.
WHOLE_FIELD = 1


def take_eliminations(batch: Batch, group: Sequence[Event]) -> list[Outcome]:
    """`player.eliminated`, for all that stand together in a call; the last player left ends an elimination.

    Final positions are told worst first: earlier rounds, then fewer points, and the rest of the ranking.
    """
    outcomes: list[Outcome] = []
    out: list[tuple[Entry, int, datetime]] = []
    taken: set[int] = set()
    for event in group:
        data: EliminatedData = event.data
        entry = batch.roster.find(str(data.player_id))
        refusal = missing(entry) if batch.running else "the tournament is not running"
        if refusal or entry is None:
            outcomes.append(Outcome(event.id, REJECTED, refusal))
        elif entry.status == EntryStatus.OUT or entry.pk in taken:
            outcomes.append(Outcome(event.id, STALE, "the player is out already"))
        else:
            if data.final_points is not None:
                apply_score(batch, entry, data.final_points, event.at)
            number = data.elimination_round
            number = batch.tournament.current_round if number is None else number
            out.append((entry, number, data.eliminated_at or event.at))
            taken.add(entry.pk)
            outcomes.append(Outcome(event.id, ACCEPTED))
    _put_out(batch, out)
    return outcomes


def _put_out(batch: Batch, out: Sequence[tuple[Entry, int, datetime]]) -> None:
    """Eliminate entries and end the tournament if that decides it."""
    if not out:
        return
    for entry, number, moment in sorted(out, key=_best_first, reverse=True):
        entry.eliminate(round_number=number, at=moment)
        position = batch.player_out()
        batch.change(entry, moves=True)
        batch.report(facts.eliminated(batch.tournament, entry, final_position=position, at=batch.at))
    batch.write()
    for entry, _, _ in out:
        engines.of(batch.tournament).moved(batch.tournament, entry, at=batch.at)
    running.complete_if_decided(batch.tournament, active=batch.active, actor=batch.actor, at=batch.at)


def _best_first(one: tuple[Entry, int, datetime]) -> tuple[object, ...]:
    """The ranking of operators.md 4.6 among players who go out together, a later round before all."""
    entry, number, _ = one
    reached = (entry.tie_break, entry.scored_at)
    return (-number, -entry.points, *reached, entry.entry_count, entry.registered_at, entry.player_id)


def share_to_drop(tournament: Tournament) -> Decimal | None:
    """Return the share of players that the server drops after each round, if it is the server who does.

    `config.serverEliminates` must be true and `config.eliminationRate` between 0 and 1: unless told so, the game
    decides and reports (operators.md 4.6).
    """
    if tournament.config.get("serverEliminates") is not True:
        return None
    rate = tournament.config.get("eliminationRate")
    if isinstance(rate, bool) or not isinstance(rate, int | float | Decimal):
        return None
    share = Decimal(str(rate))
    return share if 0 < share <= WHOLE_FIELD else None


def drop_lowest(batch: Batch, number: int, moment: datetime) -> None:
    """Put out floor(active x rate) of the lowest after a round, never the last one, and once per round.

    Does nothing when the game has reported eliminations of that round, or when the server isn't to decide.
    """
    share = share_to_drop(batch.tournament)
    if share is None:
        return
    batch.write()
    entries = Entry.objects.filter(tournament=batch.tournament)
    if entries.filter(elimination_round=number).exists():
        return
    drop = min(int(batch.active * share), batch.active - 1)
    if drop < 1:
        return
    # The tournament is held alone: nobody scores, leaves or comes back between the two looks.
    lowest = entries.filter(status=EntryStatus.IN).ranked().reverse().values_list("pk", flat=True)[:drop]
    locked = list(Entry.objects.filter(pk__in=list(lowest)).select_related("player").locked_for_update())
    for entry in locked:
        entry.tournament = batch.tournament
    _put_out(batch, [(entry, number, moment) for entry in locked])
