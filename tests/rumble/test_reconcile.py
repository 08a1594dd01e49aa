"""`reconcile` names what of containers, participants and the chain disagrees with the books."""

import pytest
from django.db import connection

from apps.ledger import reconcile as books
from apps.rumble import reconcile
from apps.rumble.services import containers
from config.management.commands.reconcile import CHECKS
from tests.rumble import world
from tests.rumble.world import APP, AT

pytestmark = pytest.mark.django_db


@pytest.fixture
def app():
    """A tournament with a payment that is final and one that is on the chain, and a container with something inside."""
    app = world.application()
    rumble = world.make(app)
    box = containers.create_container(app, actor=APP, at=AT)
    world.join(rumble, "racera")
    containers.deposit(box.pk, player_id=world.player(app, "racera").pk, units=7, actor=APP, at=AT)
    world.settle()
    world.join(rumble, "racerb", at=world.THEN)
    return app


def behind_the_triggers(sql):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql)
        cursor.execute("SET LOCAL session_replication_role = origin")


def test_every_check_is_run_and_honest_books_show_no_drift(app):
    assert set(reconcile.CHECKS) <= set(CHECKS)
    assert world.drift(app) == []


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("UPDATE rumble_deposit SET units = 9 WHERE units = 7", "containers"),
        ("UPDATE rumble_container SET status = 'resolved', ended_at = now()", "containers"),
        ("UPDATE tournaments_entry SET paid_units = 1", "participants"),
        ("UPDATE rumble_participant SET status = 'REMOVED' WHERE status = 'ACTIVE'", "participants"),
        ("UPDATE ledger_chaintransaction SET status = 'FAILED', ended_at = now(), due_at = NULL", "chain"),
        ("UPDATE ledger_hold SET status = 'RELEASED', ended_at = now() WHERE status = 'ACTIVE'", "chain"),
    ],
)
def test_each_kind_of_drift_is_named(app, sql, named):
    behind_the_triggers(sql)
    checks = (*reconcile.CHECKS, *books.CHECKS)
    assert named in {drift.check for check in checks for drift in check(app.operator_id)}
