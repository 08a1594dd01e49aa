"""The one tournament engine: casino, rumble and round-scored tournaments are one model with policies.

Words: *tournament*, *policy* (what was fixed at creation: entry, scoring, start, end, prizes, settlement), *entry* (one
player's registration), *tally* (the running counts of a tournament, in stripes), *board* (the ranking), *game event*
(what a game server reported).
"""
