"""Containers, participants and the chain against the books (design.md 4.9)."""

from collections.abc import Iterator

from apps.core.drift import Check, Drift, rows


def containers_hold_what_is_inside(operator_id: int) -> Iterator[Drift]:
    """A container of its own holds its final deposits until they have left it, and then nothing."""
    query = """
        SELECT c.id, c.status, b.units, COALESCE(d.units, 0), o.status
          FROM rumble_container c
          LEFT JOIN rumble_rumbletournament r ON r.container_id = c.id
          LEFT JOIN ledger_chaintransaction o ON o.id = c.out_id
          JOIN LATERAL (SELECT SUM(units) AS units FROM ledger_balance WHERE account_id = c.escrow_id) b ON TRUE
          JOIN LATERAL (SELECT SUM(x.units) AS units FROM rumble_deposit x
                          JOIN ledger_chaintransaction t ON t.id = x.transaction_id
                         WHERE x.container_id = c.id AND t.status = 'FINAL') d ON TRUE
         WHERE c.operator_id = %s AND r.tournament_id IS NULL
           AND b.units <> CASE WHEN o.status = 'FINAL' THEN 0 ELSE COALESCE(d.units, 0) END
         ORDER BY c.id
    """
    for container_id, status, held, inside, out in rows(query, operator_id):
        expected = 0 if out == "FINAL" else inside
        yield Drift("containers", f"container:{container_id}", f"{status}: holds {held}, should hold {expected}")


def containers_end_empty(operator_id: int) -> Iterator[Drift]:
    """The escrow of a container that is resolved is empty, a tournament's too."""
    query = """
        SELECT c.id, b.units FROM rumble_container c
          JOIN LATERAL (SELECT SUM(units) AS units FROM ledger_balance WHERE account_id = c.escrow_id) b ON TRUE
         WHERE c.operator_id = %s AND c.status = 'resolved' AND b.units <> 0
         ORDER BY c.id
    """
    for container_id, held in rows(query, operator_id):
        yield Drift("containers", f"container:{container_id}", f"resolved, but holds {held}")


def participants_are_entries(operator_id: int) -> Iterator[Drift]:
    """Every active participant has an entry that paid what their payment moved, and every entry a participant."""
    query = """
        SELECT r.tournament_id, e.id, e.paid_units, p.id, COALESCE(t.units, 0), t.status
          FROM rumble_rumbletournament r
          JOIN tournaments_entry e ON e.tournament_id = r.tournament_id AND e.status <> 'WITHDRAWN'
          LEFT JOIN rumble_participant p ON p.entry_id = e.id AND p.status = 'ACTIVE'
          LEFT JOIN ledger_chaintransaction t ON t.id = p.transaction_id
         WHERE r.operator_id = %s
           AND (p.id IS NULL OR e.paid_units <> COALESCE(t.units, 0) OR COALESCE(t.status, 'FINAL') <> 'FINAL')
         ORDER BY r.tournament_id, e.id
    """
    for tournament_id, entry_id, paid, participant, units, status in rows(query, operator_id):
        what = "no active participant" if participant is None else f"paid {paid}, payment {units} {status}"
        yield Drift("participants", f"tournament:{tournament_id}", f"entry {entry_id}: {what}")


CHECKS: tuple[Check, ...] = (containers_hold_what_is_inside, containers_end_empty, participants_are_entries)
