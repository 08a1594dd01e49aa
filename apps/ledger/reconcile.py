"""The books against themselves (design.md 4.9). Every check reads one operator with a constant number of queries."""

from collections.abc import Iterator

from apps.core.drift import Check, Drift, rows
from apps.ledger.services import plans, reports


def trial_balance_is_zero(operator_id: int) -> Iterator[Drift]:
    """Per asset, all balances sum to zero."""
    for asset, units in reports.out_of_balance(reports.trial_balance(operator_id)).items():
        yield Drift("trial balance", asset, f"{units} base units too much")


def balances_follow_postings(operator_id: int) -> Iterator[Drift]:
    """Every account's balance is the sum of its postings."""
    query = """
        SELECT a.kind, a.subject, s.code, b.units, COALESCE(p.units, 0)
          FROM ledger_account a
          JOIN ledger_asset s ON s.id = a.asset_id
          LEFT JOIN (SELECT x.account_id, SUM(x.units) AS units FROM ledger_balance x
                       JOIN ledger_account y ON y.id = x.account_id WHERE y.operator_id = %(operator)s
                      GROUP BY x.account_id) b ON b.account_id = a.id
          LEFT JOIN (SELECT x.account_id, SUM(x.units) AS units FROM ledger_posting x
                       JOIN ledger_account y ON y.id = x.account_id WHERE y.operator_id = %(operator)s
                      GROUP BY x.account_id) p ON p.account_id = a.id
         WHERE a.operator_id = %(operator)s AND b.units IS DISTINCT FROM COALESCE(p.units, 0)
         ORDER BY a.id
    """
    for kind, subject, asset, balance, posted in rows(query, operator_id):
        yield Drift("balances", f"{kind} {subject}".strip(), f"{asset}: balance {balance}, postings {posted}")


def journals_balance(operator_id: int) -> Iterator[Drift]:
    """Every journal sums to zero per asset and has its legs."""
    query = """
        SELECT j.key, j.legs, SUM(t.legs), STRING_AGG(s.code || ' by ' || t.units, ', ' ORDER BY s.code)
                                             FILTER (WHERE t.units <> 0)
          FROM ledger_journal j
          LEFT JOIN (SELECT p.journal_id, a.asset_id, COUNT(*) AS legs, SUM(p.units) AS units FROM ledger_posting p
                       JOIN ledger_account a ON a.id = p.account_id WHERE a.operator_id = %(operator)s
                      GROUP BY p.journal_id, a.asset_id) t ON t.journal_id = j.id
          LEFT JOIN ledger_asset s ON s.id = t.asset_id
         WHERE j.operator_id = %(operator)s
         GROUP BY j.id, j.key, j.legs
        HAVING COALESCE(SUM(t.legs), 0) <> j.legs OR BOOL_OR(t.units <> 0)
         ORDER BY j.id
    """
    for key, legs, found, off in rows(query, operator_id):
        yield Drift("journals", key, f"does not balance: {off}" if off else f"{found or 0} of {legs} legs")


def paid_payouts_have_their_journal(operator_id: int) -> Iterator[Drift]:
    """What is marked paid was moved, by a journal of that amount from that account."""
    query = """
        SELECT y.key, y.units, p.units FROM ledger_payout y
          LEFT JOIN ledger_posting p ON p.journal_id = y.journal_id AND p.account_id = y.source_id
         WHERE y.operator_id = %(operator)s AND y.status = 'PAID' AND COALESCE(p.units, 0) <> -y.units
         ORDER BY y.id
    """
    for key, owed, moved in rows(query, operator_id):
        yield Drift("payouts", key, f"paid {owed}, but its journal moved {-(moved or 0)}")


def plans_are_as_frozen(operator_id: int) -> Iterator[Drift]:
    """The stored payouts of every plan are those that its digest was taken of."""
    for plan in plans.changed(operator_id):
        yield Drift("plans", f"{plan.kind} {plan.subject}", "the stored payouts are not those that were frozen")


def what_is_owed_has_not_been_moved(operator_id: int) -> Iterator[Drift]:
    """No journal carries the key of a payout that still waits to be paid: somebody would be paid twice."""
    query = """
        SELECT y.key, y.status FROM ledger_openpayout o JOIN ledger_payout y ON y.id = o.payout_id
          JOIN ledger_journal j ON j.operator_id = y.operator_id AND j.key = y.key
         WHERE y.operator_id = %(operator)s ORDER BY y.id
    """
    for key, status in rows(query, operator_id):
        yield Drift("payouts", key, f"{status}, but its journal is posted")


