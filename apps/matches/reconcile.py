"""Matches against the books: escrows, stakes, what was paid."""

from collections.abc import Iterator

from apps.core.drift import Check, Drift, rows


def escrows_hold_what_was_staked(operator_id: int) -> Iterator[Drift]:
    """The escrow of a match under way holds its pot; that of one that has ended holds nothing."""
    query = """
        SELECT m.public_id, m.status, COALESCE(b.units, 0), m.pot_units
          FROM matches_match m
          LEFT JOIN LATERAL (SELECT SUM(units) AS units FROM ledger_balance WHERE account_id = m.escrow_id) b ON TRUE
         WHERE m.operator_id = %s AND m.escrow_id IS NOT NULL
           AND COALESCE(b.units, 0) <> CASE WHEN m.status IN ('FINISHED', 'TIED', 'ABORTED') THEN 0 ELSE m.pot_units END
         ORDER BY m.id
    """
    for public_id, status, held, pot in rows(query, operator_id):
        expected = 0 if status in ("FINISHED", "TIED", "ABORTED") else pot
        yield Drift("match escrows", f"match:{public_id}", f"{status}: holds {held}, should hold {expected}")


def pots_are_the_stakes(operator_id: int) -> Iterator[Drift]:
    """From escrow on the pot is what was staked; once paid, the fee and what was paid add up to it."""
    query = """
        SELECT m.public_id, m.status, m.pot_units, p.stakes, m.fee_units + p.paid
          FROM matches_match m
          JOIN LATERAL (SELECT SUM(stake_units) AS stakes, SUM(paid_units) AS paid
                          FROM matches_participant WHERE match_id = m.id) p ON TRUE
         WHERE m.operator_id = %s AND m.escrowed_at IS NOT NULL
           AND (m.pot_units <> p.stakes
                OR m.fee_units + p.paid <> CASE WHEN m.status IN ('FINISHED', 'TIED', 'ABORTED') THEN m.pot_units
                                                ELSE 0 END)
         ORDER BY m.id
    """
    for public_id, status, pot, stakes, out in rows(query, operator_id):
        yield Drift("match pots", f"match:{public_id}", f"{status}: pot {pot}, stakes {stakes}, paid and fee {out}")


def reserves_end_with_the_match(operator_id: int) -> Iterator[Drift]:
    """A stake is set aside only while its match waits for confirmations."""
    query = """
        SELECT m.public_id, m.status, COUNT(*)
          FROM matches_match m
          JOIN matches_participant p ON p.match_id = m.id
          JOIN ledger_hold h ON h.id = p.hold_id
         WHERE m.operator_id = %s AND h.status = 'ACTIVE' AND m.status NOT IN ('INVITED', 'CONFIRMING')
         GROUP BY m.id, m.public_id, m.status
         ORDER BY m.id
    """
    for public_id, status, left in rows(query, operator_id):
        yield Drift("match reserves", f"match:{public_id}", f"{status}: {left} stakes are still set aside")


def paid_matches_have_their_journal(operator_id: int) -> Iterator[Drift]:
    """What a match says it paid is what its settlement journal took out of the escrow, and that one stands."""
    query = """
        SELECT m.public_id, m.status, m.pot_units, COALESCE(-j.units, 0), r.id IS NOT NULL
          FROM matches_match m
          LEFT JOIN LATERAL (SELECT SUM(units) AS units FROM ledger_posting
                              WHERE journal_id = m.settlement_id AND account_id = m.escrow_id) j ON TRUE
          LEFT JOIN ledger_journal r ON r.reverses_id = m.settlement_id
         WHERE m.operator_id = %s AND m.escrow_id IS NOT NULL AND m.status IN ('FINISHED', 'TIED', 'ABORTED')
           AND (COALESCE(-j.units, 0) <> m.pot_units OR r.id IS NOT NULL)
         ORDER BY m.id
    """
    for public_id, status, pot, out, reversed_ in rows(query, operator_id):
        detail = f"{status}: pot {pot}, its journal paid {out}" + (", and was reversed" if reversed_ else "")
        yield Drift("match settlements", f"match:{public_id}", detail)


CHECKS: tuple[Check, ...] = (
    escrows_hold_what_was_staked,
    pots_are_the_stakes,
    reserves_end_with_the_match,
    paid_matches_have_their_journal,
)
