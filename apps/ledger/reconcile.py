"""The books against themselves (design.md 4.9). Every check reads one operator with a constant number of queries."""

from collections.abc import Iterator

from apps.core.drift import Check, Drift, rows
from apps.ledger.models import SettlementPlan
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
          JOIN (SELECT account_id, SUM(units) AS units FROM ledger_balance GROUP BY account_id) b ON b.account_id = a.id
          LEFT JOIN (SELECT account_id, SUM(units) AS units FROM ledger_posting GROUP BY account_id) p
            ON p.account_id = a.id
         WHERE a.operator_id = %s AND b.units <> COALESCE(p.units, 0)
         ORDER BY a.id
    """
    for kind, subject, asset, balance, posted in rows(query, operator_id):
        yield Drift("balances", f"{kind} {subject}".strip(), f"{asset}: balance {balance}, postings {posted}")


def journals_balance(operator_id: int) -> Iterator[Drift]:
    """Every journal sums to zero per asset and has its legs."""
    query = """
        SELECT j.key, s.code, SUM(p.units) FROM ledger_journal j
          LEFT JOIN ledger_posting p ON p.journal_id = j.id
          LEFT JOIN ledger_account a ON a.id = p.account_id
          LEFT JOIN ledger_asset s ON s.id = a.asset_id
         WHERE j.operator_id = %s
         GROUP BY j.id, j.key, s.code HAVING COALESCE(SUM(p.units), 1) <> 0
         ORDER BY j.id
    """
    for key, asset, units in rows(query, operator_id):
        yield Drift("journals", key, "no postings" if units is None else f"{asset} does not balance: {units}")


def paid_payouts_have_their_journal(operator_id: int) -> Iterator[Drift]:
    """What is marked paid was moved, by a journal of that amount from that account."""
    query = """
        SELECT y.key, y.units, p.units FROM ledger_payout y
          LEFT JOIN ledger_posting p ON p.journal_id = y.journal_id AND p.account_id = y.source_id
         WHERE y.operator_id = %s AND y.status = 'PAID' AND COALESCE(p.units, 0) <> -y.units
         ORDER BY y.id
    """
    for key, owed, moved in rows(query, operator_id):
        yield Drift("payouts", key, f"paid {owed}, but its journal moved {-(moved or 0)}")


def plans_are_as_frozen(operator_id: int) -> Iterator[Drift]:
    """The stored payouts of every plan are those that its digest was taken of."""
    for plan in SettlementPlan.objects.for_operator(operator_id).order_by("pk").iterator():
        try:
            plans.verify(plan)
        except plans.PlanChanged as changed:
            yield Drift("plans", f"{plan.kind} {plan.subject}", changed.message)


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
         WHERE a.operator_id = %s AND a.kind = 'HELD' AND b.units <> COALESCE(h.units, 0)
         ORDER BY a.id
    """
    for subject, asset, balance, held in rows(query, operator_id):
        yield Drift("holds", subject, f"{asset}: {balance} held, holds say {held}")


CHECKS: tuple[Check, ...] = (
    trial_balance_is_zero,
    balances_follow_postings,
    journals_balance,
    paid_payouts_have_their_journal,
    plans_are_as_frozen,
    holds_are_backed,
)
