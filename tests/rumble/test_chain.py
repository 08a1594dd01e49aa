"""What the rail does with a chain that is slow, away, or says no; every adapter is held to this."""

from datetime import timedelta

import pytest

from apps.ledger import chain
from apps.ledger.models import ChainTransaction, SimulatedTransaction
from apps.ledger.services import chain_control
from tests.rumble import world
from tests.rumble.world import APP, AT, RICH, THEN
from tests.test_house_settings import settings_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def app():
    return world.application()


class Stub:
    """A chain that answers as it is told and remembers what it was asked."""

    def __init__(self):
        self.submitted, self.looks = [], []
        self.trouble = None
        self.answer = chain.Sighting(chain.Sight.PENDING, confirmations=1)

    def submit(self, batch, *, at):
        if self.trouble:
            raise self.trouble
        self.submitted.append(batch)
        return chain.Receipt(f"stub-{batch.submission.hex}", at + timedelta(seconds=1))

    def look(self, reference, *, at):
        if self.trouble:
            raise self.trouble
        self.looks.append(reference)
        return self.answer


@pytest.fixture
def stub(monkeypatch):
    made = Stub()
    monkeypatch.setattr(chain, "current", lambda: made)
    return made


def transaction():
    return ChainTransaction.objects.get()


def test_a_batch_names_the_parties_as_the_chain_knows_them(app, stub):
    rumble = world.make(app)
    world.join(rumble, "racera")
    world.chain(AT)
    (batch,) = stub.submitted
    assert batch.submission == transaction().public_id
    assert batch.transfers == [chain.Transfer("racera", rumble.tournament.subject, "UPX", 100)]


def test_a_chain_that_is_away_is_tried_again_and_loses_nothing(app, stub):
    rumble = world.make(app)
    world.join(rumble, "racera")
    stub.trouble = chain.ChainUnreachable()
    world.chain(AT)
    kept = transaction()
    assert (kept.status, kept.attempts, kept.due_at) == ("SIGNED", 1, AT + timedelta(seconds=5))
    assert kept.error == "The chain can't be reached right now."
    world.chain(AT + timedelta(seconds=5))
    assert transaction().due_at == AT + timedelta(seconds=15)
    stub.trouble = None
    world.chain(AT + timedelta(seconds=15))
    assert transaction().status == "SUBMITTED"
    stub.answer = chain.Sighting(chain.Sight.FINAL, confirmations=12)
    world.chain(AT + timedelta(seconds=16))
    assert (transaction().status, transaction().confirmations) == ("FINAL", 12)
    assert world.seats(rumble) == {"racera": "ACTIVE"}
    assert world.drift(app) == []


def test_a_batch_that_the_chain_refuses_has_failed(app, stub):
    rumble = world.make(app)
    world.join(rumble, "racera")
    stub.trouble = chain.BatchRefused("No such account.")
    world.chain(AT)
    assert (transaction().status, transaction().error) == ("FAILED", "No such account.")
    assert world.wallets(app.operator) == {"racera": RICH}
    assert world.seats(rumble) == {"racera": "REMOVED"}


def test_confirmations_are_kept_and_asked_for_when_the_chain_says(app, stub):
    world.join(world.make(app), "racera")
    world.chain(AT)
    stub.answer = chain.Sighting(chain.Sight.PENDING, confirmations=3, look_at=AT + timedelta(seconds=40))
    world.chain(AT + timedelta(seconds=1))
    assert (transaction().confirmations, transaction().due_at) == (3, AT + timedelta(seconds=40))
    world.chain(AT + timedelta(seconds=39))
    assert len(stub.looks) == 1


def test_what_was_submitted_before_a_crash_is_not_submitted_as_another(app):
    rumble = world.make(app)
    world.join(rumble, "racera")
    paying = transaction()
    batch = chain.Batch(paying.public_id, paying.operator_id, [chain.Transfer("racera", "x", "UPX", 100)])
    first = chain.current().submit(batch, at=AT)
    world.chain(AT)
    assert (transaction().reference, SimulatedTransaction.objects.count()) == (first.reference, 1)


def test_the_simulated_chain_is_slow_fails_and_waits_as_it_is_told(app):
    rumble = world.make(app)
    world.control(app, finality_seconds=60, fail_next=1)
    world.join(rumble, "racera", "racerb")
    world.chain(AT)
    world.chain(AT + timedelta(seconds=59))
    assert set(world.seats(rumble).values()) == {"PROCESSING_PAYMENT"}
    world.control(app, hold=True)
    world.chain(AT + timedelta(seconds=61))
    assert set(world.seats(rumble).values()) == {"PROCESSING_PAYMENT"}
    world.control(app, hold=False)
    world.chain(AT + timedelta(seconds=63))
    assert world.seats(rumble) == {"racera": "REMOVED", "racerb": "ACTIVE"}
    assert chain_control.control_of(app.operator_id).fail_next == 0


def test_another_operators_chain_is_not_touched(app):
    other = world.application()
    world.control(other, hold=True, fail_next=5)
    rumble = world.make(app)
    world.join(rumble, "racera")
    world.settle()
    assert world.seats(rumble) == {"racera": "ACTIVE"}


def test_without_a_chain_nothing_begins_and_nobody_gives_it_orders(app, settings):
    template = world.settings(app)
    settings.CHAIN = ""
    from apps.rumble.services import containers, tournaments  # noqa: PLC0415 - here only

    with pytest.raises(chain.ChainMissing):
        tournaments.create_tournament(app, settings_public_id=template.public_id, actor=APP, at=AT)
    with pytest.raises(chain.ChainMissing):
        containers.create_container(app, actor=APP, at=AT)
    for order in ({"hold": True}, {}):
        with pytest.raises(chain_control.ChainNotSimulated):
            chain_control.control(app.operator_id, actor=APP, at=AT, **order)


def test_control_refuses_nonsense(app):
    from apps.core.errors import Invalid  # noqa: PLC0415 - here only

    for wrong in ({"finality_seconds": -1}, {"finality_seconds": 1e9}, {"fail_next": -1}):
        with pytest.raises(Invalid):
            chain_control.control(app.operator_id, actor=APP, at=THEN, **wrong)


@pytest.mark.parametrize(("said", "chosen"), [({}, ""), ({"CHAIN": "simulated"}, "simulated")])
def test_production_has_no_simulated_chain_unless_it_is_told_so(tmp_path, said, chosen):
    answer = settings_of(
        "config.settings.production", "settings.CHAIN", SECRET_KEY="x" * 50, ALLOWED_HOSTS="podium.example",
        PODIUM_DATA_DIR=str(tmp_path), DATABASE_URL="postgres://me@db.example/podium",
        REDIS_URL="redis://cache.example:6379/2", **said,
    )  # fmt: skip
    assert (answer.stdout, answer.returncode) == (f"{chosen}\n", 0)
