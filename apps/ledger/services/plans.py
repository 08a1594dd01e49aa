"""Everything that is done with plans and payouts, under one name.

`freezing` computes nothing and stores once, `payments` pays set by set, `decisions` is what staff say about it. What
goes to the operator's payout API is sent by `remitting`.
"""

from apps.ledger.services.decisions import (
    PayoutNotReady,
    ReasonMissing,
    approve,
    reject,
    retry,
    retry_all,
    settle_outside,
)
from apps.ledger.services.freezing import Line, PlanChanged, changed, counts, freeze, verify
from apps.ledger.services.orders import Order
from apps.ledger.services.payments import RETRY_AFTER, Paid, pay_some

__all__ = [
    "RETRY_AFTER",
    "Line",
    "Order",
    "Paid",
    "PayoutNotReady",
    "PlanChanged",
    "ReasonMissing",
    "approve",
    "changed",
    "counts",
    "freeze",
    "pay_some",
    "reject",
    "retry",
    "retry_all",
    "settle_outside",
    "verify",
]
