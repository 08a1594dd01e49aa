"""Operators themselves: their opening, their preferences, their brands and games, and their staff."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.text import slugify

from apps.core.actors import Actor
from apps.core.errors import DomainError, Invalid, NotFound
from apps.operators.models import Brand, Game, Membership, Operator, Role, User
from apps.operators.models.tenants import RESERVED_SLUGS
from apps.operators.preferences import Preferences, merged

SLUG = re.compile(r"^[a-z0-9][a-z0-9\-]{0,49}$")
BRAND_ID = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._\-]{0,63}$")
GAME_SLUG = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._\-]{0,79}$")
CURRENCY = re.compile(r"^[A-Za-z]{2,12}$")


class SlugTaken(DomainError):
    """Another operator has this slug."""

    code = "SLUG_TAKEN"
    hint = "Choose another with --slug."


class OperatorNotFound(NotFound):
    """There is no such operator."""


class AlreadyStaff(DomainError):
    """The person has a role at this operator already."""

    code = "ALREADY_STAFF"
    hint = "Change the role in the admin."


class GameNotFound(NotFound):
    """There is no such game in the operator's catalogue."""


def open_operator(*, name: str, slug: str | None, currency: str, actor: Actor, at: datetime) -> Operator:
    """Create a tenant with one brand of the same name, whose id is the slug, in the running transaction.

    Its assets, and so a valid `currency`, come from the ledger. Raises Invalid and SlugTaken.
    """
    chosen = slugify(name)[:50] if slug is None else slug
    if not SLUG.match(chosen):
        raise Invalid("No usable slug.", fields={"slug": ["1 to 50 of a-z, 0-9 and -, not starting with -."]})
    if not 0 < len(name.strip()) <= 120:  # noqa: PLR2004 - the column's length
        raise Invalid("No usable name.", fields={"name": ["1 to 120 characters."]})
    if not CURRENCY.match(currency):
        raise Invalid("No usable currency.", fields={"currency": ["2 to 12 letters."]})
    operator, created = Operator.objects.get_or_create(
        slug=chosen, defaults={"name": name.strip(), "currency": currency, "created_at": at}
    )
    if not created:
        raise SlugTaken(f"There is an operator {chosen} already.", slug=chosen)
    put_brand(operator.pk, external_id=chosen, name=operator.name, actor=actor, at=at)
    return operator


def operator_by_slug(slug: str) -> Operator:
    """Return an operator. Raises OperatorNotFound."""
    found = Operator.objects.filter(slug=slug).first()
    if found is None:
        raise OperatorNotFound(f"There is no operator {slug}.")
    return found


@transaction.atomic
def change_preferences(operator_id: int, patch: Mapping[str, Any], *, actor: Actor, at: datetime) -> Preferences:
    """Merge a patch into the operator's preferences (RFC 7396: null returns to the default) and return all of them.

    Raises Invalid, naming the path of the field that is unknown or ill-typed; nothing is changed then.
    """
    operator = Operator.objects.select_for_update(no_key=True).get(pk=operator_id)
    wanted = merged(operator.preferences, patch)
    whole = Preferences.load(wanted)
    if wanted != operator.preferences:
        operator.preferences = wanted
        _explain(operator, "preferences changed", actor, at)
        operator.save(update_fields=["preferences"])
    return whole


@transaction.atomic
def suspend_operator(operator_id: int, *, reason: str, actor: Actor, at: datetime) -> Operator:
    """Refuse every key of an operator from now on. Suspending twice is suspending once."""
    operator = Operator.objects.select_for_update(no_key=True).get(pk=operator_id)
    if operator.suspended_at is None:
        operator.suspended_at = at
        _explain(operator, reason, actor, at)
        operator.save(update_fields=["suspended_at"])
    return operator


@transaction.atomic
def resume_operator(operator_id: int, *, reason: str, actor: Actor, at: datetime) -> Operator:
    """Let an operator's keys in again."""
    operator = Operator.objects.select_for_update(no_key=True).get(pk=operator_id)
    if operator.suspended_at is not None:
        operator.suspended_at = None
        _explain(operator, reason, actor, at)
        operator.save(update_fields=["suspended_at"])
    return operator


@transaction.atomic
def put_brand(operator_id: int, *, external_id: str, name: str, actor: Actor, at: datetime) -> tuple[Brand, bool]:
    """Create a brand or rename it; the flag tells which it was. Raises Invalid."""
    if not BRAND_ID.match(external_id):
        raise Invalid("No usable brand id.", fields={"brandId": ["1 to 64 letters, digits, dots, - and _."]})
    brand, created = Brand.objects.get_or_create(
        operator_id=operator_id, external_id=external_id, defaults={"name": name}
    )
    if not created and brand.name != name:
        brand.name = name
        _explain(brand, "renamed", actor, at)
        brand.save(update_fields=["name"])
    return brand, created


