"""Send rounds as fast as they are taken, over HTTP or as bare SQL, and print the seconds. A process of its own.

Everything is laid out before "ready"; the clock runs from "go" on standard input until the last answer.
"""

import argparse
import itertools
import json
import os
import socket
import sys
import threading
import time

import psycopg

PLAIN = """
    INSERT INTO bench_round (received_at, number, occurred_at, operator_id, brand_id, game_id, watched, integration,
                             round_id, player_ref, round_type, currency, bet, win)
    SELECT now(), nextval('bench_number'), o, 1, 1, 1, true, 'bench', r, p, 'REGULAR', 'EUR', a, w
      FROM jsonb_to_recordset(%s::jsonb) AS s(o timestamptz, r text, p text, a numeric, w numeric)
"""


def rounds_of(name: str, batch: int, size: int) -> list[dict]:
    """Rounds with ids as random as UUIDs are, of a few thousand players."""
    return [
        {
            "timestamp": "2026-03-01T12:00:00.200Z",
            "roundId": f"{os.urandom(8).hex()}-{name}-{batch}-{n}",
            "brandId": "superkingz",
            "playerId": f"Player-{(batch * size + n) % 5000}",
            "gameId": "EVO_ANDAR_BAHAR_1",
            "roundType": "REGULAR",
            "currency": "EUR",
            "betAmount": n % 50 + 0.25,
            "winAmount": n % 7,
        }
        for n in range(size)
    ]


def http(said: argparse.Namespace, bodies: list[str]) -> None:
    """Each thread has a connection and asks again as soon as it is answered."""
    requests = [
        f"POST {said.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: {said.key}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
        for body in bodies
    ]
    places = itertools.count()
    problems: list[bytes] = []

    def work() -> None:
        with socket.create_connection(("127.0.0.1", said.port)) as line:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while (place := next(places)) < len(requests):
                line.sendall(requests[place])
                answer = read(line)
                if not answer.startswith(b"HTTP/1.1 202"):
                    problems.append(answer)

    timed(work, said.connections)
    assert not problems, problems[0]


def read(line: socket.socket) -> bytes:
    """Return one whole answer."""
    answer = b""
    while True:
        head, end, body = answer.partition(b"\r\n\r\n")
        if end and len(body) >= int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0] or 0):
            return answer
        more = line.recv(65536)
        assert more, "the server hung up"
        answer += more


def sql(said: argparse.Namespace, bodies: list[str]) -> None:
    """The same rows into a table with the same indexes, a hundred a transaction; nothing is checked or remembered."""
    rows = [
        json.dumps(
            [
                {"o": r["timestamp"], "r": r["roundId"], "p": r["playerId"], "a": r["betAmount"], "w": r["winAmount"]}
                for r in json.loads(body)
            ]
        )
        for body in bodies
    ]
    places = itertools.count()
    lines = [psycopg.connect(said.database, autocommit=True) for _ in range(said.connections)]
    free = iter(lines)

    def work() -> None:
        line = next(free)
        while (place := next(places)) < len(rows):
            line.execute(PLAIN, [rows[place]])

    timed(work, said.connections)
    for line in lines:
        line.close()


def timed(work, threads: int) -> None:
    print("ready", flush=True)
    sys.stdin.readline()
    workers = [threading.Thread(target=work) for _ in range(threads)]
    begun = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print(time.perf_counter() - begun, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("how", choices=("http", "sql"))
    parser.add_argument("--name", default="x")
    parser.add_argument("--calls", type=int, required=True)
    parser.add_argument("--size", type=int, default=100)
    parser.add_argument("--single", action="store_true")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--path", default="")
    parser.add_argument("--key", default="")
    parser.add_argument("--database", default="")
    said = parser.parse_args()
    told = [rounds_of(said.name, batch, 1 if said.single else said.size) for batch in range(said.calls)]
    bodies = [json.dumps(rounds[0] if said.single else rounds, separators=(",", ":")) for rounds in told]
    {"http": http, "sql": sql}[said.how](said, bodies)


if __name__ == "__main__":
    main()
