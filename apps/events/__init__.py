"""Facts: what happened, written in the transaction of the change it reports.

Words: *fact* (one event row; the outbox), *sequence* (its number in the operator's stream, given after commit,
gap-free), *subject* (what it is about: `tournament:17`).
"""
