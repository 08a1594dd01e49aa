"""The calls of operators who send game rounds (rounds.md 3)."""
