"""The tables of the ledger, split by what they describe."""

from apps.ledger.lifecycle import ChainStatus, HoldStatus, PayoutStatus
from apps.ledger.models.books import Account, AccountKind, Asset, Balance, Journal, Posting
from apps.ledger.models.callbacks import CallbackAttempt, CallbackKind, OutboundKey, Remittance
from apps.ledger.models.chain import (
    ChainControl,
    ChainDirection,
    ChainTransaction,
    ChainTransfer,
    SimulatedTransaction,
)
from apps.ledger.models.payouts import OpenPayout, Payout, PlanKind, Purpose, Rail, SettlementPlan
from apps.ledger.models.rates import ExchangeRate
from apps.ledger.models.wallets import Direction, Hold, Transfer

__all__ = [
    "Account",
    "AccountKind",
    "Asset",
    "Balance",
    "CallbackAttempt",
    "CallbackKind",
    "ChainControl",
    "ChainDirection",
    "ChainStatus",
    "ChainTransaction",
    "ChainTransfer",
    "Direction",
    "ExchangeRate",
    "Hold",
    "HoldStatus",
    "Journal",
    "OpenPayout",
    "OutboundKey",
    "Payout",
    "PayoutStatus",
    "PlanKind",
    "Posting",
    "Purpose",
    "Rail",
    "Remittance",
    "SettlementPlan",
    "SimulatedTransaction",
    "Transfer",
]