@dataclass(frozen=True, slots=True)
class GameChanges:
    """What to set of a game; None leaves it as it is (or at its default, for a new game)."""

    display_name: str | None = None
    provider: str | None = None
    enabled: bool | None = None
    is_freeround_supported: bool | None = None
    icon_url: str | None = None
    launch_url: str | None = None


@transaction.atomic
def put_game(operator_id: int, slug: str, changes: GameChanges, *, actor: Actor, at: datetime) -> tuple[Game, bool]:
    """Create a game of the catalogue or change it; the flag tells which it was.

    Raises Invalid for a slug that is unusable or that a register answer needs for itself (operators.md 3.8), for
    addresses that are no web addresses, and for a new game without a display name.
    """
    if not GAME_SLUG.match(slug) or slug.lower() in RESERVED_SLUGS:
        raise Invalid("No usable slug.", fields={"slug": ["1 to 80 letters, digits, dots, - and _; none reserved."]})
    wanted = {
        field: value for field in GameChanges.__dataclass_fields__ if (value := getattr(changes, field)) is not None
    }
    _refuse_bad_addresses(wanted)
    game = Game.objects.for_operator(operator_id).select_for_update(no_key=True).filter(slug=slug).first()
    if game is None:
        if "display_name" not in wanted:
            raise Invalid("A new game needs a name.", fields={"displayName": ["This field is required."]})
        game, created = Game.objects.get_or_create(operator_id=operator_id, slug=slug, defaults=wanted)
        if created:
            return game, True
    changed = {field: value for field, value in wanted.items() if getattr(game, field) != value}
    if changed:
        for field, value in changed.items():
            setattr(game, field, value)
        _explain(game, "changed", actor, at)
        game.save(update_fields=[*changed])
    return game, False


def _refuse_bad_addresses(wanted: Mapping[str, Any]) -> None:
    for field, spelled in (("icon_url", "iconUrl"), ("launch_url", "launchUrl")):
        address = wanted.get(field)
        try:
            fine = not address or (urlsplit(address).scheme in {"http", "https"} and bool(urlsplit(address).netloc))
        except ValueError:
            fine = False
        if not fine:
            raise Invalid("No web address.", fields={spelled: ["Expected http://… or https://…"]})
    unfilled = re.sub(re.escape("{slug}"), "", wanted.get("launch_url", ""))
    if "{" in unfilled or "}" in unfilled:
        raise Invalid("No launch address.", fields={"launchUrl": ["{slug} is the only field that is filled in."]})


@dataclass(frozen=True, slots=True, repr=False)
class Staff:
    """A membership, whether its login is new, and the password made for it ("" when one was given or it is not new)."""

    membership: Membership
    is_new: bool
    password: str


@transaction.atomic
def create_staff(*, email: str, operator_id: int, role: str, password: str | None, actor: Actor, at: datetime) -> Staff:
    """Give a person a role at an operator, creating their login if they have none.

    An existing login keeps its password, whatever is passed. Raises Invalid (e-mail, role, weak password) and
    AlreadyStaff.
    """
    address = User.objects.normalize_email(email.strip()).lower()
    try:
        validate_email(address)
        if password is not None:
            validate_password(password, User(email=address))
    except ValidationError as problem:
        raise Invalid(" ".join(problem.messages)) from problem
    if role not in Role.values:
        raise Invalid(f"The roles are {', '.join(Role.values)}.", fields={"role": ["Unknown role."]})
    user = User.objects.filter(email=address).first()
    made, is_new = "", user is None
    if user is None:
        made = secrets.token_urlsafe(12) if password is None else ""
        user = User.objects.create_user(address, password or made, is_staff=True, date_joined=at)
    elif not user.is_staff:
        user.is_staff = True
        user.save(update_fields=["is_staff"])
    held = Membership.objects.filter(user=user, operator_id=operator_id).first()
    if held is not None:
        raise AlreadyStaff(f"{address} is {held.role} already.", role=held.role)
    membership = Membership(user=user, operator_id=operator_id, role=role)
    _explain(membership, "granted", actor, at)
    membership.save(force_insert=True)
    return Staff(membership, is_new, made)


def _explain(row: Any, reason: str, actor: Actor, at: datetime) -> None:
    """Say in the row's history who did it, why, and when; read by django-simple-history at the next save."""
    row._change_reason = f"{actor}: {reason}"[:300]  # noqa: SLF001 - its documented hook
    row._history_date = at  # noqa: SLF001 - likewise
