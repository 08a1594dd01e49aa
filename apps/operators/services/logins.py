"""Logins of staff and the end of memberships; `tenants.create_staff` begins them."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from apps.core.actors import Actor
from apps.core.errors import DomainError, Invalid
from apps.operators.models import Membership, Role, User


class LoginExists(DomainError):
    """There is a login with this e-mail address already."""

    code = "LOGIN_EXISTS"


class LastOwner(DomainError):
    """An operator keeps at least one owner."""

    code = "LAST_OWNER"
    hint = "Make somebody else an owner first."


@dataclass(frozen=True, slots=True, repr=False)
class Login:
    """A login, and the password made for it ("" when one was given)."""

    user: User
    password: str


@transaction.atomic
def create_login(*, email: str, is_superuser: bool, password: str, actor: Actor, at: datetime) -> Login:  # noqa: ARG001
    """Create a login without any role. An empty password is made. Raises LoginExists, Invalid."""
    address = User.objects.normalize_email(email.strip()).lower()
    if User.objects.filter(email=address).exists():
        raise LoginExists
    made = _checked(password, User(email=address))
    user = User.objects.create_user(address, password or made, is_staff=True, is_superuser=is_superuser, date_joined=at)
    return Login(user, made)


@transaction.atomic
def set_password(user_id: int, *, password: str, actor: Actor, at: datetime) -> Login:  # noqa: ARG001 - logged by who asks
    """Replace a password, which ends every session of the login. An empty password is made. Raises Invalid."""
    user = User.objects.select_for_update(no_key=True).get(pk=user_id)
    made = _checked(password, user)
    user.set_password(password or made)
    user.save(update_fields=["password"])
    return Login(user, made)


def _checked(password: str, user: User) -> str:
    """Return a made password where none is given; raise Invalid for a weak one."""
    if not password:
        return secrets.token_urlsafe(12)
    try:
        validate_password(password, user)
    except ValidationError as problem:
        raise Invalid(" ".join(problem.messages)) from problem
    return ""


@transaction.atomic
def change_role(membership_id: int, *, role: str, actor: Actor, at: datetime) -> Membership:
    """Give a member another role. Raises Invalid for an unknown role, LastOwner."""
    if role not in Role.values:
        raise Invalid(f"The roles are {', '.join(Role.values)}.", fields={"role": ["Unknown role."]})
    membership = _locked(membership_id, leaving_owner=role != Role.OWNER)
    if membership.role != role:
        membership.role = role
        _explain(membership, actor, at)
        membership.save(update_fields=["role"])
    return membership


@transaction.atomic
def end_membership(membership_id: int, *, actor: Actor, at: datetime) -> None:
    """Take a person's role away; their login stays. Raises LastOwner."""
    membership = _locked(membership_id, leaving_owner=True)
    _explain(membership, actor, at)
    membership.delete()


def _locked(membership_id: int, *, leaving_owner: bool) -> Membership:
    """Return the membership, its operator's owners locked, so that two can't both be the last but one to leave."""
    membership = Membership.objects.get(pk=membership_id)
    owners = Membership.objects.filter(operator_id=membership.operator_id, role=Role.OWNER).order_by("pk")
    ids = [owner.pk for owner in owners.select_for_update()]
    if leaving_owner and ids == [membership_id]:
        raise LastOwner
    return Membership.objects.select_for_update().get(pk=membership_id)


def _explain(membership: Membership, actor: Actor, at: datetime) -> None:
    membership._change_reason = str(actor)  # type: ignore[attr-defined]  # noqa: SLF001 - its documented hook
    membership._history_date = at  # type: ignore[attr-defined]  # noqa: SLF001 - likewise
