"""The verbs of game rounds."""
