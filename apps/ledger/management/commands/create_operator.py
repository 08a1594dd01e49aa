"""`manage.py create_operator`: a tenant with one credential of every kind (podium.md 1).

It lives above operators, because an operator without assets could do nothing.
"""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core import clock
from apps.core.actors import Actor
from apps.core.errors import DomainError
from apps.ledger.services.tenants import Opened, open_operator
from apps.operators.models import CredentialKind


def described(opened: Opened) -> dict[str, Any]:
    """Return the object of podium.md 1; the secrets in it exist nowhere else."""
    operator, issued = opened.operator, opened.credentials
    game, client = issued[CredentialKind.GAME], issued[CredentialKind.MATCH_CLIENT]
    application, integration = issued[CredentialKind.APPLICATION], issued[CredentialKind.INTEGRATION]
    realm = f"{settings.PUBLIC_URL}/auth/realms/{client.credential.ref}"
    return {
        "operator": {
            "id": operator.public_id,
            "slug": operator.slug,
            "name": operator.name,
            "currency": operator.currency,
        },
        "operatorKey": issued[CredentialKind.OPERATOR].key,
        "internalKey": issued[CredentialKind.INTERNAL].key,
        "integration": {"id": integration.credential.ref, "apiKey": integration.key},
        "game": {"gameId": game.credential.ref, "apiKey": game.key, "secret": game.secret},
        "matchClient": {
            "okletsplay_url": settings.PUBLIC_URL,
            "authentication": {
                "client_id": client.credential.ref,
                "client_secret": client.key,
                "public_key_url": realm,
                "token_url": f"{realm}/protocol/openid-connect/token",
            },
        },
        "application": {"appId": int(application.credential.ref), "secretKey": application.key},
    }


class Command(BaseCommand):
    """Create an operator and print its credentials, once."""

    help = "Create an operator with one credential of every kind, and print them once."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the name, and what may be chosen."""
        parser.add_argument("name")
        parser.add_argument("--slug", help="short name in addresses; made from the name unless given")
        parser.add_argument("--currency", default="USD", help="asset used where a request names none")
        parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")

    def handle(self, *_: Any, **options: Any) -> None:
        """Create and print. Refuses a slug that is taken."""
        try:
            opened = open_operator(
                name=options["name"],
                slug=options["slug"],
                currency=options["currency"],
                actor=Actor("system", "create_operator"),
                at=clock.now(),
            )
        except DomainError as refused:
            raise CommandError(" ".join(part for part in (refused.message, refused.hint) if part)) from refused
        found = described(opened)
        if options["json"]:
            self.stdout.write(json.dumps(found))
            return
        self.stdout.write(f"Operator {opened.operator.name} ({opened.operator.slug}). Keep these; they are shown once.")
        self.stdout.write(json.dumps(found, indent=2))
