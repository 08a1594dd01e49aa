"""Admin pages of the ledger. Nothing here is ever edited: money moves by services, corrections are new journals."""

from apps.ledger.admin import books, callbacks, chain, contributions, payouts, rates, wallets

__all__ = ["books", "callbacks", "chain", "contributions", "payouts", "rates", "wallets"]
