"""Ask at a fixed rate, whether or not the answers keep up, and print what it took as JSON. A process of its own.

Each request has its moment; its time counts from then on, so that a server that stalls pays for everyone who would have
asked meanwhile. Connections stay open and are enough for all who wait.
"""

import argparse
import asyncio
import json
import time
from collections import deque

CONNECTIONS = 64


class _Connection(asyncio.Protocol):
    """One open connection with one request at a time under way."""

    def __init__(self, load: "Load") -> None:
        self.load, self.seen, self.due, self.greeted = load, b"", 0.0, False

    def connection_made(self, transport) -> None:
        self.transport = transport
        if self.load.greeting:
            transport.write(self.load.greeting)
        else:
            self.be_free()

    def be_free(self) -> None:
        self.greeted = True
        self.load.free.append(self)
        self.load.send_waiting()

    def data_received(self, data: bytes) -> None:
        if not self.greeted:
            self.be_free()
            return
        self.seen += data
        length = self.load.complete(self.seen)
        if length is None:
            return
        self.load.done(self.due, self.seen[:length])
        self.seen = self.seen[length:]
        self.be_free()

    def connection_lost(self, problem) -> None:
        self.load.lost += 1


class Load:
    """Requests due one after another, and the times their answers took."""

    def __init__(self, request: bytes, *, greeting: bytes, http: bool) -> None:
        self.request, self.greeting = request, greeting
        self.complete = http_length if http else bulk_array_length
        self.good = b"HTTP/1.1 200" if http else b"*"
        self.free: deque[_Connection] = deque()
        self.waiting: deque[float] = deque()
        self.took: list[float] = []
        self.bad: list[str] = []
        self.lost = 0
        self.size = 0

    def send_waiting(self) -> None:
        while self.free and self.waiting:
            connection = self.free.popleft()
            connection.due = self.waiting.popleft()
            connection.transport.write(self.request)

    def done(self, due: float, answer: bytes) -> None:
        self.took.append(time.perf_counter() - due)
        self.size = len(answer)
        if not answer.startswith(self.good):
            self.bad.append(answer[:300].decode("latin-1"))

    async def run(self, *, rate: float, seconds: float) -> None:
        begun = time.perf_counter() + 0.2
        total = int(rate * seconds)
        for number in range(total):
            due = begun + number / rate
            late = due - time.perf_counter()
            if late > 0:
                await asyncio.sleep(late)
            self.waiting.append(due)
            self.send_waiting()
        for _ in range(1000):
            if len(self.took) >= total:
                return
            await asyncio.sleep(0.01)


def http_length(seen: bytes) -> int | None:
    """The length of the answer that `seen` begins with, None while it isn't whole."""
    end = seen.find(b"\r\n\r\n")
    if end < 0:
        return None
    for line in seen[:end].split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            whole = end + 4 + int(value)
            return whole if len(seen) >= whole else None
    raise ValueError(seen[:end])


def bulk_array_length(seen: bytes) -> int | None:
    """The same for Redis's array of strings."""
    at = seen.find(b"\r\n")
    if at < 0:
        return None
    left = int(seen[1:at])
    for _ in range(left):
        at += 2
        end = seen.find(b"\r\n", at)
        if end < 0:
            return None
        at = end + 2 + int(seen[at + 1 : end])
        if len(seen) < at + 2:
            return None
    return at + 2


async def main(asked: argparse.Namespace) -> None:
    load = Load(bytes.fromhex(asked.request), greeting=bytes.fromhex(asked.greeting), http=asked.http)
    loop = asyncio.get_running_loop()
    for _ in range(CONNECTIONS):
        if asked.socket:
            await loop.create_unix_connection(lambda: _Connection(load), asked.socket)
        else:
            await loop.create_connection(lambda: _Connection(load), "127.0.0.1", asked.port)
    while len(load.free) < CONNECTIONS:  # noqa: ASYNC110 - the protocol calls, it can't await
        await asyncio.sleep(0.01)
    await load.run(rate=asked.rate, seconds=asked.seconds)
    print(json.dumps({"took": load.took, "bad": load.bad[:3], "failed": len(load.bad), "bytes": load.size}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--http", action="store_true")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--socket", default="")
    parser.add_argument("--request", required=True, help="hexadecimal")
    parser.add_argument("--greeting", default="", help="what each connection says first, hexadecimal")
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    asyncio.run(main(parser.parse_args()))
