"""What operators do for their players and applications (podium.md 5)."""
