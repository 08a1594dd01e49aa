"""`manage.py reconcile` names what disagrees. Triggers forbid making it disagree, so the tests switch them off."""

import json
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from apps.events.services import numbering
from apps.tournaments.services import running
from config.management.commands.reconcile import CHECKS
from tests.receivers import Receiver
from tests.tournaments import test_buyins as buyin_world
from tests.tournaments import world
from tests.tournaments.operator_rail import paid_by_api, remit
from tests.tournaments.world import AT, STAFF, START

pytestmark = pytest.mark.django_db


def reconcile(*arguments):
    out = StringIO()
    try:
        call_command("reconcile", *arguments, stdout=out)
    except SystemExit as ended:
        return ended.code, out.getvalue()
    return 0, out.getvalue()


def behind_the_triggers(sql, *values):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql, values)
        cursor.execute("SET LOCAL session_replication_role = origin")


@pytest.fixture
def season():
    """One tournament of each end: paid, refunded, running."""
    paid = world.played(guarantee=Decimal(50), rail="WALLET")
    running.complete(paid.pk, actor=STAFF, at=START)
    world.pay(paid)
    cancelled = world.make(paid.operator)
    world.enter(cancelled, "ann", "bob")
    running.cancel(cancelled.pk, reason="storm", actor=STAFF, at=AT)
    world.pay(cancelled)
    world.played(operator=paid.operator)
    numbering.number_facts(paid.operator_id)
    return paid


def test_honest_books_show_no_drift(season):
    assert reconcile() == (0, f"No drift: {len(CHECKS)} checks over 1 operators.\n")
    code, text = reconcile("--operator", season.operator.slug, "--json")
    assert (code, json.loads(text)) == (0, {"ok": True, "operators": {season.operator.slug: []}})


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        (
            "UPDATE ledger_balance SET units = units + 1 WHERE account_id = {escrow}",
            {"trial balance", "balances", "escrows"},
        ),
        ("DELETE FROM ledger_posting WHERE id = (SELECT MIN(id) FROM ledger_posting)", {"balances", "journals"}),
        ("UPDATE ledger_payout SET units = units + 1 WHERE position = 1", {"payouts", "plans"}),
        ("UPDATE tournaments_tally SET players = players + 1 WHERE tournament_id = {tournament}", {"tallies"}),
        ("UPDATE tournaments_entry SET paid_units = 0 WHERE tournament_id = {tournament}", {"tallies"}),
        ("DELETE FROM events_fact WHERE sequence = 3", {"facts"}),
    ],
)
def test_every_kind_of_drift_is_named(season, sql, named):
    behind_the_triggers(sql.format(escrow=season.escrow_id, tournament=season.pk))
    code, text = reconcile("--json")
    assert code == 1
    assert {drift["check"] for drift in json.loads(text)["operators"][season.operator.slug]} == named


def test_an_unknown_operator_is_an_error():
    with pytest.raises(CommandError):
        reconcile("--operator", "nobody")


def test_what_an_operator_confirmed_must_be_paid_and_joined():
    with Receiver() as receiver:
        bought = buyin_world.make(receiver.url, max_players=2)
        buyin_world.enter(bought)
        won = world.played(operator=bought.operator, **paid_by_api(receiver.url))
        running.complete(won.pk, actor=STAFF, at=START)
        remit(won.operator)
        world.pay(won)
        numbering.number_facts(won.operator_id)
        assert reconcile()[0] == 0
    behind_the_triggers("UPDATE ledger_callbackattempt SET status = 500 WHERE kind = 'PAYOUT'")
    behind_the_triggers("UPDATE tournaments_buyin SET status = 'REFUSED'")
    behind_the_triggers("UPDATE tournaments_tally SET seats_free = seats_free + 1 WHERE tournament_id = %s", bought.pk)
    code, text = reconcile()
    assert code == 1
    assert text.count("paid, but nothing was confirmed") == 3
    assert "confirmed, but REFUSED" in text
    assert "1 players, 0 seats kept and 2 free are not 2" in text
