"""Send prepared requests over open connections, each the next as soon as it is answered. A process of its own.

Reads a JSON object {port, connections, requests: [text, …]} from stdin and prints {seconds, took, bad} as JSON; `took`
are the seconds of each answer, `bad` the first answers that were not 200.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator

from tests.benchmarks.openloop import http_length


async def ask(port: int, requests: Iterator[bytes], took: list[float], bad: list[str]) -> None:
    """Work through the shared requests on one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in requests:
        begun = time.perf_counter()
        writer.write(request)
        seen = b""
        while http_length(seen) is None:
            seen += await reader.read(65536)
        took.append(time.perf_counter() - begun)
        if not seen.startswith(b"HTTP/1.1 200"):
            bad.append(seen.decode(errors="replace")[:1000])
    writer.close()


async def main() -> None:
    """Do what stdin says."""
    told = json.load(sys.stdin)
    requests = iter([request.encode() for request in told["requests"]])
    took: list[float] = []
    bad: list[str] = []
    begun = time.perf_counter()
    await asyncio.gather(*[ask(told["port"], requests, took, bad) for _ in range(told["connections"])])
    print(json.dumps({"seconds": time.perf_counter() - begun, "took": took, "bad": bad[:3]}))


if __name__ == "__main__":
    asyncio.run(main())
