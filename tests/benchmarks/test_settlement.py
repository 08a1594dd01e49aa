"""Pay a frozen plan of 100,000 winners, against bare SQL that writes the same journals and postings.

In rounds of 20,000, each way in turn, so that a busy machine is unfair to all of them alike. Bare SQL writes a round in
one transaction of two statements; the product pays it in batches, with the states of the payouts and all checks.
"""

import time
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from apps.ledger.lifecycle import PayoutStatus
from apps.ledger.models import Journal, PlanKind, Posting, Purpose, Rail
from apps.ledger.services import accounts, plans
from tests.ledger.factories import AT, TESTER, an_asset, an_operator, fund

pytestmark = pytest.mark.django_db(transaction=True)

WINNERS = 100_000
ROUND = 20_000
BATCH = 5_000

# What the reference writes is what the plan says, read from a table of its own.
STAGE = """
    CREATE TABLE bench_line AS
    SELECT (row_number() OVER (ORDER BY id) - 1) / %s AS round, operator_id, 'payout.prize'::varchar AS kind,
           'bare:' || key AS key, subject, source_id, target_id, units
      FROM ledger_payout WHERE plan_id = %s ORDER BY id
"""
JOURNALS = """
    INSERT INTO {journal} (operator_id, kind, key, subject, legs, occurred_at, actor, request_id, memo)
    SELECT operator_id, kind, key, subject, 2, %s, 'staff:tester', 'req_test', '' FROM bench_line WHERE round = %s
"""
POSTINGS = """
    INSERT INTO {posting} (journal_id, leg, account_id, units)
    SELECT j.id, l.leg, CASE l.leg WHEN 0 THEN b.source_id ELSE b.target_id END,
           CASE l.leg WHEN 0 THEN -b.units ELSE b.units END
      FROM bench_line b JOIN {journal} j ON j.key = b.key AND j.operator_id = b.operator_id
     CROSS JOIN (VALUES (0), (1)) AS l(leg)
     WHERE b.round = %s
"""


@pytest.mark.parametrize("rail", list(Rail))
def test_settlement_of_100_000_winners(rail):
    operator = an_operator()
    usd = an_asset(operator)
    escrow = accounts.open_escrow("tournament:1", usd, hot=True)
    lines = _lines(operator, usd, rail)
    total = sum(line.units for line in lines)
    fund(escrow, 2 * total)  # once for us, once for the reference

    started = time.perf_counter()
    plan = plans.freeze(
        lines,
        operator_id=operator.pk,
        subject="tournament:1",
        kind=PlanKind.SETTLEMENT,
        asset=usd,
        source_id=escrow.pk,
        needs_approval=False,
        actor=TESTER,
        at=AT,
    )
    frozen = time.perf_counter() - started
    plain = same = ours = 0.0
    paid = 0
    with _staged(plan):
        for number in range(WINNERS // ROUND):
            plain += _reference(number, journal="bench_journal", posting="bench_posting")
            same += _reference(number, journal="ledger_journal", posting="ledger_posting")
            started = time.perf_counter()
            for _ in range(ROUND // BATCH):
                paid += len(plans.pay_some(plan, limit=BATCH, actor=TESTER, at=AT))
            ours += time.perf_counter() - started

    assert paid == WINNERS
    assert plans.counts(plan.pk)[PayoutStatus.PAID] == (WINNERS, total)
    assert accounts.balance(escrow.pk) == 0
    assert Journal.objects.count() == 2 * WINNERS + 1
    assert Posting.objects.count() == 4 * WINNERS + 2
    print(
        f"\n{rail}: {WINNERS:,} winners frozen in {frozen:.2f} s, paid in {ours:.2f} s ({WINNERS / ours:,.0f}/s); "
        f"bare SQL, same tables and triggers {same:.2f} s: {same / ours:.0%}; "
        f"bare SQL, plain tables with the same indexes {plain:.2f} s: {plain / ours:.0%}"
    )


def _lines(operator, asset, rail):
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO operators_player (operator_id, brand_id, external_id, display_name, eos_id, block_kind,
                                          block_reason, created_at)
            SELECT %s, %s, 'bench-' || n, '', '', '', '', now() FROM generate_series(1, %s) n RETURNING id
            """,
            [operator.pk, operator.brands.get().pk, WINNERS],
        )
        players = [pk for (pk,) in cursor.fetchall()]
    clearing = accounts.clearing(asset).pk
    wallets = accounts.wallets(players, asset) if rail == Rail.WALLET else {}
    return [
        plans.Line(
            key=f"tournament:1:payout:{player}",
            purpose=Purpose.PRIZE,
            rail=rail,
            target_id=wallets.get(player, clearing),
            units=WINNERS + 1 - place,
            player_id=player,
            entry_ref=place,
            position=place,
        )
        for place, player in enumerate(players, start=1)
    ]


@contextmanager
def _staged(plan):
    """Lay out what the references read and, for one of them, the tables it writes."""
    with connection.cursor() as cursor:
        cursor.execute(STAGE, [ROUND, plan.pk])
        cursor.execute("ANALYZE bench_line")
        for name, original in (("bench_journal", "ledger_journal"), ("bench_posting", "ledger_posting")):
            cursor.execute(
                f"CREATE TABLE {name} (LIKE {original} INCLUDING DEFAULTS INCLUDING IDENTITY INCLUDING INDEXES)"
            )
        try:
            yield
        finally:
            cursor.execute("DROP TABLE bench_line, bench_journal, bench_posting")


def _reference(number, *, journal, posting):
    """Write one round of the plan's movements as plainly as SQL can; return the seconds."""
    started = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(JOURNALS.format(journal=journal), [AT, number])
        cursor.execute(POSTINGS.format(journal=journal, posting=posting), [number])
    return time.perf_counter() - started
