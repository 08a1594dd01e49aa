"""Facts: what happened, written in the transaction of the change it reports, and how the world hears of it.

Words: *fact* (one event row; the outbox), *sequence* (its number in the operator's stream, given after commit,
gap-free), *subject* (what it is about: `tournament:17`), *endpoint* (a receiver of facts), *delivery* (one fact on its
way to one endpoint; the row is the queue), *attempt* (one try), *relay* (the process that sends).
"""
