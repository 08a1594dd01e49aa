"""The triggers behind the books (design.md 4.2 and 4.5)."""

import pgtrigger

# Runs once per statement that adds postings, over all of them. The look-ups are LATERAL … OFFSET 0 on purpose: the
# function's plans are made once per connection and kept, and a plan made for a batch of thousands (read all accounts,
# hash them) would be ruinous for the single posting that comes next. By index, one by one, suits both.
JOURNALS_BALANCE = """
    WITH legs AS MATERIALIZED (
        SELECT p.journal_id, p.leg, p.account_id, p.units, a.asset_id, a.bounded, a.slots, j.legs,
               COALESCE(a.operator_id = j.operator_id, FALSE) AS sound
          FROM added p
          LEFT JOIN LATERAL (SELECT asset_id, bounded, slots, operator_id
                               FROM ledger_account WHERE id = p.account_id OFFSET 0) a ON TRUE
          LEFT JOIN LATERAL (SELECT legs, operator_id
                               FROM ledger_journal WHERE id = p.journal_id OFFSET 0) j ON TRUE
    ), gained AS (
        -- What each account gains. A hot account takes it on the slot of this connection, so that writers seldom
        -- meet; a bounded hot account that loses must look at all its slots.
        SELECT g.account_id, g.units, g.bounded AND g.slots > 1 AND g.units < 0 AS drains,
               CASE WHEN g.bounded AND g.slots > 1 AND g.units < 0 THEN 0 ELSE pg_backend_pid() % g.slots END AS slot
          FROM (SELECT account_id, bounded, slots, SUM(units) AS units FROM legs
                 GROUP BY account_id, bounded, slots HAVING SUM(units) <> 0) g
    )
    SELECT (SELECT bool_and(sound) FROM legs),
           NOT EXISTS (SELECT 1 FROM legs GROUP BY journal_id, asset_id HAVING SUM(units) <> 0),
           NOT EXISTS (SELECT 1 FROM legs GROUP BY journal_id
                       HAVING COUNT(*) <> MAX(legs) OR MAX(leg) >= MAX(legs)),
           array_agg(account_id), array_agg(slot), array_agg(units), array_agg(account_id) FILTER (WHERE drains)
      INTO is_sound, is_balanced, is_whole, accounts, places, gains, drained
      FROM gained;

    -- 1. Every leg names an account and a journal of one operator (stands in for foreign keys, set by set).
    IF NOT is_sound THEN
        RAISE EXCEPTION 'a posting names no account or journal of its operator'
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'ledger_posting_names_its_own';
    END IF;
    -- 2. Every journal sums to zero per asset.
    IF NOT is_balanced THEN
        RAISE EXCEPTION 'a journal does not balance'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_journal_balances';
    END IF;
    -- 3. Every journal is written whole. With the unique (journal, leg), nothing can be added to it later.
    IF NOT is_whole THEN
        RAISE EXCEPTION 'a journal is written in one statement, with all its legs'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_journal_whole';
    END IF;

    -- 4. Lock in (account, slot) order, so that no two movements can deadlock, then move. Slots are born with their
    --    account, so a drained account has no slot that appears behind the lock.
    PERFORM 1 FROM unnest(accounts, places) AS d(account_id, slot)
      JOIN ledger_balance b ON b.account_id = d.account_id AND (b.slot = d.slot OR b.account_id = ANY(drained))
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
            ("is_sound", "boolean"),
            ("is_balanced", "boolean"),
            ("is_whole", "boolean"),
            ("accounts", "bigint[]"),
            ("places", "int[]"),
            ("gains", "numeric[]"),
            ("drained", "bigint[]"),
        ],
        func=JOURNALS_BALANCE,
    )


def slots_are_born(*, name: str) -> pgtrigger.Trigger:
    """Return the trigger that gives new accounts their empty slots."""
    return pgtrigger.Trigger(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        referencing=pgtrigger.Referencing(new="added"),
        func="""
            INSERT INTO ledger_balance (account_id, slot, bounded, units)
            SELECT a.id, place, a.bounded, 0 FROM added a CROSS JOIN LATERAL generate_series(0, a.slots - 1) AS place;
            RETURN NULL;
        """,
    )


def only_by_triggers(*, name: str) -> pgtrigger.Trigger:
    """Return the trigger that refuses every change of a table but those that other triggers make."""
    return pgtrigger.Trigger(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
        condition=pgtrigger.Condition("pg_trigger_depth() = 0"),
        func="RAISE EXCEPTION 'a balance is moved by postings only';",
    )
