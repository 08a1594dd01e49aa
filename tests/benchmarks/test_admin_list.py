"""The admin's lists over a million rows: few queries (asserted), and how long each takes (printed; aim 300 ms)."""

import os
import time
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import Model
from django.test.utils import CaptureQueriesContext

from apps.ledger.models import Payout
from apps.operators.models import Player
from apps.tournaments.models import Entry, Tournament
from apps.tournaments.services import running
from tests.admin.scenes import signed_in, url
from tests.factories import OperatorFactory, staff
from tests.tournaments import world

ROWS = int(os.environ.get("BENCH_ADMIN_ROWS", "1000000"))
MOST_QUERIES = 15
AIM_MS = 300

WORDS = (
    "'{Sprint,Marathon,Crash,Lunch,Weekend,Friday,Royal,Rainy,Golden,Night,Spring,Turbo,Mega,Classic,Open,Cup}'::text[]"
)
STATUS = """CASE WHEN n % 10000 = 7 THEN 'RUNNING' WHEN n % 10000 = 8 THEN 'REGISTERING'
                 WHEN n % 100000 = 9 THEN 'FAILED' WHEN n % 20 = 0 THEN 'CANCELED' ELSE 'CLOSED' END"""


def multiply(row: Model, **changes: str) -> None:
    """Write a million copies of a row, with columns computed from `n`. Triggers and foreign keys look away."""
    table = row._meta.db_table
    columns = [field.column for field in row._meta.concrete_fields]
    values = [changes.get(column, f't."{column}"') for column in columns]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)}"
            f" FROM {table} t, generate_series(1, {ROWS}) n WHERE t.id = {row.pk}"
        )
        cursor.execute("SET LOCAL session_replication_role = origin")
        cursor.execute(f"ANALYZE {table}")


@pytest.fixture
def crowd(db):
    """A million tournaments, players, entries and payouts of one operator."""
    operator = OperatorFactory()
    seed = world.played(operator=operator, entry_fee=Decimal(10))
    running.complete(seed.pk, actor=world.STAFF, at=world.START)
    world.pay(seed)
    begun = time.monotonic()
    payout, entry = Payout.objects.earliest("pk"), Entry.objects.earliest("pk")
    name = f"({WORDS})[1 + n % 16] || ' ' || ({WORDS})[1 + (n / 16) % 16] || ' ' || n"
    start = "now() - n * interval '1 minute' + interval '2 days'"
    multiply(
        seed, id="1000000 + n", name=name, external_id="'ext-' || n", status=STATUS, starts_at=start,
        escrow_id="1000000000 + n", cancelled_at="now()",
    )  # fmt: skip
    multiply(entry.player, id="1000000 + n", external_id="'user-' || n", display_name=f"({WORDS})[1 + n % 16] || n")
    multiply(entry, id="1000000 + n", tournament_id="1000000 + n / 10", player_id="1000000 + n")
    multiply(payout, id="1000000 + n", player_id="1000000 + n", key="'key-' || n")
    print(f"\n{4 * ROWS:,} rows written in {time.monotonic() - begun:.0f} s")
    return signed_in(staff(operator, "owner"))


def _took(client, page: str) -> tuple[float, int]:
    with CaptureQueriesContext(connection) as queries:
        begun = time.monotonic()
        answer = client.get(page)
        took = 1000 * (time.monotonic() - begun)
    assert answer.status_code == 200, page
    assert len(queries) <= MOST_QUERIES, (page, len(queries))
    return took, len(queries)


DAYS = "?starts_at_from=2026-01-01&starts_at_to=2026-01-02"
BLOCKED = "?block_kind__exact=SUSPENDED"
QUESTIONS = {
    Tournament: ("", "?p=10", "?status__exact=RUNNING", "?status__exact=FAILED", "?status__exact=DRAFT", "?q=friday",
                 "?q=royal+cup", "?q=1500123", "?q=ext-77", "?o=4", DAYS),
    Entry: ("", "?q=user-5000", "?q=Friday12", "?tournament=1005000"),
    Player: ("", "?q=user-77", "?q=Royal9", BLOCKED),
    Payout: ("", "?status__exact=WAITING_APPROVAL", "?status__exact=ERROR_MANUAL", "?q=user-77", "?q=key-5"),
}  # fmt: skip


def test_lists_of_a_million_rows_open_with_few_queries(crowd):
    _took(crowd, url(Tournament, "changelist"))  # compiles the templates
    slow = []
    for model, questions in QUESTIONS.items():
        for question in questions:
            page = url(model, "changelist") + question
            took, queries = min(_took(crowd, page) for _ in range(3))
            print(f"{took:7.0f} ms {queries:3d} queries  {page}")
            if took > AIM_MS:
                slow.append(page)
    print(f"{len(slow)} over the aim of {AIM_MS} ms", *slow)
