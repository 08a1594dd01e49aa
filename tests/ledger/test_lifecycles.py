"""django-fsm and the database draw the same graphs."""

import itertools

import pgtrigger
import pytest
from django.db import ProgrammingError, connection, transaction

from apps.ledger.lifecycle import HOLD_EDGES, PAYOUT_EDGES, HoldStatus, PayoutStatus
from apps.ledger.models import Hold, Payout
from apps.ledger.services import accounts, holds
from tests.ledger.factories import AT, TESTER, a_plan, a_player, fund


def edges_of(model):
    field = model._meta.get_field("status")
    return {(str(edge.source), str(edge.target)) for edge in field.get_all_transitions(model)}


def edges_in_database(name):
    (trigger,) = [trigger for _, trigger in pgtrigger.registered() if trigger.name == name]
    return set(trigger.transitions)


@pytest.mark.parametrize(
    ("model", "edges", "trigger"),
    [(Payout, PAYOUT_EDGES, "payout_status_edges"), (Hold, HOLD_EDGES, "hold_status_edges")],
)
def test_python_and_database_draw_the_same_graph(model, edges, trigger):
    declared = {(source.value, target.value) for source, target in edges}
    assert edges_of(model) == declared
    assert edges_in_database(trigger) == declared


def moved(model, source, target):
    """Put a row into `source` whatever the rules say, then try to move it by SQL."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(f"UPDATE {table} SET status = %s", [source])
        cursor.execute("SET LOCAL session_replication_role = origin")
    try:
        with transaction.atomic():
            model.objects.update(status=target)
    except ProgrammingError as problem:
        if "Invalid transition" not in str(problem):
            raise
        return False
    return True


@pytest.mark.django_db
def test_the_database_lets_a_payout_move_along_its_edges_only(operator, usd):
    escrow = accounts.open_escrow("tournament:1", usd, hot=False)
    a_plan(escrow, [10])
    Payout.objects.update(paid_at=AT)
    for source, target in itertools.permutations(PayoutStatus, 2):
        assert moved(Payout, source, target) is ((source, target) in PAYOUT_EDGES), (source, target)


@pytest.mark.django_db
def test_the_database_lets_a_hold_move_along_its_edges_only(operator, usd):
    player = a_player(operator)
    fund(accounts.wallet(player.pk, usd), 10)
    holds.place(player.pk, usd, units=10, key="h", actor=TESTER, at=AT)
    Hold.objects.update(ended_at=AT)
    for source, target in itertools.permutations(HoldStatus, 2):
        assert moved(Hold, source, target) is ((source, target) in HOLD_EDGES), (source, target)
