"""The player's own pages, at `/play/`: plain HTML from the server, for any phone (podium.md 5)."""
