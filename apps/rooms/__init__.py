"""Game rooms: an escrow that a game server opens for one session (contract: rooms.md).

Words: *game* (the public name of a game key, and who owns a room), *room* (OPEN → ENDED, with money in any asset),
*member* (a player who is in it), *allowance* (what a player lets a game take), *operation* (create, join, pay, earn,
leave, end, in that order, and their combinations; all or nothing), *task* (the record of one operation, and its queue).
"""
