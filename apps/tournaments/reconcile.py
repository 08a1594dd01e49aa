"""Tournaments against the books: entries, tallies, escrows."""

from collections.abc import Iterator

from apps.core.drift import Check, Drift, rows

LABELS = ("players", "active", "entries", "money")


def tallies_count_the_entries(operator_id: int) -> Iterator[Drift]:
    """The running counts of every tournament are those of its entries."""
    query = """
        SELECT t.id, t.name, c.players, c.active, c.entries, c.money, e.players, e.active, e.entries, e.money
          FROM tournaments_tournament t
          JOIN LATERAL (
                SELECT SUM(players) AS players, SUM(active) AS active, SUM(entries) AS entries,
                       SUM(first_fee_units + rebuy_units) AS money
                  FROM tournaments_tally WHERE tournament_id = t.id) c ON TRUE
          JOIN LATERAL (
                SELECT COUNT(*) AS players, COUNT(*) FILTER (WHERE status = 'IN') AS active,
                       COALESCE(SUM(entry_count), 0) AS entries, COALESCE(SUM(paid_units), 0) AS money
                  FROM tournaments_entry WHERE tournament_id = t.id AND status <> 'WITHDRAWN') e ON TRUE
         WHERE t.operator_id = %s
           AND (c.players, c.active, c.entries, c.money) IS DISTINCT FROM (e.players, e.active, e.entries, e.money)
         ORDER BY t.id
    """
    for tournament_id, name, *counts in rows(query, operator_id):
        told = [
            f"{label} {counts[i]} ≠ {counts[i + 4]}" for i, label in enumerate(LABELS) if counts[i] != counts[i + 4]
        ]
        yield Drift("tallies", f"tournament:{tournament_id} {name}", f"tally ≠ entries: {', '.join(told)}")


def escrows_hold_what_was_paid(operator_id: int) -> Iterator[Drift]:
    """An open tournament's escrow holds its entries; one that has ended holds nothing."""
    query = """
        SELECT t.id, t.name, t.status, b.units, e.money
          FROM tournaments_tournament t
          JOIN LATERAL (SELECT SUM(units) AS units FROM ledger_balance WHERE account_id = t.escrow_id) b ON TRUE
          JOIN LATERAL (SELECT COALESCE(SUM(paid_units), 0) AS money FROM tournaments_entry
                         WHERE tournament_id = t.id AND status <> 'WITHDRAWN') e ON TRUE
         WHERE t.operator_id = %s AND t.status NOT IN ('SETTLING', 'REFUNDING', 'FAILED')
           AND b.units <> CASE WHEN t.status IN ('CLOSED', 'CANCELED') THEN 0 ELSE e.money END
         ORDER BY t.id
    """
    for tournament_id, name, status, held, paid in rows(query, operator_id):
        expected = 0 if status in ("CLOSED", "CANCELED") else paid
        yield Drift("escrows", f"tournament:{tournament_id} {name}", f"{status}: holds {held}, should hold {expected}")


def ended_tournaments_paid_everybody(operator_id: int) -> Iterator[Drift]:
    """No payout of a closed or cancelled tournament is still open, and each has its plan."""
    query = """
        SELECT t.id, t.name, COUNT(y.id) FILTER (WHERE y.status NOT IN ('PAID', 'NOT_ELIGIBLE')), COUNT(DISTINCT p.id)
          FROM tournaments_tournament t
          LEFT JOIN ledger_settlementplan p ON p.operator_id = t.operator_id AND p.subject = 'tournament:' || t.id
          LEFT JOIN ledger_payout y ON y.plan_id = p.id
         WHERE t.operator_id = %s AND t.status IN ('CLOSED', 'CANCELED')
         GROUP BY t.id, t.name
        HAVING COUNT(y.id) FILTER (WHERE y.status NOT IN ('PAID', 'NOT_ELIGIBLE')) > 0 OR COUNT(DISTINCT p.id) <> 1
         ORDER BY t.id
    """
    for tournament_id, name, left, frozen in rows(query, operator_id):
        yield Drift("payouts", f"tournament:{tournament_id} {name}", f"{left} payouts open, {frozen} plans")


def buy_ins_became_what_they_say(operator_id: int) -> Iterator[Drift]:
    """A buy-in that was paid is an entry of that worth, and what an operator confirmed is no longer open."""
    query = """
        SELECT b.tournament_id, b.ref, b.status, b.units, e.paid_units, FALSE
          FROM tournaments_buyin b LEFT JOIN tournaments_entry e ON e.id = b.entry_id AND e.player_id = b.player_id
         WHERE b.operator_id = %(operator)s AND b.status = 'JOINED' AND COALESCE(e.paid_units, 0) < b.units
         UNION ALL
        SELECT b.tournament_id, b.ref, b.status, b.units, NULL, TRUE
          FROM tournaments_buyin b JOIN ledger_callbackattempt a ON a.ref = b.ref AND a.status BETWEEN 200 AND 299
         WHERE b.operator_id = %(operator)s AND b.status NOT IN ('JOINED', 'RETURNED')
         ORDER BY 1, 2
    """
    for tournament_id, ref, status, units, paid, confirmed in rows(query, operator_id):
        told = f"confirmed, but {status}" if confirmed else f"took {units}, the entry has {paid or 0}"
        yield Drift("buy-ins", f"tournament:{tournament_id} {ref}", told)


def seats_are_all_there(operator_id: int) -> Iterator[Drift]:
    """In a limited tournament players, seats kept for buy-ins, and free seats make up the maximum."""
    query = """
        SELECT t.id, t.name, t.max_players, c.players, c.free, h.held
          FROM tournaments_tournament t
          JOIN LATERAL (SELECT SUM(players) AS players, SUM(seats_free) AS free
                          FROM tournaments_tally WHERE tournament_id = t.id) c ON TRUE
          JOIN LATERAL (SELECT COUNT(*) AS held FROM tournaments_buyin
                         WHERE tournament_id = t.id AND status IN ('PENDING', 'UNKNOWN')) h ON TRUE
         WHERE t.operator_id = %(operator)s AND t.max_players IS NOT NULL
           AND t.max_players <> c.players + c.free + h.held
         ORDER BY t.id
    """
    for tournament_id, name, most, players, free, held in rows(query, operator_id):
        told = f"{players} players, {held} seats kept and {free} free are not {most}"
        yield Drift("seats", f"tournament:{tournament_id} {name}", told)


CHECKS: tuple[Check, ...] = (
    tallies_count_the_entries,
    escrows_hold_what_was_paid,
    ended_tournaments_paid_everybody,
    buy_ins_became_what_they_say,
    seats_are_all_there,
)
