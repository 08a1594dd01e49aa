"""The game platform's API (operators.md 11): who a player is, how a tournament is played, what happened in the game.

It speaks the casino dialect, with `active` where that says `in_progress`, and stands on its spellings and shapes. Every
answer names the operator, because a game platform's key may reach all of them.
"""
