"""Count whole tournaments anew and compare: the running scores are to be what all stored rounds come to."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction

from apps.rounds.models import RateChange, Recount, Score
from apps.rounds.services.scoring import scorer
from apps.tournaments.models import Tournament

CHUNK = 1_000
COMPARED = (
    "rounds", "total", "weight", "best", "tail", "moved_at", "newest_at", "newest", "arrived", "currency", "game_id",
    "entry__points", "entry__scored_at", "entry__tie_break",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Difference:
    """An entry whose score is not what its rounds come to, and what differs: was, should be."""

    entry_id: int
    fields: Mapping[str, tuple[Any, Any]]


@dataclass(slots=True)
class Recounted:
    """A tournament that was counted anew."""

    tournament_id: int
    entries: int = 0
    differences: list[Difference] = field(default_factory=list)


def recount(tournament_id: int, *, check: bool, at: datetime) -> Recounted:
    """Count every entry anew, a thousand a transaction, and say what differed; with `check` nothing is changed.

    The points of a tournament that has ended are fixed: it is only ever checked. Rounds whose partition has been let go
    are counted no more, so don't do this to tournaments older than that.
    """
    tournament = Tournament.objects.get(pk=tournament_id)
    done = Recounted(tournament_id)
    after = 0
    while True:
        scores = Score.objects.filter(tournament=tournament, entry__gt=after).order_by("entry")
        some = list(scores.values_list("entry_id", flat=True)[:CHUNK])
        if not some:
            return done
        with transaction.atomic():
            done.differences += _recount(tournament, some, check=check, at=at)
        done.entries += len(some)
        after = some[-1]


def _recount(tournament: Tournament, entry_ids: Sequence[int], *, check: bool, at: datetime) -> Iterator[Difference]:
    held = scorer.hold_alone(tournament.operator_id)
    check = check or tournament.pk not in held
    before = _standing(entry_ids)
    counted = scorer.Counted()
    mark = transaction.savepoint()
    scorer.count_anew(entry_ids, [tournament.pk], operator_id=tournament.operator_id, at=at, done=counted)
    after = _standing(entry_ids)
    if check:
        transaction.savepoint_rollback(mark)
    else:
        transaction.savepoint_commit(mark)
        transaction.on_commit(partial(scorer.tell_boards, counted), robust=True)
    waiting = _about_to_change(tournament, entry_ids)
    for entry_id in counted.failed:
        yield Difference(entry_id, {"recount": ("", "can't be counted anew; see what was set aside, or the log")})
    for entry_id, was in before.items():
        if entry_id in waiting or entry_id in counted.failed:
            continue
        fields = {name: (was[name], now) for name, now in after[entry_id].items() if was[name] != now}
        if fields:
            yield Difference(entry_id, fields)


def _about_to_change(tournament: Tournament, entry_ids: Sequence[int]) -> set[int]:
    """Return those that are to be counted anew anyway, by request or because a rate is another one now."""
    if RateChange.objects.filter(operator_id=tournament.operator_id).exists():
        return set(entry_ids)
    return set(Recount.objects.filter(entry__in=entry_ids).values_list("entry_id", flat=True))


def _standing(entry_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    rows = Score.objects.filter(entry__in=entry_ids).values("entry_id", *COMPARED)
    return {row.pop("entry_id"): row for row in rows}
