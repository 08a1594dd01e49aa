"""Rumble tournaments: paid contests that third-party applications run for connected players (contract: rumble.md).

Words: *application* (somebody else's program, known by its app id), *connection* (a player let an application speak for
them), *container* (the escrow of one contest), *settings* (the template of a tournament), *participant* (an entry and
its payment), *transaction* (a transfer on the chain, pending until it is final or failed).
"""
