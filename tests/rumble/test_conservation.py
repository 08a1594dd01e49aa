"""Whatever applications, players, the chain and the clock do: no unit appears, none is lost, escrows end empty."""

import os
from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from apps.core.errors import DomainError
from apps.ledger.models import Balance, ChainTransaction
from apps.rumble.models import Container
from apps.rumble.services import containers, payments, tournaments
from tests.rumble import world
from tests.rumble.world import ADA, APP, AT

EXAMPLES = int(os.environ.get("PODIUM_RUMBLE_EXAMPLES", "5"))
NAMES = world.names(4)
PICK = st.integers(min_value=0, max_value=7)
WHO = st.sampled_from(NAMES)


class Play(RuleBasedStateMachine):
    """Four players, as many tournaments and containers as it likes, a chain that fails when told to."""

    def __init__(self):
        super().__init__()
        self.outer = transaction.atomic()
        self.outer.__enter__()
        self.now = AT
        self.rumbles, self.boxes = [], []

    @initialize(signing=st.sampled_from(["auto", "player"]))
    def begin(self, signing):
        self.app = world.application(signing=signing)
        for name in NAMES:
            world.player(self.app, name)

    def teardown(self):
        if hasattr(self, "app"):
            self._end_everything()
        transaction.set_rollback(True)
        self.outer.__exit__(None, None, None)

    def _end_everything(self):
        """Nothing fails any more, and every lifetime passes: whatever was going on must come to its end."""
        world.control(self.app, fail_next=0, hold=False)
        for _ in range(4):
            self.now += timedelta(hours=25)
            world.beat(self.now)
            world.settle(self.now)
            for rumble in self.rumbles:
                self._try(lambda rumble=rumble: tournaments.retry(rumble.pk, actor=ADA, at=self.now))
            for box in self.boxes:
                self._try(lambda box=box: containers.refund_again(box.pk, actor=ADA, at=self.now))
        assert {world.status(rumble) for rumble in self.rumbles} <= {"CLOSED", "CANCELED"}
        assert not ChainTransaction.objects.in_flight().exists()
        escrows = Balance.objects.filter(account__operator=self.app.operator, account__kind="ESCROW")
        assert {int(one.units) for one in escrows} <= {0}
        assert set(Container.objects.values_list("status", flat=True)) <= {"resolved", "expired"}
        assert world.drift(self.app) == []

    def _try(self, act):
        """Refusals are answers, too; each leaves nothing behind."""
        try:
            with transaction.atomic():
                return act()
        except DomainError:
            return None

    def _one(self, things, pick):
        return things[pick % len(things)] if things else None

    @rule(fee=st.sampled_from([0, 1, 7, 333]), least=st.integers(1, 3), developer=st.sampled_from([0, 3, 10]))
    def create(self, fee, least, developer):
        if len(self.rumbles) < 3:
            rules = ((least, (70, 30)), (least + 2, (50, 25, 15, 10)))
            self.rumbles.append(
                world.make(self.app, fee=fee, rules=rules, developer_percentage=developer, min_participants=1,
                           at=self.now)
            )  # fmt: skip

    @rule()
    def create_container(self):
        if len(self.boxes) < 2:
            self.boxes.append(containers.create_container(self.app, actor=APP, at=self.now))

    @rule(pick=PICK, name=WHO)
    def join(self, pick, name):
        if rumble := self._one(self.rumbles, pick):
            self._try(lambda: world.join(rumble, name, at=self.now))

    @rule(pick=PICK, name=WHO, units=st.integers(1, 400))
    def deposit(self, pick, name, units):
        if box := self._one(self.boxes, pick):
            player = world.player(self.app, name)
            self._try(lambda: containers.deposit(box.pk, player_id=player.pk, units=units, actor=APP, at=self.now))

    @rule(name=WHO, agree=st.booleans())
    def answer(self, name, agree):
        player = world.player(self.app, name)
        asked = payments.waiting(player.pk).first()
        if asked is not None:
            verb = payments.sign if agree else payments.reject
            self._try(lambda: verb(asked.transaction.public_id, player_id=player.pk, actor=APP, at=self.now))

    @rule(pick=PICK, verb=st.sampled_from(["close_registration", "start", "cancel", "retry"]))
    def tell(self, pick, verb):
        if rumble := self._one(self.rumbles, pick):
            self._try(lambda: getattr(tournaments, verb)(rumble.pk, actor=APP, at=self.now))

    @rule(pick=PICK, scores=st.lists(st.integers(0, 3), min_size=4, max_size=4))
    def end(self, pick, scores):
        if rumble := self._one(self.rumbles, pick):
            for name, value in zip(NAMES, scores, strict=True):
                self._try(lambda name=name, value=value: world.score(rumble, at=self.now, **{name: value}))
            self._try(lambda: tournaments.resolve(rumble.pk, force=True, actor=APP, at=self.now))

    @rule(pick=PICK, whom=st.sampled_from([*NAMES, "devfarm12345"]))
    def resolve_container(self, pick, whom):
        if box := self._one(self.boxes, pick):
            inside = containers.holdings(box).upx
            actions = [containers.Action(whom, inside)]
            self._try(lambda: containers.resolve_container(box.pk, actions, actor=APP, at=self.now))

    @rule(pick=PICK)
    def refund_container(self, pick):
        if box := self._one(self.boxes, pick):
            self._try(lambda: containers.refund(box.pk, actor=APP, at=self.now))

    @rule(failures=st.integers(0, 2), hold=st.booleans())
    def trouble(self, failures, hold):
        world.control(self.app, fail_next=failures, hold=hold)

    @rule(seconds=st.sampled_from([1, 3, 700, 3 * 3600]))
    def wait(self, seconds):
        self.now += timedelta(seconds=seconds)
        world.beat(self.now)
        world.chain(self.now)

    @invariant()
    def nothing_appears_or_is_lost(self):
        if hasattr(self, "app"):
            assert sum(world.wallets(self.app.operator).values()) == 4 * world.RICH


@pytest.mark.django_db
def test_money_is_conserved_and_every_escrow_ends_at_zero():
    run_state_machine_as_test(
        Play,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
