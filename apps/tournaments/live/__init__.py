"""Live sockets of tournaments (operators.md 7), served by the `live` process.

A *listener* is one open socket. A *feed* is what this process knows of one tournament that somebody listens to: its
newest board and its listeners. A *desk* reads the facts of one operator for all of its feeds. The *hub* holds them.

However many sockets listen, a board is read once in half a second at most, and a fact once; both are written once, and
every listener gets the same text. A listener that is slow misses boards, never facts: it is sent the newest board when
it can take one, and is told to resume when too many facts wait for it. Memory per listener is bounded.

What is told comes from PostgreSQL (facts by their numbers) and from the board. Redis only says when to look: without it
the hub looks by itself every second, and no socket closes.
"""
