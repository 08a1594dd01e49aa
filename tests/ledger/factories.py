"""Operators, players and money to test the books with."""

import itertools
from datetime import UTC, datetime

from django.db import transaction

from apps.core.actors import Actor
from apps.ledger.models import Account, Asset, PlanKind, Purpose, Rail, SettlementPlan
from apps.ledger.services import accounts, assets, plans
from apps.ledger.services.journals import NewJournal, post
from apps.operators.models import Brand, Operator, Player

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TESTER = Actor("staff", "tester", "req_test")
_numbers = itertools.count(1)


def an_operator(slug: str = "") -> Operator:
    slug = slug or f"acme-{next(_numbers)}"
    operator = Operator.objects.create(slug=slug, name=slug.title())
    Brand.objects.create(operator=operator, external_id=slug, name=slug)
    return operator


def an_asset(operator: Operator, code: str = "USD", scale: int = 2) -> Asset:
    return assets.add_asset(operator.pk, code, scale=scale)


def a_player(operator: Operator, user_id: str = "") -> Player:
    return Player.objects.create(
        operator=operator, brand=operator.brands.get(), external_id=user_id or f"user-{next(_numbers)}"
    )


def fund(account: Account, units: int) -> None:
    """Put units onto an account, out of the operator's clearing account."""
    source = accounts.clearing(account.asset)
    with transaction.atomic():
        post(
            NewJournal("TEST", f"test:{next(_numbers)}", {source.pk: -units, account.pk: units}),
            operator_id=account.operator_id,
            actor=TESTER,
            at=AT,
        )


def a_wallet(operator: Operator, asset: Asset, units: int = 0) -> Account:
    """Return the wallet of a new player with some units in it."""
    account = accounts.wallet(a_player(operator).pk, asset)
    if units:
        fund(account, units)
    return account


def a_plan(
    escrow: Account,
    lines: list,
    *,
    kind: PlanKind = PlanKind.SETTLEMENT,
    needs_approval: bool = False,
    subject: str = "",
):
    """Freeze lines, or amounts that go back to the operator, for the competition of an escrow."""
    target = accounts.clearing(escrow.asset).pk
    return plans.freeze(
        [
            line
            if isinstance(line, plans.Line)
            else plans.Line(f"{kind[0].lower()}:{number}", Purpose.PRIZE, Rail.CLEARING, target, line)
            for number, line in enumerate(lines)
        ],
        operator_id=escrow.operator_id,
        subject=subject or escrow.subject,
        kind=kind,
        asset=escrow.asset,
        source_id=escrow.pk,
        needs_approval=needs_approval,
        actor=TESTER,
        at=AT,
    )


def pay(plan: SettlementPlan, *, limit: int = 1000):
    return plans.pay_some(plan, limit=limit, actor=TESTER, at=AT)