def every_open_payout_is_in_the_queue(operator_id: int) -> Iterator[Drift]:
    """The list of open payouts is what their states say."""
    query = """
        SELECT y.key, y.status, o.status FROM ledger_payout y
          LEFT JOIN ledger_openpayout o ON o.plan_id = y.plan_id AND o.payout_id = y.id
         WHERE y.operator_id = %(operator)s
           AND o.status IS DISTINCT FROM
               CASE WHEN y.status IN ('PAID', 'NOT_ELIGIBLE') THEN NULL ELSE y.status END
         ORDER BY y.id
    """
    for key, status, listed in rows(query, operator_id):
        yield Drift("queue", key, f"{status}, listed as {listed or 'ended'}")


def confirmed_payouts_are_paid(operator_id: int) -> Iterator[Drift]:
    """What the operator has confirmed is paid in the books, and what is paid by its rail it has confirmed."""
    query = """
        SELECT y.key, y.status, a.number FROM ledger_remittance r
          JOIN ledger_payout y ON y.id = r.payout_id
          JOIN ledger_journal j ON j.id = y.journal_id
          LEFT JOIN ledger_callbackattempt a ON a.ref = r.ref AND a.status BETWEEN 200 AND 299
         WHERE r.operator_id = %(operator)s AND y.status = 'PAID' AND j.kind <> 'payout.outside' AND a.id IS NULL
         UNION ALL
        SELECT y.key, y.status, a.number FROM ledger_callbackattempt a
          JOIN ledger_remittance r ON r.ref = a.ref
          JOIN ledger_payout y ON y.id = r.payout_id
         WHERE a.operator_id = %(operator)s AND a.status BETWEEN 200 AND 299 AND y.status <> 'PAID'
         ORDER BY 1
    """
    for key, status, number in rows(query, operator_id):
        told = f"confirmed by try {number}, but {status}" if number else "paid, but nothing was confirmed"
        yield Drift("payouts", key, told)


def transfers_moved_what_they_say(operator_id: int) -> Iterator[Drift]:
    """Every deposit and withdrawal has moved its units on the wallet of its player."""
    query = """
        SELECT t.reference, CASE t.direction WHEN 'DEPOSIT' THEN t.units ELSE -t.units END, p.units
          FROM ledger_transfer t
          LEFT JOIN ledger_account a ON a.operator_id = t.operator_id AND a.kind = 'PLAYER'
                                    AND a.subject = 'player:' || t.player_id AND a.asset_id = t.asset_id
          LEFT JOIN ledger_posting p ON p.journal_id = t.journal_id AND p.account_id = a.id
         WHERE t.operator_id = %(operator)s
           AND p.units IS DISTINCT FROM CASE t.direction WHEN 'DEPOSIT' THEN t.units ELSE -t.units END
         ORDER BY t.id
    """
    for reference, said, moved in rows(query, operator_id):
        yield Drift("transfers", reference, f"says {said}, moved {moved or 0}")


def holds_are_backed(operator_id: int) -> Iterator[Drift]:
    """What is held of a player is the sum of their active holds."""
    query = """
        SELECT a.subject, s.code, b.units, COALESCE(h.units, 0)
          FROM ledger_account a
          JOIN ledger_asset s ON s.id = a.asset_id
          JOIN ledger_balance b ON b.account_id = a.id
          LEFT JOIN (SELECT player_id, asset_id, SUM(units) AS units FROM ledger_hold
                      WHERE status = 'ACTIVE' GROUP BY player_id, asset_id) h
            ON 'player:' || h.player_id = a.subject AND h.asset_id = a.asset_id
         WHERE a.operator_id = %(operator)s AND a.kind = 'HELD' AND b.units <> COALESCE(h.units, 0)
         ORDER BY a.id
    """
    for subject, asset, balance, held in rows(query, operator_id):
        yield Drift("holds", subject, f"{asset}: {balance} held, holds say {held}")


def payments_on_the_chain_are_held(operator_id: int) -> Iterator[Drift]:
    """A payment's hold stands from its signature to its end, and then is captured or released as that end says."""
    query = """
        SELECT t.public_id, t.status, h.status
          FROM ledger_chaintransaction t
          LEFT JOIN ledger_hold h ON h.id = t.hold_id
         WHERE t.operator_id = %s AND t.direction = 'INTO'
           AND h.status IS DISTINCT FROM CASE t.status WHEN 'SIGNED' THEN 'ACTIVE' WHEN 'SUBMITTED' THEN 'ACTIVE'
               WHEN 'FINAL' THEN 'CAPTURED' WHEN 'FAILED' THEN 'RELEASED' END
         ORDER BY t.id
    """
    for public_id, status, held in rows(query, operator_id):
        yield Drift("chain", str(public_id), f"{status}, its hold is {held or 'missing'}")


CHECKS: tuple[Check, ...] = (
    trial_balance_is_zero,
    balances_follow_postings,
    journals_balance,
    paid_payouts_have_their_journal,
    what_is_owed_has_not_been_moved,
    every_open_payout_is_in_the_queue,
    plans_are_as_frozen,
    confirmed_payouts_are_paid,
    transfers_moved_what_they_say,
    holds_are_backed,
    payments_on_the_chain_are_held,
)
