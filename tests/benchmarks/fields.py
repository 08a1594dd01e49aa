"""Large fields of players, written by bare SQL, and the numbers that a benchmark prints."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psutil
from django.db import connection, transaction

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.tournaments.models import Tournament
from apps.tournaments.services import creation, running
from tests.factories import GAME, OperatorFactory

# Far enough back that no sweep looks at it.
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def open_tournament(operator=None, **wishes) -> Tournament:
    """A tournament that takes registrations now, free of charge unless told otherwise."""
    at = clock.now()
    plan = {"name": "Benchmark", "game_slug": GAME, "starts_at": at + timedelta(days=1)} | wishes
    made = creation.create_tournament(
        creation.NewTournament(**plan), operator=operator or OperatorFactory(), actor=SYSTEM, at=at
    )
    return Tournament.objects.select_related("operator").get(pk=made.pk)


def start(tournament: Tournament) -> Tournament:
    """Start it; a field without players would be cancelled."""
    running.start(tournament.pk, actor=SYSTEM, at=clock.now())
    return Tournament.objects.get(pk=tournament.pk)


def fill(tournament: Tournament, players: int, *, out_every: int = 0) -> None:
    """Enter players with points between 0 and 100,000, many of them equal; every so manieth is eliminated."""
    with transaction.atomic(), connection.cursor() as cursor:
        # What is written here is right: no need to look up every foreign key of a million rows.
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            """
            WITH people AS (
              INSERT INTO operators_player (operator_id, brand_id, external_id, display_name, eos_id, block_kind,
                                            block_reason, created_at)
              SELECT %(operator)s, (SELECT min(id) FROM operators_brand WHERE operator_id = %(operator)s),
                     'bench-' || %(tournament)s || '-' || n, 'Player ' || n, '', '', '', %(at)s
                FROM generate_series(1, %(players)s) n
              RETURNING id, display_name)
            INSERT INTO tournaments_entry (operator_id, tournament_id, player_id, attempt, display_name, payment_id,
                   entry_count, paid_units, points, scored_at, score_version, status, current_group, registered_at,
                   changed_at, elimination_round, eliminated_at)
            SELECT %(operator)s, %(tournament)s, id, 1, display_name, '', 1 + id %% 3, 0,
                   round((random() * 100000)::numeric, (id %% 3)::integer),
                   %(at)s + random() * interval '10 days', 1,
                   CASE WHEN %(every)s > 0 AND id %% %(every)s = 0 THEN 'OUT' ELSE 'IN' END, '',
                   %(at)s + random() * interval '1 day', %(at)s + random() * interval '10 days',
                   CASE WHEN %(every)s > 0 AND id %% %(every)s = 0 THEN 1 + id %% 5 END,
                   CASE WHEN %(every)s > 0 AND id %% %(every)s = 0 THEN %(at)s END
              FROM people
            """,
            {
                "operator": tournament.operator_id,
                "tournament": tournament.pk,
                "players": players,
                "every": out_every or -1,
                "at": LONG_AGO,
            },
        )
        cursor.execute(
            """
            UPDATE tournaments_tally t
               SET players = t.players + n.players, active = t.active + n.active, entries = t.entries + n.entries
              FROM (SELECT count(*) AS players, count(*) FILTER (WHERE status = 'IN') AS active,
                           sum(entry_count) AS entries
                      FROM tournaments_entry WHERE tournament_id = %(id)s) n
             WHERE t.tournament_id = %(id)s AND t.slot = 0
            """,
            {"id": tournament.pk},
        )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE tournaments_entry")
        cursor.execute("ANALYZE operators_player")


def percentiles(seconds: Sequence[float]) -> str:
    """The usual numbers in milliseconds."""
    ordered = sorted(seconds)

    def at(share: float) -> float:
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    return f"p50 {at(0.5):.2f} ms, p90 {at(0.9):.2f} ms, p99 {at(0.99):.2f} ms, worst {1000 * ordered[-1]:.1f} ms"


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print how long it took."""
    begun = time.perf_counter()
    yield
    print(f"  {what}: {time.perf_counter() - begun:.2f} s", flush=True)


def others() -> str:
    """How busy the machine is with anything else, because that is in every number."""
    busy = psutil.cpu_percent(interval=1)
    return (
        f"the machine is {busy:.0f} % busy before this begins, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
