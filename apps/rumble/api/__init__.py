"""How others speak to rumble tournaments."""
