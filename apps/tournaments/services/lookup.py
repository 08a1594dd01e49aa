"""Find a tournament for reading: as the database has it now, without building the same object again and again."""

from django.db import connection

from apps.tournaments.models import Tournament
from apps.tournaments.services.tally import Totals

KEPT = 1_000

# A row's place and writer name this very version of it: every update makes another. All rows that an answer shows of.
_VERSION = """
    SELECT ROW(t.ctid, t.xmin, o.ctid, o.xmin, g.ctid, g.xmin, a.ctid, a.xmin)::text, n.*
      FROM tournaments_tournament t
      JOIN operators_operator o ON o.id = t.operator_id
      JOIN operators_game g ON g.id = t.game_id
      JOIN ledger_asset a ON a.id = t.asset_id
     CROSS JOIN LATERAL (
           SELECT coalesce(sum(players), 0), coalesce(sum(active), 0), coalesce(sum(entries), 0),
                  coalesce(sum(first_fee_units), 0), coalesce(sum(rebuy_units), 0)
             FROM tournaments_tally WHERE tournament_id = t.id) n
     WHERE t.id = %s AND t.status <> 'DRAFT'
"""

_kept: dict[int, tuple[str, Tournament]] = {}


def tournament(operator_id: int, tournament_id: int) -> Tournament | None:
    """Return the operator's tournament with its operator, game and asset; None if it is another's or a draft.

    Never stale: each call asks which version of the rows is current. The object is shared by all who read that version,
    so nobody may change it; whoever writes locks the row and gets an object of their own.
    """
    found = standing(operator_id, tournament_id)
    return found[0] if found else None


def standing(operator_id: int, tournament_id: int) -> tuple[Tournament, Totals] | None:
    """Return the same with the tournament's running counts, for the same single question."""
    with connection.cursor() as cursor:
        cursor.execute(_VERSION, [tournament_id])
        row = cursor.fetchone()
    if row is None:
        return None
    version, *counts = row
    kept = _kept.get(tournament_id)
    if kept is None or kept[0] != version:
        # Read after its version, so it is that version or a newer one; then the next look finds another version.
        found = Tournament.objects.select_related("operator", "game", "asset").filter(pk=tournament_id).first()
        if found is None:
            return None
        if len(_kept) >= KEPT:
            _kept.clear()
        kept = _kept[tournament_id] = version, found
    if kept[1].operator_id != operator_id:
        return None
    return kept[1], Totals(*map(int, counts))
