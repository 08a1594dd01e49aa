"""The verbs of rumble tournaments, by group."""
