"""The game's dialect (matches.md 2, 3, 7): snake_case, its own error body, kebab-case and `?` accepted on input."""
