"""Players of games: logins, sessions, approvals, tokens, balances, users (rooms.md 3.20 to 3.41)."""
