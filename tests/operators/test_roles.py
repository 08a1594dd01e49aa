"""What staff of each role may do."""

import pytest

from apps.operators.models import Membership, Role
from apps.operators.roles import allows
from tests.factories import OperatorFactory, PlayerFactory, UserFactory, staff

OWNER, MANAGER, FINANCE, SUPPORT, AUDITOR = Role.OWNER, Role.MANAGER, Role.FINANCE, Role.SUPPORT, Role.AUDITOR


@pytest.mark.parametrize(
    "permission, roles",
    [
        ("ledger.view_payout", {OWNER, MANAGER, FINANCE, SUPPORT, AUDITOR}),
        ("operators.view_credential", {OWNER, MANAGER, FINANCE, SUPPORT, AUDITOR}),
        ("operators.rotate_credential", {OWNER}),
        ("operators.change_operator", {OWNER}),
        ("operators.add_membership", {OWNER}),
        ("operators.change_game", {OWNER, MANAGER}),
        ("operators.block_player", {OWNER, MANAGER, SUPPORT}),
        ("tournaments.add_tournament", {OWNER, MANAGER}),
        ("tournaments.cancel_tournament", {OWNER, MANAGER, FINANCE}),
        ("tournaments.remove_entry", {OWNER, MANAGER, SUPPORT}),
        ("ledger.approve_payout", {OWNER, FINANCE}),
        ("operators.add_operator", set()),
        ("operators.suspend_operator", set()),
        ("operators.delete_player", set()),
        ("ledger.delete_journal", set()),
        ("operators.change_user", set()),
        ("auth.change_group", set()),
    ],
)
def test_who_may(permission, roles):
    assert {role for role in Role if allows(role, permission)} == roles


@pytest.mark.django_db
def test_a_role_holds_at_its_own_operator_only():
    mine, other = PlayerFactory(), PlayerFactory()
    support = staff(mine.operator, SUPPORT)
    Membership.objects.create(user=support, operator=other.operator, role=AUDITOR)
    assert support.has_perm("operators.block_player", mine)
    assert not support.has_perm("operators.block_player", other)
    assert support.has_perm("operators.view_player", other)
    assert not support.has_perm("operators.view_player", PlayerFactory())


@pytest.mark.django_db
def test_nobody_without_a_role_or_an_active_login_may_anything():
    operator = OperatorFactory()
    retired = staff(operator, OWNER)
    retired.is_active = False
    for person in (UserFactory(), retired):
        assert not person.has_perm("operators.view_player")
        assert not person.has_module_perms("operators")
