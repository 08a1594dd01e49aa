"""Whatever people do, in whatever order, and however much of it is refused: no unit appears, none is lost."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from apps.ledger.models import Balance, Journal, Purpose, Rail
from apps.ledger.reconcile import CHECKS
from apps.ledger.services import accounts, holds, plans, reports, transfers
from apps.ledger.services.corrections import reverse
from apps.ledger.services.journals import InsufficientFunds, NewJournal, post
from apps.operators.services import players
from apps.operators.services.admission import PlayerBlocked
from tests.ledger.factories import AT, TESTER, a_plan, a_player, an_asset, an_operator

WHO = {"actor": TESTER, "at": AT}
UNITS = st.integers(min_value=1, max_value=300)
WHOM = st.integers(min_value=0, max_value=1)


class Money(RuleBasedStateMachine):
    """Two players, one striped escrow, and a model of what each of them must have."""

    active = Bundle("active")
    ended = Bundle("ended")

    def __init__(self):
        super().__init__()
        self.outer = transaction.atomic()
        self.outer.__enter__()
        self.operator = an_operator()
        self.usd = an_asset(self.operator)
        self.players = [a_player(self.operator) for _ in range(2)]
        self.wallets = [accounts.wallet(player.pk, self.usd).pk for player in self.players]
        self.helds = [accounts.held(player.pk, self.usd).pk for player in self.players]
        self.escrow = accounts.open_escrow("tournament:1", self.usd, hot=True)
        self.clearing = accounts.clearing(self.usd).pk
        self.has = dict.fromkeys([*self.wallets, *self.helds, self.escrow.pk, self.clearing], 0)
        self.blocked = [False, False]
        self.number = 0
        for who in range(2):
            self.deposit(who, 500, twice=False)

    def teardown(self):
        for check in CHECKS:
            assert list(check(self.operator.pk)) == []
        transaction.set_rollback(True)
        self.outer.__exit__(None, None, None)

    def next(self):
        self.number += 1
        return self.number

    def moved(self, source, target, units):
        self.has[source] -= units
        self.has[target] += units

    @rule(who=WHOM, units=UNITS, twice=st.booleans())
    def deposit(self, who, units, twice):
        reference = f"d:{self.next()}"
        for _ in range(1 + twice):
            transfers.deposit(
                self.players[who].pk, asset_code="USD", amount=Decimal(units) / 100, reference=reference, **WHO
            )
        self.moved(self.clearing, self.wallets[who], units)

    @rule(who=WHOM, units=UNITS, twice=st.booleans())
    def withdraw(self, who, units, twice):
        reference = f"w:{self.next()}"
        enough = self.has[self.wallets[who]] >= units
        for _ in range(1 + twice):
            try:
                transfers.withdraw(
                    self.players[who].pk, asset_code="USD", amount=Decimal(units) / 100, reference=reference, **WHO
                )
            except InsufficientFunds:
                assert not enough
            else:
                assert enough
        if enough:
            self.moved(self.wallets[who], self.clearing, units)

    @rule(target=active, who=WHOM, units=UNITS)
    def hold(self, who, units):
        try:
            hold = holds.place(self.players[who].pk, self.usd, units=units, key=f"h:{self.next()}", **WHO)
        except PlayerBlocked:
            assert self.blocked[who]
        except InsufficientFunds:
            assert self.has[self.wallets[who]] < units
        else:
            assert not self.blocked[who]
            self.moved(self.wallets[who], self.helds[who], units)
            return hold.pk, who, units
        return multiple()

    @rule(target=ended, hold=consumes(active))
    def release(self, hold):
        pk, who, units = hold
        holds.release(pk, **WHO)
        self.moved(self.helds[who], self.wallets[who], units)
        return pk

    @rule(target=ended, hold=consumes(active))
    def capture(self, hold):
        pk, who, units = hold
        try:
            holds.capture(pk, target_id=self.escrow.pk, **WHO)
        except PlayerBlocked:
            assert self.blocked[who]
            holds.release(pk, **WHO)
            self.moved(self.helds[who], self.wallets[who], units)
        else:
            assert not self.blocked[who]
            self.moved(self.helds[who], self.escrow.pk, units)
        return pk

    @rule(pk=ended)
    def end_again(self, pk):
        with pytest.raises(holds.HoldEnded):
            holds.release(pk, **WHO)
        with pytest.raises(holds.HoldEnded):
            holds.capture(pk, target_id=self.escrow.pk, **WHO)

    @rule(who=WHOM)
    def block_or_let_back(self, who):
        player = self.players[who].pk
        if self.blocked[who]:
            players.reinstate(player, reason="r", actor=TESTER, at=AT)
        else:
            players.suspend(player, reason="r", until=AT + timedelta(days=1), actor=TESTER, at=AT)
        self.blocked[who] = not self.blocked[who]

    @rule(amounts=st.lists(UNITS, max_size=4), who=WHOM)
    def settle(self, amounts, who):
        number = self.next()
        lines = [
            plans.Line(f"p:{number}:{n}", Purpose.PRIZE, Rail.WALLET, self.wallets[who], units)
            for n, units in enumerate(amounts)
        ]
        plan = a_plan(self.escrow, lines, subject=f"tournament:{number}")
        paid = plans.pay_some(plan, limit=3, **WHO) + plans.pay_some(plan, limit=3, **WHO)
        assert plans.pay_some(plan, limit=3, **WHO) == []
        total = sum(row.units for row in paid)
        assert total == sum(amounts) or self.has[self.escrow.pk] < sum(amounts)
        self.moved(self.escrow.pk, self.wallets[who], total)

    @rule(units=UNITS)
    def wrong_and_corrected(self, units):
        with transaction.atomic():
            legs = {self.clearing: -units, self.escrow.pk: units}
            wrong = post(NewJournal("TEST", f"t:{self.next()}", legs), operator_id=self.operator.pk, **WHO)
        reverse(wrong.pk, reason="wrong", **WHO)

    @invariant()
    def every_account_has_what_the_model_says(self):
        assert {account: accounts.balance(account) for account in self.has} == self.has

    @invariant()
    def nothing_appears_and_nothing_is_lost(self):
        assert reports.out_of_balance(reports.trial_balance(self.operator.pk)) == {}

    @invariant()
    def nobody_who_is_bounded_is_below_zero(self):
        assert not Balance.objects.filter(bounded=True, units__lt=0).exists()


@pytest.mark.django_db
def test_money_is_conserved():
    run_state_machine_as_test(
        Money,
        settings=settings(
            max_examples=8, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
    assert not Journal.objects.exists()
    assert connection.in_atomic_block
