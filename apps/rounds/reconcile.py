"""Scores against the rounds that they are made of."""

from collections.abc import Iterator

from apps.core import clock
from apps.core.drift import Check, Drift, rows
from apps.rounds.models import Watch
from apps.rounds.services.scoring import recounting


def entries_have_scores(operator_id: int) -> Iterator[Drift]:
    """Everybody who is in a tournament that is scored by rounds has a score."""
    query = """
        SELECT t.id, t.name, count(*)
          FROM tournaments_tournament t
          JOIN tournaments_entry e ON e.tournament_id = t.id AND e.status <> 'WITHDRAWN'
         WHERE t.operator_id = %s AND t.scoring_source = 'ROUNDS'
           AND NOT EXISTS (SELECT FROM rounds_score s WHERE s.entry_id = e.id)
         GROUP BY t.id, t.name ORDER BY t.id
    """
    for tournament_id, name, missing in rows(query, operator_id):
        yield Drift("scores", f"tournament:{tournament_id} {name}", f"{missing} entries without a score")


def scores_are_what_rounds_come_to(operator_id: int) -> Iterator[Drift]:
    """The running scores of open tournaments are what all their stored rounds come to."""
    for tournament_id in Watch.objects.filter(operator=operator_id).order_by("pk").values_list("pk", flat=True):
        done = recounting.recount(tournament_id, check=True, at=clock.now())
        for one in done.differences:
            fields = ", ".join(f"{name} {was} ≠ {now}" for name, (was, now) in sorted(one.fields.items()))
            yield Drift("scores", f"tournament:{tournament_id}", f"entry {one.entry_id}: {fields}")


CHECKS: tuple[Check, ...] = (entries_have_scores, scores_are_what_rounds_come_to)
