"""Money: double entry, in whole base units, per operator and asset.

Words: *asset* (a currency or token with a scale), *account* (whose money), *balance* (an account's units, in slots),
*journal* (one balanced movement), *posting* (one leg), *escrow* (the account of one competition; it must close at
zero), *hold* (a player's units set aside), *transfer* (a deposit or withdrawal), *plan* (the frozen payouts of one
competition), *payout* (one amount owed to one party), *rail* (how it really moves).
"""
