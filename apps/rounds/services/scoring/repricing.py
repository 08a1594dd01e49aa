"""Have counted anew what changed exchange rates touch."""

from collections.abc import Sequence

from django.db import connection

_AFFECTED = """
    WITH changed AS (
        DELETE FROM rounds_ratechange WHERE operator_id = %(operator)s RETURNING since
    ), waiting AS (
        DELETE FROM rounds_unratedround WHERE operator_id = %(operator)s AND EXISTS (SELECT FROM changed)
           AND tournament_id = ANY (%(tournaments)s)
        RETURNING tournament_id, brand_id, player_ref, number
    ), affected AS (
        SELECT s.entry_id FROM rounds_score s JOIN rounds_rule u ON u.tournament_id = s.tournament_id
         WHERE u.tournament_id = ANY (%(tournaments)s) AND EXISTS (SELECT FROM changed)
           AND EXISTS (SELECT FROM rounds_round r
                        WHERE r.brand_id = s.brand_id AND r.player_ref = s.player_ref AND r.received_at >= u.since
                          AND r.occurred_at >= (SELECT min(since) FROM changed) AND r.currency <> u.base)
    ), asked AS (
        INSERT INTO rounds_recount (entry_id, operator_id)
        SELECT entry_id, %(operator)s FROM affected
        ON CONFLICT DO NOTHING
    )
    SELECT w.tournament_id, w.brand_id, w.player_ref
      FROM waiting w JOIN rounds_rule u ON u.tournament_id = w.tournament_id AND u.joins_by_playing
     WHERE NOT EXISTS (SELECT FROM rounds_score s WHERE (s.tournament_id, s.brand_id, s.player_ref) =
                                                        (w.tournament_id, w.brand_id, w.player_ref))
     GROUP BY 1, 2, 3 ORDER BY min(w.number)
"""


def affected(operator_id: int, held: Sequence[int]) -> list[tuple[int, int, str]]:
    """Have counted anew what new rates touch in these tournaments; return those whom they may make players."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM rounds_ratechange WHERE operator_id = %s)", [operator_id])
        if not cursor.fetchone()[0]:
            return []
        cursor.execute(_AFFECTED, {"operator": operator_id, "tournaments": list(held)})
        return [*cursor.fetchall()]
