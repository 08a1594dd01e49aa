"""The database backend; named in the settings as ENGINE."""

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Asks the socket before it asks the server.

    Django asks the server `SELECT 1` before the first query of each request, to find connections that were cut while
    they idled. A server that goes away says so: its end of the connection can be read then. One that has nothing to
    say is there, as far as a question could tell, so only a socket with something to say costs a round trip.
    """

    def is_usable(self) -> bool:
        """Tell whether a connection that idled still stands."""
        kept = self.connection
        if kept is None or kept.closed:
            return False
        poll = select.poll()
        poll.register(kept.fileno(), select.POLLIN)
        return bool(super().is_usable()) if poll.poll(0) else True
