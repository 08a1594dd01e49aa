"""Open an operator whole: the tenant, its assets, and one credential of every kind (podium.md 1)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from apps.core.actors import Actor
from apps.core.errors import Invalid
from apps.ledger.services.assets import add_asset
from apps.operators.models import CredentialKind, Operator
from apps.operators.scopes import EVERY_SCOPE
from apps.operators.services import credentials, tenants
from apps.operators.services.credentials import Issued

# Code, name, digits behind the point.
ASSETS = (
    ("USD", "US dollar", 2),
    ("EUR", "Euro", 2),
    ("UPX", "UPX", 0),
    ("gamr", "GAMR", 18),
    ("plyr", "PLYR", 18),
)
FIRST_GAME = "crash-classic"


@dataclass(frozen=True, slots=True, repr=False)
class Opened:
    """A new operator with the only copies of its secrets. No repr: a log line must not show them."""

    operator: Operator
    credentials: dict[CredentialKind, Issued]


@transaction.atomic
def open_operator(*, name: str, slug: str | None, currency: str, actor: Actor, at: datetime) -> Opened:
    """Create an operator with a brand, a game, the assets, and one credential of every kind.

    The operator key holds every scope; the internal key reaches every operator's tournaments, as operators.md 12 has
    it. Raises Invalid and SlugTaken; nothing is created then.
    """
    if currency not in {code for code, _, _ in ASSETS}:
        known = ", ".join(code for code, _, _ in ASSETS)
        raise Invalid(f"The currencies are {known}.", fields={"currency": ["Unknown asset."]})
    operator = tenants.open_operator(name=name, slug=slug, currency=currency, actor=actor, at=at)
    for code, label, scale in ASSETS:
        add_asset(operator.pk, code, scale=scale, name=label)
    tenants.put_game(operator.pk, FIRST_GAME, tenants.GameChanges(display_name="Crash Classic"), actor=actor, at=at)
    return Opened(operator, _one_of_every_kind(operator, actor=actor, at=at))


def _one_of_every_kind(operator: Operator, *, actor: Actor, at: datetime) -> dict[CredentialKind, Issued]:
    particulars: dict[CredentialKind, dict[str, Any]] = {
        CredentialKind.OPERATOR: {"scopes": [str(scope) for scope in EVERY_SCOPE]},
        CredentialKind.INTERNAL: {"all_operators": True},
        CredentialKind.INTEGRATION: {"ref": operator.slug},
        CredentialKind.GAME: {"ref": operator.slug},
        CredentialKind.MATCH_CLIENT: {"ref": operator.slug},
        CredentialKind.APPLICATION: {},
    }
    return {
        kind: credentials.issue(
            operator_id=operator.pk,
            kind=kind,
            name=f"First {kind.label[:1].lower()}{kind.label[1:]}",
            actor=actor,
            at=at,
            **more,
        )
        for kind, more in particulars.items()
    }
