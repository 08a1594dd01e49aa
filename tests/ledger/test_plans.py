import pytest

from apps.ledger.lifecycle import PayoutStatus
from apps.ledger.models import PlanKind, Purpose, Rail
from apps.ledger.services import accounts, plans
from apps.ledger.services.plans import Line
from tests.ledger.factories import AT, TESTER, a_player, fund

pytestmark = pytest.mark.django_db


def test_smoke(operator, usd):
    escrow = accounts.open_escrow("tournament:1", usd, hot=True)
    fund(escrow, 600)
    ps = [a_player(operator) for _ in range(3)]
    ws = accounts.wallets([p.pk for p in ps], usd)
    lines = [
        Line(f"t:1:payout:{n}", Purpose.PRIZE, Rail.WALLET, ws[p.pk], 100 * (n + 1), p.pk, n, n + 1)
        for n, p in enumerate(ps)
    ]
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
    plans.verify(plan)
    paid = plans.pay_some(plan, limit=2, actor=TESTER, at=AT)
    assert len(paid) == 2
    paid = plans.pay_some(plan, limit=2, actor=TESTER, at=AT)
    assert len(paid) == 1
    assert plans.counts(plan.pk)[PayoutStatus.PAID] == (3, 600)
    assert accounts.balance(escrow.pk) == 0
