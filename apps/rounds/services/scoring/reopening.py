"""Look again at rounds that are in already, when a tournament opens at another moment than was known then.

A round is judged once, when it leaves the queue. One that was played between the moment that was planned and the one
that holds now was judged by the wrong one: its clock is ahead, or the start took effect while it was being counted.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from apps.rounds.models import Rule, Watch
from apps.rounds.services import watching
from apps.rounds.services.scoring import scorer, statements
from apps.tournaments.models import Tournament

# A round comes in after it was played, by the clock of who played it; clocks may be ahead by so much.
AHEAD = timedelta(minutes=5)
NEVER = "infinity"

# Those who are in are looked up one by one, in the index of the rounds of a player.
_TOUCHED = """
    WITH earlier AS (
        UPDATE rounds_score s SET since = %(opens)s FROM rounds_rule u
         WHERE s.tournament_id = %(tournament)s AND u.tournament_id = s.tournament_id AND u.joins_by_playing
           AND s.run = 1 AND s.since > %(opens)s
    )
    INSERT INTO rounds_recount (entry_id, operator_id)
    SELECT s.entry_id, %(operator)s
      FROM rounds_score s
     WHERE s.tournament_id = %(tournament)s
       AND EXISTS (SELECT FROM rounds_round r
                    WHERE r.brand_id = s.brand_id AND r.player_ref = s.player_ref AND r.received_at >= %(since)s
                      AND r.occurred_at >= %(first)s AND r.occurred_at < %(before)s)
    ON CONFLICT DO NOTHING
"""


def opens_of(tournament: Tournament) -> datetime | None:
    """Return from which moment on rounds count by their own time, as far as is known."""
    known = [moment for moment in (tournament.starts_at, tournament.started_at) if moment is not None]
    return min(known, default=None)


def opens_anew(tournament: Tournament, *, at: datetime) -> None:
    """Have counted anew, or entered, whom another opening touches; the caller holds the tournament alone.

    Costs next to nothing if it opens as planned. Players who join by playing are found if their clock, or that of their
    game, is no more than five minutes ahead.
    """
    watch = Watch.objects.filter(pk=tournament.pk).first()
    opens = opens_of(tournament)
    if watch is None or watch.opens_at == opens:
        return
    watching.reschedule(tournament.pk, opens_at=opens)
    first, *later = sorted(moment for moment in (watch.opens_at, opens) if moment is not None)
    rule = Rule.objects.get(pk=tournament.pk)
    given: dict[str, Any] = {
        "tournament": tournament.pk,
        "operator": tournament.operator_id,
        "opens": opens or NEVER,
        "since": rule.since,
        "received": first - AHEAD,
        "first": first,
        "before": later[0] if later else NEVER,
    }
    with connection.cursor() as cursor:
        cursor.execute(_TOUCHED, given)
        if first != opens or not rule.joins_by_playing:
            return
        cursor.execute(statements.JOINED_BEFORE, given)
        newcomers = cursor.fetchall()
    if newcomers:
        scorer.enter(newcomers, at=at)
