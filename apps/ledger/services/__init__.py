"""The verbs of the ledger, by group. Each is one transaction, or part of its caller's."""
