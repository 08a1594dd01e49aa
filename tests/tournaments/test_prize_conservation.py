"""Whatever a table gives, whatever the operator answers and staff decide: parts add up, and the escrow ends at zero."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.ledger.models import Journal, Payout, Rail
from apps.ledger.reconcile import CHECKS as BOOKS
from apps.ledger.services import calling, plans
from apps.tournaments.reconcile import CHECKS as TOURNAMENTS
from apps.tournaments.services import planning, running, settlement
from tests.factories import OperatorFactory
from tests.tournaments import world
from tests.tournaments.operator_rail import cash, remit, share, spins, table, with_spins

pytestmark = pytest.mark.django_db

FIVE = timedelta(minutes=5)
NAMES = ["ann", "bob", "cid", "dan"]
PRIZES = st.one_of(
    st.integers(1, 40).map(cash),
    st.integers(1, 8).map(share),
    st.integers(1, 30).map(lambda count: spins(count, value="0.25")),
)
ROWS = st.tuples(st.integers(1, 3), st.integers(0, 2), st.lists(PRIZES, min_size=1, max_size=2))
ANSWERS = st.lists(st.sampled_from([200, 204, 400, 503, None]), min_size=1, max_size=12)


def go_on(tournament, at, *, times):
    """Let five minutes pass so many times; return when it is then."""
    for _ in range(times):
        remit(tournament.operator, at=at)
        if tournament.pk in settlement.paying():
            while world.pay(tournament, at=at):
                pass
        at += FIVE
    return at


@given(
    rows=st.lists(ROWS, min_size=1, max_size=3),
    points=st.lists(st.integers(0, 3), min_size=0, max_size=4),
    fee=st.integers(0, 12),
    fixed=st.integers(0, 50),
    rail=st.sampled_from([Rail.OPERATOR, Rail.WALLET, Rail.CLEARING]),
    ties=st.sampled_from(["unique", "split"]),
    answers=ANSWERS,
    outside=st.booleans(),
)
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_unit_appears_and_none_is_lost(monkeypatch, rows, points, fee, fixed, rail, ties, answers, outside):
    told: dict[str, set[str]] = {}
    confirmed: list[str] = []

    def send(call):
        told.setdefault(str(call.ref), set()).add(call.body)
        status = answers[(len(told) + call.number) % len(answers)]
        if status in (200, 204):
            confirmed.append(str(call.ref))
        return calling.Heard(status)

    monkeypatch.setattr(calling, "send", send)
    with transaction.atomic():
        operator = OperatorFactory()
        with_spins(operator)
        tournament = world.played(
            operator=operator,
            points=dict(zip(NAMES, points, strict=False)) or {"ann": 0},
            entry_fee=Decimal(fee),
            guarantee=Decimal(fixed),
            rake_percent=Decimal(10),
            prizes=table(*((first, first + more, given) for first, more, given in rows)),
            rail=rail,
            payout_url="https://payouts.example/x",
            tie_policy=ties,
        )
        before = sum(world.money(operator).values())
        dry = planning.preview_settlement(tournament.pk)
        collected = world.escrow(tournament)
        assert dry.total_units == collected + dry.top_up
        running.complete(tournament.pk, actor=world.STAFF, at=world.START)
        stored = Payout.objects.filter(subject=tournament.subject).order_by("pk").values_list("key", "units", "rail")
        assert list(stored) == [(line.key, line.units, line.rail) for line in dry.lines]

        at = go_on(tournament, world.START, times=8)
        for payout in Payout.objects.filter(subject=tournament.subject, status="ERROR_MANUAL"):
            if outside:
                plans.settle_outside(payout.pk, note="by bank", actor=world.STAFF, at=at)
            else:
                plans.retry(payout.pk, actor=world.STAFF, at=at)
        monkeypatch.setattr(calling, "send", lambda _: calling.Heard(200))
        go_on(tournament, at, times=3)

        assert (world.state(tournament), world.escrow(tournament)) == ("CLOSED", 0)
        assert sum(world.money(operator).values()) == before == 0
        assert all(len(bodies) == 1 for bodies in told.values()), "a retry said something else"
        assert len(confirmed) == len(set(confirmed)), "what was confirmed was asked for again"
        keys = list(Journal.objects.filter(operator=operator).values_list("key", flat=True))
        assert len(keys) == len(set(keys))
        for check in (*BOOKS, *TOURNAMENTS):
            assert list(check(operator.pk)) == []
        transaction.set_rollback(True)
