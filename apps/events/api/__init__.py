"""The operator's stream of facts (podium.md 6)."""
