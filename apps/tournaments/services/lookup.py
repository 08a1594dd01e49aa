"""Find a tournament for reading: as the database has it now, without building the same object again and again."""

from django.db import connection

from apps.tournaments.models import Tournament
from apps.tournaments.services.tally import Totals

KEPT = 1_000

# A row's place and writer name this very version of it: every update makes another. All rows that an answer shows of.
# One small look-up each, because PostgreSQL would take longer to plan joins than to do all of this.
_VERSION = """
    SELECT ROW(t.ctid, t.xmin)::text,
           (SELECT ROW(o.ctid, o.xmin)::text FROM operators_operator o WHERE o.id = t.operator_id),
           (SELECT ROW(g.ctid, g.xmin)::text FROM operators_game g WHERE g.id = t.game_id),
           (SELECT ROW(a.ctid, a.xmin)::text FROM ledger_asset a WHERE a.id = t.asset_id),
           (SELECT ARRAY[sum(players), sum(active), sum(entries), sum(first_fee_units), sum(rebuy_units)]
              FROM tournaments_tally WHERE tournament_id = t.id)
      FROM tournaments_tournament t WHERE t.id = %s AND t.status <> 'DRAFT'
"""

_kept: dict[int, tuple[list[str], Tournament]] = {}


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
    *version, counts = row
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
    return kept[1], Totals(*(int(count or 0) for count in counts))
