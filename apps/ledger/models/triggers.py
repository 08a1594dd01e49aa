"""The trigger behind the books (design.md 4.2 and 4.5)."""

import pgtrigger

JOURNALS_BALANCE = """
    -- 1. Every leg names an account and a journal of one operator (stands in for foreign keys, set by set).
    IF EXISTS (
        SELECT 1 FROM added p
        LEFT JOIN ledger_account a ON a.id = p.account_id
        LEFT JOIN ledger_journal j ON j.id = p.journal_id
        WHERE a.operator_id IS DISTINCT FROM j.operator_id OR a.operator_id IS NULL
    ) THEN
        RAISE EXCEPTION 'a posting names no account or journal of its operator'
            USING ERRCODE = 'foreign_key_violation';
    END IF;

    -- 2. Every journal sums to zero per asset.
    IF EXISTS (
        SELECT 1 FROM added p JOIN ledger_account a ON a.id = p.account_id
        GROUP BY p.journal_id, a.asset_id HAVING SUM(p.units) <> 0
    ) THEN
        RAISE EXCEPTION 'a journal does not balance'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_journal_balances';
    END IF;

    -- 3. What each account gains. A hot account takes it on the slot of this connection, so that writers seldom meet;
    --    a bounded hot account that loses must look at all its slots.
    SELECT array_agg(d.account_id ORDER BY d.account_id), array_agg(d.slot ORDER BY d.account_id),
           array_agg(d.units ORDER BY d.account_id),
           array_agg(d.account_id) FILTER (WHERE d.bounded AND d.slots > 1 AND d.units < 0)
      INTO accounts, places, gains, drained
      FROM (SELECT a.id AS account_id, a.bounded, a.slots, SUM(p.units) AS units,
                   CASE WHEN a.bounded AND a.slots > 1 AND SUM(p.units) < 0 THEN 0
                        ELSE pg_backend_pid() % a.slots END AS slot
              FROM added p JOIN ledger_account a ON a.id = p.account_id
             GROUP BY a.id HAVING SUM(p.units) <> 0) d;

    -- 4. Lock in (account, slot) order, so that no two movements can deadlock, then move. Slots are born with their
    --    account, so a drained account has no slot that appears behind the lock.
    PERFORM 1 FROM ledger_balance b JOIN unnest(accounts, places) AS d(account_id, slot) ON d.account_id = b.account_id
      WHERE b.slot = d.slot OR b.account_id = ANY(drained)
      ORDER BY b.account_id, b.slot FOR NO KEY UPDATE OF b;
    IF drained IS NOT NULL THEN
        UPDATE ledger_balance b
           SET units = CASE WHEN b.slot = 0 THEN t.units ELSE 0 END
          FROM (SELECT account_id, SUM(units) AS units FROM ledger_balance
                 WHERE account_id = ANY(drained) GROUP BY account_id) t
         WHERE b.account_id = t.account_id AND (b.slot = 0 OR b.units <> 0);
    END IF;
    UPDATE ledger_balance b SET units = b.units + d.units
      FROM unnest(accounts, places, gains) AS d(account_id, slot, units)
     WHERE b.account_id = d.account_id AND b.slot = d.slot;
    RETURN NULL;
"""


def journals_balance(*, name: str) -> pgtrigger.Trigger:
    """Return the statement-level trigger that checks journals and moves balances."""
    return pgtrigger.Trigger(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        referencing=pgtrigger.Referencing(new="added"),
        declare=[
            ("accounts", "bigint[]"),
            ("places", "int[]"),
            ("gains", "numeric[]"),
            ("drained", "bigint[]"),
        ],
        func=JOURNALS_BALANCE,
    )


def slots_are_born(*, name: str) -> pgtrigger.Trigger:
    """Return the trigger that gives a new account its empty slots."""
    return pgtrigger.Trigger(
        name=name,
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        func="""
            INSERT INTO ledger_balance (account_id, slot, bounded, units)
            SELECT NEW.id, place, NEW.bounded, 0 FROM generate_series(0, NEW.slots - 1) AS place;
            RETURN NULL;
        """,
    )
