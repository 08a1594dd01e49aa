"""Take a round back, and let a player begin anew (podium.md 3, rounds.md 5.2 and 8.10)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction

from apps.core.actors import Actor
from apps.core.errors import DomainError, NotFound
from apps.core.numbers import number
from apps.events.services import recording as events
from apps.rounds.models import Round, RoundKey, Run, Score, VoidedRound
from apps.rounds.services.intake import digest_of
from apps.rounds.services.scoring import aside, scorer
from apps.rounds.services.scoring.explaining import explain
from apps.tournaments import facts, scoring
from apps.tournaments.lifecycle import EntryStatus, TournamentStatus
from apps.tournaments.models import Entry, Tournament
from apps.tournaments.services import boards
from apps.tournaments.services.entries import PlayerNotActive, PlayerNotFound
from apps.tournaments.services.states import InvalidState


class RoundUnknown(NotFound):
    """There is no round of this id, or it is no longer kept."""

    code = "ROUND_UNKNOWN"


class ResetNotAllowed(DomainError):
    """The tournament does not allow to begin anew."""

    code = "RESET_NOT_ALLOWED"


@dataclass(frozen=True, slots=True)
class Voided:
    """What became of a void: how the player moved on each open board, and the tournaments that it came too late for.

    `moves` are as they are answered: tournamentId, pointsBefore, pointsAfter, rankBefore, rankAfter.
    """

    round_id: str
    voided_at: datetime
    moves: Sequence[dict[str, Any]]
    settled: Sequence[str]

    @property
    def too_late(self) -> bool:
        """Tell whether it counted only where results are fixed."""
        return bool(self.settled) and not self.moves


@transaction.atomic
def void(operator_id: int, *, integration: str, round_id: str, reason: str, actor: Actor, at: datetime) -> Voided:
    """Take a round out of every open board, for good; where results are fixed that is only recorded.

    Again it changes nothing and answers as the first time. Raises RoundUnknown.
    """
    found = _round(operator_id, integration, round_id)
    held = scorer.hold_alone(operator_id)
    voided = VoidedRound.objects.filter(pk=found.number).first()
    if voided is None:
        voided = VoidedRound(
            number=found.number,
            operator_id=operator_id,
            received_at=found.received_at,
            integration=integration,
            round_id=round_id,
            reason=reason,
            actor=str(actor),
            voided_at=at,
        )
        voided.outcome = _take_out(voided, _counting(found), held, actor=actor, at=at)
        voided.save(update_fields=["outcome"])
    return Voided(round_id, voided.voided_at, voided.outcome["moves"], voided.outcome["settled"])


def _round(operator_id: int, integration: str, round_id: str) -> Round:
    key = RoundKey.objects.filter(digest=digest_of(operator_id, integration, round_id)).first()
    rounds = Round.objects.for_operator(operator_id).filter(integration=integration, round_id=round_id)
    found: Round | None = rounds.filter(received_at=key.received_at).first() if key else None
    if found is None:
        raise RoundUnknown
    return found


def _counting(found: Round) -> list[Entry]:
    """Return the entries whose points hold the round."""
    mine = Score.objects.filter(brand=found.brand_id, player_ref=found.player_ref).order_by("tournament", "entry")
    entries = [score.entry for score in mine.select_related("entry__tournament")]
    return [
        entry
        for entry in entries
        if any(one.counted for one in explain(entry.tournament, entry, limit=1, number=found.number))
    ]


def _take_out(
    voided: VoidedRound, counting: Sequence[Entry], held: Sequence[int], *, actor: Actor, at: datetime
) -> dict[str, Any]:
    opened = [entry for entry in counting if entry.tournament_id in held]
    ranks = {entry.pk: boards.position_by_rows(entry) for entry in opened}
    voided.save(force_insert=True)
    aside.let_go(voided.number, at=at)
    done = scorer.Counted()
    scorer.count_anew([entry.pk for entry in opened], held, operator_id=voided.operator_id, at=at, done=done)
    transaction.on_commit(partial(scorer.tell_boards, done), robust=True)
    now = Entry.objects.select_related("tournament").in_bulk([entry.pk for entry in opened])
    moves = [
        {
            "tournamentId": str(entry.tournament_id),
            "pointsBefore": str(number(entry.points)),
            "pointsAfter": str(number(now[entry.pk].points)),
            "rankBefore": ranks[entry.pk],
            "rankAfter": boards.position_by_rows(now[entry.pk]),
        }
        for entry in opened
    ]
    settled = [str(entry.tournament_id) for entry in counting if entry.tournament_id not in held]
    told = {"roundId": voided.round_id, "reason": voided.reason, "moves": moves, "settled": settled}
    fact = events.NewFact(type="round.voided", subject=f"round:{voided.number}", data=told)
    events.record_many([fact], operator_id=voided.operator_id, actor=actor, at=at)
    return {"moves": moves, "settled": settled}


@transaction.atomic
def reset(entry_id: int, *, reason: str = "", by_staff: bool = False, actor: Actor, at: datetime) -> Entry:
    """Begin anew: no points, no rounds used; what had been reached stays on record as a run.

    Rounds count from now on by their own time. Only where the policy allows it, unless staff do it. Raises
    ResetNotAllowed, InvalidState, PlayerNotActive, PlayerNotFound.
    """
    entry: Entry | None = Entry.objects.select_related("tournament").filter(pk=entry_id).first()
    if entry is None or not Score.objects.filter(pk=entry_id).exists():
        raise PlayerNotFound
    held = scorer.hold_alone(entry.operator_id)
    tournament: Tournament = Tournament.objects.get(pk=entry.tournament_id)
    if tournament.status != TournamentStatus.RUNNING or tournament.pk not in held:
        raise InvalidState(status=tournament.status)
    if not by_staff and not scoring.read(tournament.scoring).allow_reset:
        raise ResetNotAllowed
    entry = Entry.objects.locked_for_update().select_related("player").get(pk=entry_id)
    if entry.status != EntryStatus.IN:
        raise PlayerNotActive(status=entry.status)
    score = Score.objects.select_for_update(no_key=True).get(pk=entry_id)
    Run.objects.create(
        entry=entry,
        number=score.run,
        points=entry.points,
        rounds=score.rounds,
        began_at=score.since,
        ended_at=at,
        reason=reason,
        actor=str(actor),
    )
    Score.objects.filter(pk=entry_id).update(run=score.run + 1, since=at)
    done = scorer.Counted()
    scorer.count_anew([entry_id], held, operator_id=entry.operator_id, at=at, done=done)
    transaction.on_commit(partial(scorer.tell_boards, done), robust=True)
    before = entry.points
    entry = Entry.objects.select_related("player", "tournament__asset").get(pk=entry_id)
    told = facts.score_adjusted(tournament, entry, before=before, reason=reason or "score reset")
    events.record_many([told], operator_id=entry.operator_id, actor=actor, at=at)
    return entry
