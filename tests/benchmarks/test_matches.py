"""Results of live two-player matches over HTTP, beside the bare SQL of the same rows.

One worker of the real web server and one thread against one connection, so that a ratio is one of work and not of
waiting; then several of each. Money has to add up; times are only printed. BENCH_MATCHES, BENCH_THREADS and
BENCH_ROUNDS make it smaller or longer.
"""

import http.client
import json
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection, transaction

from apps.core import clock
from apps.ledger.services import accounts
from apps.matches.models import Match
from apps.matches.reconcile import CHECKS
from apps.matches.services import access
from apps.operators.models import CredentialKind
from tests.benchmarks import fields, web
from tests.contracts.casino import an_operator
from tests.contracts.matches.game import two
from tests.factories import issue
from tests.matches import world

pytestmark = pytest.mark.django_db(transaction=True)

MATCHES = int(os.environ.get("BENCH_MATCHES", "1000"))
THREADS = int(os.environ.get("BENCH_THREADS", "4"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "2"))
PAIRS = 50
TEAMS = ("team_id_1", "team_id_2")

# The rows that a result writes: the report, both teams, both players, the match (twice: decided, paid), journal with
# three legs, fact. The balances move by the ledger's own trigger, in both cases.
BARE = (
    "SELECT id FROM matches_match WHERE public_id = %(public)s FOR NO KEY UPDATE",
    """
    INSERT INTO matches_report (match_id, kind, accepted, fingerprint, key, body, actor, reason, received_at)
    VALUES (%(match)s, 'RESULT', TRUE, %(digest)s, '', %(body)s::jsonb, 'game:bare', '', now())
    """,
    """
    UPDATE matches_match SET status = 'SETTLING', outcome = 'WON', decided_at = now(), changed_at = now()
     WHERE id = %(match)s
    """,
    """
    WITH journal AS (
        INSERT INTO ledger_journal (operator_id, kind, key, subject, legs, occurred_at, actor, request_id, memo)
        VALUES (%(operator)s, 'match.settle', %(subject)s || ':settle:1', %(subject)s, 3, now(), 'game:bare', '', '')
        RETURNING id
    ), posted AS (
        INSERT INTO ledger_posting (journal_id, leg, account_id, units)
        SELECT journal.id, l.leg, l.account, l.units FROM journal,
               (VALUES (0, %(winner)s, 18), (1, %(revenue)s, 2), (2, %(escrow)s, -20)) AS l (leg, account, units)
    )
    SELECT id FROM journal
    """,
    "UPDATE matches_team SET score = 1, ranking = 1, leads = wire_id = 'team_id_1' WHERE match_id = %(match)s",
    """
    UPDATE matches_participant SET score = 1, scored_at = now(), submitted = 1,
           paid_units = CASE user_id WHEN %(first)s THEN 18 ELSE 0 END WHERE match_id = %(match)s
    """,
    """
    UPDATE matches_match SET status = 'FINISHED', ended_at = now(), changed_at = now(), due_at = NULL, fee_units = 2,
           settlements = 1, settlement_id = %(journal)s WHERE id = %(match)s
    """,
    """
    INSERT INTO events_fact (operator_id, public_id, type, subject, data, actor, request_id, occurred_at)
    VALUES (%(operator)s, %(subject)s, 'match.finished', %(subject)s, %(body)s::jsonb, 'game:bare', '', now())
    """,
)


def test_results_a_second_beside_bare_sql():
    print(f"\nresults of two-player matches, {MATCHES:,} a turn; {fields.others()}")
    operator = an_operator()
    client = world.client(operator, "bench")
    token = access.grant(
        "bench", issue(operator, CredentialKind.MATCH_CLIENT, ref="bench").key, address="", at=clock.now()
    ).token
    for threads in (1, THREADS):
        for turn in range(1, ROUNDS + 1):
            with web.server(workers=1 if threads == 1 else 2, threads=threads) as port:
                over_http = _rate(_live(client), threads, lambda matches, port=port: _ask(port, token, matches))
            bare = _rate(_live(client), threads, _write)
            share = 100 * over_http / bare
            print(
                f"  {threads} at once, round {turn}: HTTP {over_http:5.0f}/s, SQL {bare:5.0f}/s: {share:.0f} %",
                flush=True,
            )
    assert not Match.objects.exclude(status="FINISHED").exists()
    assert [drift for check in CHECKS for drift in check(operator.pk)] == []


@dataclass(frozen=True, slots=True)
class Live:
    """A live match, and what nobody should have to look up while it is measured."""

    match: Match
    first: str
    second: str
    winner: int


def _live(client) -> list[Live]:
    """Live matches of pairs of players."""
    made = []
    for number in range(MATCHES):
        first, second = f"a-{number % PAIRS}", f"b-{number % PAIRS}"
        held = world.make(client, {TEAMS[0]: [first], TEAMS[1]: [second]}, entry_fee="0.10")
        made.append(Live(held.match, first, second, held.participant(first).wallet_id))
    return made


def _rate(matches: list[Live], threads: int, work: Callable[[Sequence[Live]], None]) -> float:
    shares = [matches[number::threads] for number in range(threads)]
    workers = [threading.Thread(target=work, args=(share,)) for share in shares]
    begun = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return len(matches) / (time.perf_counter() - begun)


def _ask(port: int, token: str, matches: Sequence[Live]) -> None:
    asker = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    for live in matches:
        body = two(live.match.public_id)
        body["participants"][0]["id"], body["participants"][1]["id"] = live.first, live.second
        asker.request("POST", "/api/game/v1/finish", json.dumps(body), headers)
        answer = asker.getresponse()
        told = json.loads(answer.read())
        assert (answer.status, told["accepted"]) == (200, True), told
    asker.close()


def _write(matches: Sequence[Live]) -> None:
    revenue = accounts.revenue(matches[0].match.asset).pk
    for live in matches:
        match = live.match
        values: dict[str, Any] = {
            "public": match.public_id,
            "match": match.pk,
            "digest": match.public_id,
            "body": json.dumps(two(match.public_id)),
            "operator": match.operator_id,
            "subject": match.subject,
            "winner": live.winner,
            "revenue": revenue,
            "escrow": match.escrow_id,
            "first": live.first,
            "journal": None,
        }
        with transaction.atomic(), connection.cursor() as cursor:
            for statement in BARE:
                cursor.execute(statement, values)
                if "ledger_journal" in statement:
                    values["journal"] = cursor.fetchone()[0]
    connection.close()
