"""Escrowed skill matches: who pays in, who reports, who is paid (contract: matches.md; podium.md 4).

Words: *client* (a game back-end registered to run matches), *match*, *team*, *participant* (a player in a team, with
their stake), *report* (what a game or staff said about the outcome; append-only), *notice* (a webhook call that is
owed to the game), *outcome* (who leads: one team won, several tied, nobody).
"""
