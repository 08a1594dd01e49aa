"""A receiver as fast as Python has one: answers 204 to every POST and writes down when each came. Run as a script."""

import asyncio
import sys
import time

ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


class Taker(asyncio.Protocol):
    """One connection."""

    def __init__(self, log):
        self.log = log
        self.buffer = b""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = {
                name.lower(): value.strip()
                for name, _, value in (line.partition(b":") for line in self.buffer[:end].split(b"\r\n")[1:])
            }
            whole = end + 4 + int(head.get(b"content-length", b"0"))
            if len(self.buffer) < whole:
                return
            self.buffer = self.buffer[whole:]
            self.log.write(f"{head.get(b'webhook-id', b'').decode()} {time.time():.6f}\n")
            self.transport.write(ANSWER)


async def main(log: str) -> None:
    with open(log, "w", buffering=1, encoding="utf-8") as file:  # noqa: ASYNC230, PTH123 - before anything is served
        server = await asyncio.get_running_loop().create_server(lambda: Taker(file), "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
