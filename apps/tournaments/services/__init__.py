"""The verbs of tournaments, by group: creation, entries, running, settlement, and what they stand on."""
