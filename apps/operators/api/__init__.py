"""How callers prove who they are, and the operator's own endpoints (podium.md 2)."""
