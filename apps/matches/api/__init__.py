"""What matches say and hear over HTTP: the operator's calls (podium.md 4) and the game's dialect (matches.md)."""
