"""Say goodbye before the server stops: it would drop open sockets without a word."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable


def before_stop(goodbye: Callable[[], Awaitable[None]]) -> None:
    """Have SIGTERM and SIGINT wait for `goodbye` in the running loop, then do what they did before.

    The server has set its own handlers in this loop; asyncio has no public way to ask for them. Where they can't be
    found, the process ends by the signal itself.
    """
    loop = asyncio.get_running_loop()
    theirs = dict(getattr(loop, "_signal_handlers", {}))
    running: set[asyncio.Task[None]] = set()

    async def leave(number: signal.Signals) -> None:
        try:
            await goodbye()
        finally:
            handle = theirs.get(number)
            if handle is not None:
                handle._run()  # noqa: SLF001 - as the loop would
            else:
                loop.remove_signal_handler(number)
                os.kill(os.getpid(), number)

    def hear(number: signal.Signals) -> None:
        if not running:
            running.add(loop.create_task(leave(number)))

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, hear, number)
