"""createJoinPay with four players: signed, with live ES256 sessions, synchronous, over HTTP, as `up` serves it.

Printed beside bare SQL that writes the same rows, and beside Nakama 3.40's four-wallet update with ledger (1,660/s on
two cores, design.md 10). Money has to add up; times are only printed. BENCH_ROOMS makes it smaller or longer. On a
machine that does other things, compare what a room costs the processors.
"""

import json
import os
import subprocess
import sys
import time

import pytest
from django.db import connection, transaction

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.events.models import Fact
from apps.ledger.models import Account
from apps.ledger.services import accounts
from apps.operators.models import CredentialKind, Player
from apps.rooms.api import signatures
from apps.rooms.models import Allowance, Room, Task
from apps.rooms.services import sessions
from config import addresses
from config.management.commands.reconcile import CHECKS
from tests.benchmarks import cpu, fields, web
from tests.contracts.casino import an_operator
from tests.factories import issue
from tests.ledger.factories import fund
from tests.rooms.floor import LATER

pytestmark = pytest.mark.django_db(transaction=True)

ROOMS = int(os.environ.get("BENCH_ROOMS", "4000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "2"))
CONNECTIONS = int(os.environ.get("BENCH_CONNECTIONS", "16"))
# Tables of four; each plays again and again, as people do.
TABLES = 100
SEATS = 4
PROCESSES = 2
WARM = 400
RICH = 10**24
NAKAMA = 1660


class Tables:
    """Players at tables of four, with money, sessions, and an allowance for one game."""

    def __init__(self) -> None:
        self.operator = an_operator()
        issued = issue(self.operator, CredentialKind.GAME, ref="bench")
        self.key, self.secret = issued.key, issued.secret
        self.asset = self.operator.assets.get(code__iexact="gamr")
        brand, now = self.operator.brands.first(), clock.now()
        self.players = Player.objects.bulk_create(
            Player(operator=self.operator, brand=brand, external_id=f"bench-{n}", handle=f"bench-{n}")
            for n in range(TABLES * SEATS)
        )
        with transaction.atomic():
            self.wallets = accounts.wallets([player.pk for player in self.players], self.asset)
            for account in Account.objects.filter(pk__in=self.wallets.values()).select_related("asset"):
                fund(account, RICH)
            self.allowances = Allowance.objects.bulk_create(
                Allowance(
                    operator=self.operator, game_id="bench", player=player, asset=self.asset, units=RICH,
                    granted_units=RICH, granted_at=now, expires_at=LATER,
                )
                for player in self.players
            )  # fmt: skip
        self.jwts = [
            sessions.issue(player, game_id="bench", seconds=86_400, actor=SYSTEM, at=now).token
            for player in self.players
        ]

    def groups(self) -> list[dict[str, list[int]]]:
        """Who sits together, for bare SQL."""
        found = []
        for start in range(0, len(self.players), SEATS):
            ids = [player.pk for player in self.players[start : start + SEATS]]
            allowed = [allowance.pk for allowance in self.allowances[start : start + SEATS]]
            found.append({"players": ids, "wallets": [self.wallets[pk] for pk in ids], "allowances": allowed})
        return found

    def requests(self, number: int) -> list[str]:
        """Signed calls as they go over the wire, table after table."""
        timestamp = str(int(time.time() * 1000))
        made = []
        for table in range(TABLES):
            jwts = self.jwts[table * SEATS : (table + 1) * SEATS]
            body = json.dumps(
                {"sessionJwts": jwts, "tokens": ["gamr"] * SEATS, "amounts": [1] * SEATS, "sync": True},
                separators=(",", ":"),
            )
            signature = signatures.sign(self.secret, timestamp, body.encode())
            made.append(
                f"POST /api/game/createJoinPay HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                f"apikey: {self.key}\r\nsignature: {signature}\r\ntimestamp: {timestamp}\r\n"
                f"Content-Length: {len(body)}\r\n\r\n{body}"
            )
        return [made[n % TABLES] for n in range(number)]


def test_create_join_pay_of_four():
    print(f"\ncreateJoinPay of {SEATS}, {ROOMS:,} rooms, {CONNECTIONS} connections; {fields.others()}")
    tables = Tables()
    bare, ours = [], []
    with web.server() as port:
        _ask(port, tables.requests(WARM))
        for turn in range(ROUNDS):
            bare.append(_bare(tables))
            ours.append(_ask(port, tables.requests(ROOMS), told=True))
            print(
                f"  round {turn + 1}: bare SQL {bare[-1]:5.0f}/s, over HTTP {ours[-1]:5.0f}/s:"
                f" {100 * ours[-1] / bare[-1]:.0f} % of bare SQL, {100 * ours[-1] / NAKAMA:.0f} % of {NAKAMA:,}/s"
            )
    best, beside = max(ours), max(bare)
    print(f"  best of each: {100 * best / beside:.0f} % of bare SQL, {100 * best / NAKAMA:.0f} % of Nakama")
    _adds_up(tables, WARM + ROUNDS * ROOMS)


def _ask(port: int, requests: list[str], *, told: bool = False) -> float:
    database, server = cpu.postmaster(), cpu.web()
    before = cpu.spent(database), cpu.spent(server)
    asked = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.closedloop"],
        input=json.dumps({"port": port, "connections": CONNECTIONS, "requests": requests}),
        cwd=addresses.REPOSITORY, stdout=subprocess.PIPE, check=True, text=True,
    )  # fmt: skip
    found = json.loads(asked.stdout)
    assert found["bad"] == []
    if told:
        print(f"  over HTTP: {fields.percentiles(found['took'])}")
        _tell(len(requests), "over HTTP", cpu.spent(server) - before[1], cpu.spent(database) - before[0])
    return len(requests) / found["seconds"]


def _tell(rooms: int, who: str, own: float, database: float) -> None:
    both = own + database
    print(
        f"  {who}: {1000 * both / rooms:.2f} ms of processor a room, {1000 * database / rooms:.2f} of it PostgreSQL's;"
        f" two cores of its own would do {2 * rooms / both:,.0f}/s"
    )


def _bare(tables: Tables) -> float:
    groups, share = tables.groups(), ROOMS // PROCESSES
    writers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.barerooms"],
            cwd=addresses.REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(PROCESSES)
    ]  # fmt: skip
    for place, writer in enumerate(writers):
        told = {
            "conninfo": connection.connection.info.dsn, "rooms": share, "operator": tables.operator.pk,
            "asset": tables.asset.pk, "groups": groups[place::PROCESSES],
        }  # fmt: skip
        writer.stdin.write(json.dumps(told) + "\n")
        writer.stdin.flush()
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    database = cpu.postmaster()
    begun, before = time.perf_counter(), cpu.spent(database)
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    own = sum(float(writer.stdout.readline()) for writer in writers)
    seconds = time.perf_counter() - begun
    _tell(share * PROCESSES, "bare SQL", own, cpu.spent(database) - before)
    for writer in writers:
        writer.communicate(timeout=60)
    return share * PROCESSES / seconds


def _adds_up(tables: Tables, rooms: int) -> None:
    tasks = Task.objects.filter(operator=tables.operator, game_id="bench").exclude(actor="key:bench")
    assert tasks.filter(status="SUCCEEDED").count() == rooms
    assert Room.objects.filter(tasks__in=tasks).count() == rooms
    assert Fact.objects.filter(type="room.created", operator=tables.operator).count() == rooms
    assert [drift for check in CHECKS for drift in check(tables.operator.pk) if "task" not in drift.subject] == []
