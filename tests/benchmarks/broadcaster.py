"""The least a server can do: send each line of standard input to every socket, by `websockets.broadcast`.

    python -m tests.benchmarks.broadcaster

Prints its port. A client that comes gets the last line.
"""

import asyncio
import sys

from websockets.asyncio.server import broadcast, serve


async def main() -> None:
    clients, last = set(), sys.stdin.readline().rstrip("\n")

    async def welcome(connection) -> None:
        clients.add(connection)
        await connection.send(last)
        await connection.wait_closed()
        clients.discard(connection)

    async with serve(welcome, "127.0.0.1", 0, compression=None, ping_interval=None, backlog=1024) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        while line := (await asyncio.to_thread(sys.stdin.readline)).rstrip("\n"):
            last = line
            broadcast(clients, line)


if __name__ == "__main__":
    asyncio.run(main())
