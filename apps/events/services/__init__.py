"""Write facts, number them, and carry them out."""
