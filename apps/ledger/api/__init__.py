"""Podium's own endpoints for wallets (podium.md 2)."""
