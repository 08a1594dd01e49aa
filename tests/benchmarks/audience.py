"""Many clients of sockets in a process of their own: who received which board when.

    python -m tests.benchmarks.audience URL COUNT [HEADER=VALUE]

Prints "ready" when every client has a first board, and at the end, when standard input closes, a JSON object: for each
board, told by the points of its leader, the moments at which clients received it (CLOCK_MONOTONIC, seconds).
"""

import asyncio
import json
import re
import sys
import time
from collections import defaultdict

from websockets.asyncio.client import connect

CONNECTING_AT_ONCE = 50
LEADER = re.compile(r'"points":(\d+)')


async def _listen(
    url: str, headers: dict[str, str], seen: dict[str, list[float]], door: asyncio.Semaphore, ready
) -> None:
    async with door:
        connection = await connect(
            url, additional_headers=headers, compression=None, proxy=None, open_timeout=60, ping_interval=None
        )
    first = True
    async for text in connection:
        now = time.monotonic()
        if "eventId" in text[:200]:
            seen["facts"].append(now)
            continue
        found = LEADER.search(text) if "leaderboard.updated" in text[:40] else None
        if found:
            seen[found[1]].append(now)
            if first:
                first = False
                ready()


async def main(url: str, count: int, headers: dict[str, str]) -> None:
    seen: dict[str, list[float]] = defaultdict(list)
    waiting, everybody = count, asyncio.Event()

    def ready() -> None:
        nonlocal waiting
        waiting -= 1
        if not waiting:
            everybody.set()

    door = asyncio.Semaphore(CONNECTING_AT_ONCE)
    tasks = [asyncio.create_task(_listen(url, headers, seen, door, ready)) for _ in range(count)]
    over = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    everybody_is_there = asyncio.create_task(everybody.wait())
    await asyncio.wait([*tasks, everybody_is_there], return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        if task.done():
            task.result()
            sys.exit("a client was closed")
    print("ready", flush=True)
    await over
    for task in tasks:
        task.cancel()
    print(json.dumps(seen), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), dict(word.split("=", 1) for word in sys.argv[3:])))
