"""Rooms against the books (design.md 4.9)."""

from collections.abc import Iterator

from apps.core.drift import Check, Drift, rows


def ended_rooms_hold_nothing(operator_id: int) -> Iterator[Drift]:
    """The escrow of a room that has ended is empty, in every asset."""
    query = """
        SELECT a.subject, s.code, SUM(b.units)
          FROM ledger_account a
          JOIN ledger_asset s ON s.id = a.asset_id
          JOIN ledger_balance b ON b.account_id = a.id
          JOIN rooms_room r ON a.subject = 'room:' || r.id AND r.status = 'ENDED'
         WHERE a.operator_id = %s AND a.kind = 'ESCROW'
         GROUP BY a.id, a.subject, s.code HAVING SUM(b.units) <> 0
         ORDER BY a.id
    """
    for subject, asset, units in rows(query, operator_id):
        yield Drift("rooms", subject, f"has ended and holds {units} base units of {asset}")


def rooms_hold_what_was_paid_and_not_earned(operator_id: int) -> Iterator[Drift]:
    """A room holds what players paid in, less what went to players, the game and the platform."""
    query = """
        SELECT e.subject, s.code, b.units, COALESCE(j.units, 0)
          FROM ledger_account e
          JOIN ledger_asset s ON s.id = e.asset_id
          JOIN LATERAL (SELECT SUM(units) AS units FROM ledger_balance WHERE account_id = e.id) b ON TRUE
          LEFT JOIN LATERAL (
                SELECT -SUM(p.units) AS units
                  FROM ledger_journal n
                  JOIN ledger_posting p ON p.journal_id = n.id
                  JOIN ledger_account a ON a.id = p.account_id AND a.asset_id = e.asset_id AND a.id <> e.id
                 WHERE n.operator_id = e.operator_id AND n.subject = e.subject) j ON TRUE
         WHERE e.operator_id = %s AND e.kind = 'ESCROW' AND e.subject LIKE 'room:%%'
           AND b.units <> COALESCE(j.units, 0)
         ORDER BY e.id
    """
    for subject, asset, held, paid in rows(query, operator_id):
        yield Drift("rooms", subject, f"{asset}: holds {held}, paid less earned is {paid}")


def tasks_are_about_rooms_of_their_game(operator_id: int) -> Iterator[Drift]:
    """Every task that did something names a room of its own game."""
    query = """
        SELECT t.public_id, t.room_id FROM rooms_task t
          LEFT JOIN rooms_room r ON r.id = t.room_id AND r.operator_id = t.operator_id AND r.game_id = t.game_id
         WHERE t.operator_id = %s AND t.room_id IS NOT NULL AND r.id IS NULL AND t.status <> 'FAILED'
         ORDER BY t.id
    """
    for task, room_id in rows(query, operator_id):
        yield Drift("rooms", f"task {task}", f"names room {room_id}, which its game has not")


CHECKS: tuple[Check, ...] = (
    ended_rooms_hold_nothing,
    rooms_hold_what_was_paid_and_not_earned,
    tasks_are_about_rooms_of_their_game,
)
