"""The triggers behind the books (design.md 4.2 and 4.5)."""

import pgtrigger

# What a statement has added or changed, as a table. The library leaves this class without types.
ADDED = pgtrigger.Referencing(new="added")  # type: ignore[no-untyped-call]
CHANGED = pgtrigger.Referencing(new="changed")  # type: ignore[no-untyped-call]

# Runs once per statement that adds postings, over all of them. The look-ups are LATERAL … OFFSET 0 on purpose: the
# function's plans are made once per connection and kept, and a plan made for a batch of thousands (read all accounts,
# hash them) would be ruinous for the single posting that comes next. By index, one by one, suits both; each account
# and each journal is looked up once.
JOURNALS_BALANCE = """
    -- 1. What each account gains. A hot account takes it on the slot of this connection, so that writers seldom meet;
    --    a bounded hot account that loses must look at all its slots.
    SELECT bool_and(g.operator_id IS NOT NULL),
           MIN(g.operator_id), MAX(g.operator_id), MIN(g.asset_id), MAX(g.asset_id),
           array_agg(g.account_id), array_agg(g.units),
           array_agg(CASE WHEN g.drains THEN 0 ELSE pg_backend_pid() % g.slots END),
           array_agg(g.account_id) FILTER (WHERE g.drains)
      INTO known, first_operator, last_operator, first_asset, last_asset, accounts, gains, places, drained
      FROM (SELECT s.account_id, s.units, a.operator_id, a.asset_id, a.slots,
                   a.bounded AND a.slots > 1 AND s.units < 0 AS drains
              FROM (SELECT account_id, SUM(units) AS units FROM added GROUP BY account_id) s
              LEFT JOIN LATERAL (SELECT operator_id, asset_id, slots, bounded
                                   FROM ledger_account WHERE id = s.account_id OFFSET 0) a ON TRUE) g;
    IF accounts IS NULL THEN
        RETURN NULL;  -- nothing was added
    END IF;

    -- 2. Every journal is there, sums to zero, and is written whole: with the unique (journal, leg), nothing can be
    --    added to it later.
    SELECT bool_and(COALESCE(j.operator_id = first_operator, FALSE)), bool_and(s.units = 0),
           bool_and(s.legs = j.legs AND s.last_leg < j.legs)
      INTO owned, balanced, complete
      FROM (SELECT journal_id, SUM(units) AS units, COUNT(*) AS legs, MAX(leg) AS last_leg
              FROM added GROUP BY journal_id) s
      LEFT JOIN LATERAL (SELECT operator_id, legs FROM ledger_journal WHERE id = s.journal_id OFFSET 0) j ON TRUE;

    -- 3. The same with more than one asset, or operator, in play: look at every leg. Almost never.
    IF known AND first_operator <> last_operator THEN
        owned := NOT EXISTS (
            SELECT 1 FROM added p LEFT JOIN ledger_journal j ON j.id = p.journal_id
              JOIN ledger_account a ON a.id = p.account_id WHERE j.operator_id IS DISTINCT FROM a.operator_id);
    END IF;
    IF balanced AND first_asset <> last_asset THEN
        balanced := NOT EXISTS (
            SELECT 1 FROM added p JOIN ledger_account a ON a.id = p.account_id
             GROUP BY p.journal_id, a.asset_id HAVING SUM(p.units) <> 0);
    END IF;

    IF NOT (known AND owned) THEN  -- stands in for foreign keys, set by set
        RAISE EXCEPTION 'a posting names no account or journal of its operator'
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'ledger_posting_names_its_own';
    END IF;
    IF NOT balanced THEN
        RAISE EXCEPTION 'a journal does not balance'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_journal_balances';
    END IF;
    IF NOT complete THEN
        RAISE EXCEPTION 'a journal is written in one statement, with all its legs'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_journal_whole';
    END IF;

    -- 4. Lock in (account, slot) order, so that no two movements can deadlock, then move. Slots are born with their
    --    account, so a drained account has no slot that appears behind the lock. An account that gains nothing on
    --    balance is left alone.
    PERFORM 1 FROM unnest(accounts, places, gains) AS d(account_id, slot, units)
      JOIN ledger_balance b ON b.account_id = d.account_id AND (b.slot = d.slot OR b.account_id = ANY(drained))
     WHERE d.units <> 0
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
     WHERE b.account_id = d.account_id AND b.slot = d.slot AND d.units <> 0;
    RETURN NULL;
"""


def journals_balance(*, name: str) -> pgtrigger.Trigger:
    """Return the statement-level trigger that checks journals and moves balances."""
    return pgtrigger.Trigger(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        referencing=ADDED,
        declare=[
            ("known", "boolean"),
            ("owned", "boolean"),
            ("balanced", "boolean"),
            ("complete", "boolean"),
            ("first_operator", "bigint"),
            ("last_operator", "bigint"),
            ("first_asset", "bigint"),
            ("last_asset", "bigint"),
            ("accounts", "bigint[]"),
            ("places", "int[]"),
            ("gains", "numeric[]"),
            ("drained", "bigint[]"),
        ],
        func=JOURNALS_BALANCE,
    )


def slots_are_born(*, name: str) -> pgtrigger.Trigger:
    """Return the trigger that gives new accounts their empty slots.

    It also stands in for the foreign keys of accounts, which would lock the operator's row for every new wallet.
    """
    return pgtrigger.Trigger(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        referencing=ADDED,
        func="""
            IF EXISTS (SELECT 1 FROM (SELECT DISTINCT operator_id, asset_id FROM added) a
                         LEFT JOIN ledger_asset s ON s.id = a.asset_id
                        WHERE s.operator_id IS DISTINCT FROM a.operator_id) THEN
                RAISE EXCEPTION 'an account in no asset of its operator'
                    USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'ledger_account_asset_is_its_operators';
            END IF;
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
        func="RAISE EXCEPTION '% is changed by its triggers only', TG_TABLE_NAME;",
    )


def open_payouts_follow() -> tuple[pgtrigger.Trigger, ...]:
    """Return the triggers that keep the list of payouts that have not ended, set by set."""
    return (
        pgtrigger.Trigger(
            name="open_payouts_begin",
            level=pgtrigger.Statement,
            when=pgtrigger.After,
            operation=pgtrigger.Insert,
            referencing=ADDED,
            func="""
                INSERT INTO ledger_openpayout (plan_id, payout_id, status, due_at, rail)
                SELECT plan_id, id, status, next_attempt_at,
                       CASE WHEN rail IN ('WALLET', 'CLEARING') THEN '' ELSE rail END
                  FROM added WHERE status NOT IN ('PAID', 'NOT_ELIGIBLE');
                RETURN NULL;
            """,
        ),
        pgtrigger.Trigger(
            name="open_payouts_move_on",
            level=pgtrigger.Statement,
            when=pgtrigger.After,
            operation=pgtrigger.Update,
            referencing=CHANGED,
            func="""
                DELETE FROM ledger_openpayout o USING changed c
                 WHERE o.plan_id = c.plan_id AND o.payout_id = c.id AND c.status IN ('PAID', 'NOT_ELIGIBLE');
                UPDATE ledger_openpayout o SET status = c.status, due_at = c.next_attempt_at FROM changed c
                 WHERE o.plan_id = c.plan_id AND o.payout_id = c.id AND c.status NOT IN ('PAID', 'NOT_ELIGIBLE')
                   AND (o.status, o.due_at) IS DISTINCT FROM (c.status, c.next_attempt_at);
                RETURN NULL;
            """,
        ),
    )
