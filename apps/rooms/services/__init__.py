"""The verbs of rooms."""
