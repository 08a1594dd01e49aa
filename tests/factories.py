"""Objects that any test may need, made the way the product makes them."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import factory
from django.http import HttpResponse
from django.test import Client

from apps.core.actors import SYSTEM
from apps.ledger.services.assets import add_asset
from apps.ledger.services.tenants import ASSETS
from apps.ledger.services.tenants import FIRST_GAME as GAME
from apps.operators.models import CredentialKind, Membership, Operator, Player, Role, User
from apps.operators.scopes import EVERY_SCOPE
from apps.operators.services import credentials
from apps.operators.services.tenants import GameChanges, put_brand, put_game

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class OperatorFactory(factory.django.DjangoModelFactory):
    """An operator as `create_operator` leaves it: the assets, a brand called like its slug, and one game."""

    class Meta:
        model = Operator
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"Operator {n}")
    slug = factory.Sequence(lambda n: f"operator-{n}")

    @factory.post_generation
    def furnished(self, create, extracted, **_):
        if not create or extracted is False:
            return
        told = {"actor": SYSTEM, "at": LONG_AGO}
        put_brand(self.pk, external_id=self.slug, name=self.name, **told)
        put_game(self.pk, GAME, GameChanges(display_name="Crash Classic"), **told)
        for code, _, scale in ASSETS:
            add_asset(self.pk, code, scale=scale)


class PlayerFactory(factory.django.DjangoModelFactory):
    """A player of the operator's own brand."""

    class Meta:
        model = Player

    operator = factory.SubFactory(OperatorFactory)
    brand = factory.LazyAttribute(lambda player: player.operator.brands.order_by("pk").first())
    external_id = factory.Sequence(lambda n: f"u-{n}")
    display_name = factory.Sequence(lambda n: f"Player {n}")


class UserFactory(factory.django.DjangoModelFactory):
    """A staff login without any membership; its password is "podium-password"."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"staff-{n}@podium.example")
    is_staff = True
    password = factory.django.Password("podium-password")


def staff(operator: Operator, role: str = Role.OWNER) -> User:
    """A staff user with a role at one operator."""
    user = UserFactory()
    Membership.objects.create(user=user, operator=operator, role=role)
    return user


def issue(operator: Operator, kind: str = CredentialKind.OPERATOR, **more: Any) -> credentials.Issued:
    """Issue a credential long ago, so that it is valid whatever moment a test pretends."""
    defaults = {"name": "test", "at": LONG_AGO, "actor": SYSTEM}
    return credentials.issue(operator_id=operator.pk, kind=kind, **(defaults | more))


def operator_key(operator: Operator, scopes: Iterable[str] = EVERY_SCOPE, **more: Any) -> str:
    """A key of the operator's, with every scope unless told otherwise."""
    return issue(operator, scopes=[str(scope) for scope in scopes], **more).key


def internal_key(operator: Operator, *, all_operators: bool = True, **more: Any) -> str:
    """A key of a game platform; it reaches every operator unless told otherwise."""
    return issue(operator, CredentialKind.INTERNAL, all_operators=all_operators, **more).key


class Api:
    """A client that sends a key and JSON: `Api(key).post("/api/players", {"userId": "u-9"})`.

    A crash in a view is a crash in the test; `crashes=False` shows the 500 that a caller would see.
    """

    def __init__(self, key: str | None = None, *, crashes: bool = True) -> None:
        self.client = Client(raise_request_exception=crashes)
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        content_type: str = "application/json",
        **environ: Any,
    ) -> HttpResponse:
        """Send any request; text and bytes go as they are, everything else as JSON."""
        data = body if isinstance(body, str | bytes) else json.dumps(body, default=float)
        data = b"" if body is None else data
        return self.client.generic(
            method, path, data, content_type=content_type, headers=self.headers | dict(headers or {}), **environ
        )

    def get(self, path: str, query: Mapping[str, Any] | None = None, **more: Any) -> HttpResponse:
        return self.client.get(path, query or {}, headers=self.headers | more.pop("headers", {}), **more)

    def post(self, path: str, body: Any = None, **more: Any) -> HttpResponse:
        return self.send("POST", path, body, **more)

    def put(self, path: str, body: Any = None, **more: Any) -> HttpResponse:
        return self.send("PUT", path, body, **more)

    def patch(self, path: str, body: Any = None, **more: Any) -> HttpResponse:
        return self.send("PATCH", path, body, **more)

    def delete(self, path: str, body: Any = None, **more: Any) -> HttpResponse:
        return self.send("DELETE", path, body, **more)


def api(operator: Operator, scopes: Iterable[str] = EVERY_SCOPE) -> Api:
    """A client with a fresh key of the operator's."""
    return Api(operator_key(operator, scopes))


def internal_api(operator: Operator, **more: Any) -> Api:
    """A client with a fresh internal key."""
    return Api(internal_key(operator, **more))
