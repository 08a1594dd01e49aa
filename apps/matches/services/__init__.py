"""The verbs of matches, by group."""
