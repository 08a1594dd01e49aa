"""Match clients: find them, register them, change how they work (podium.md 4)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from apps.core import egress
from apps.core.actors import Actor
from apps.core.errors import DomainError, Invalid, NotFound
from apps.matches.models import Client, Delivery
from apps.matches.models.clients import CLIENT_ID
from apps.operators.models import Credential, CredentialKind, Operator
from apps.operators.services import credentials

PLATFORMS = ("browser", "android", "ios", "steam")
PLACEHOLDER = "{match-token}"
# What a launch link may be: a page, a custom scheme of an app, Steam. Never a script.
LAUNCH_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]{1,40}://[\S ]{1,450}")
NEVER = ("javascript:", "data:", "vbscript:", "file:")
MAX_URL = 500
# Hours and minutes that are still a plan.
MAX_HOURS, MAX_MINUTES = 24 * 365, 60 * 24 * 60


class ClientNotFound(NotFound):
    """There is no such match client."""

    code = "CLIENT_NOT_FOUND"


class ClientIdTaken(DomainError):
    """The client id belongs to somebody else."""

    code = "CLIENT_ID_TAKEN"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientChanges:
    """What of a client is to change; None leaves it as it is. Basis points, hours and minutes are whole numbers.

    An empty `webhook_url` means poll mode, any other push, unless `delivery` says so itself.
    """

    name: str | None = None
    mode: str | None = None
    delivery: str | None = None
    webhook_url: str | None = None
    launch_urls: Mapping[str, str] | None = None
    fee_bps: int | None = None
    score_order: str | None = None
    tie_policy: str | None = None
    strict_200: bool | None = None
    send_delete: bool | None = None
    aborts_on_first_failure: bool | None = None
    hold_minutes: int | None = None
    confirm_hours: int | None = None
    result_hours: int | None = None
    gone_minutes: int | None = None

    def given(self) -> dict[str, Any]:
        """Return what is to change."""
        return {one.name: value for one in fields(self) if (value := getattr(self, one.name)) is not None}


@dataclass(frozen=True, slots=True, repr=False)
class Registered:
    """A client as it is now and, if it is new, the only copy of its secret. No repr: no log line shows it."""

    client: Client
    new: bool
    secret: str = field(default="")


def realm_url(client_id: str) -> str:
    """Return the client's `public_key_url`, which is also the issuer of its tokens."""
    return f"{settings.PUBLIC_URL}/auth/realms/{client_id}"


def developer_config(client_id: str, secret: str) -> dict[str, Any]:
    """Return developer-config.json, whose names are part of the contract (matches.md 2.1)."""
    realm = realm_url(client_id)
    return {
        "okletsplay_url": settings.PUBLIC_URL,
        "authentication": {
            "client_id": client_id,
            "client_secret": secret,
            "public_key_url": realm,
            "token_url": f"{realm}/protocol/openid-connect/token",
        },
    }


def known(client_id: str, *, at: datetime) -> Client | None:
    """Return the client of that id with its operator, or None.

    An operator is born with a credential for one client; its settings are made when they are first asked for.
    """
    if not re.fullmatch(CLIENT_ID, client_id):
        return None
    found: Client | None = Client.objects.select_related("operator").filter(client_id=client_id).first()
    if found is not None:
        return found
    owner = Credential.objects.filter(kind=CredentialKind.MATCH_CLIENT, ref=client_id).order_by("pk").first()
    if owner is None:
        return None
    Client.objects.get_or_create(client_id=client_id, defaults={"operator_id": owner.operator_id, "created_at": at})
    made: Client = Client.objects.select_related("operator").get(client_id=client_id)
    return made


def find(operator_id: int, client_id: str, *, at: datetime) -> Client:
    """Return an operator's client. Raises ClientNotFound."""
    client = known(client_id, at=at)
    if client is None or client.operator_id != operator_id:
        raise ClientNotFound(clientId=client_id)
    return client


@transaction.atomic
def put(operator_id: int, client_id: str, changes: ClientChanges, *, actor: Actor, at: datetime) -> Registered:
    """Change a client, or register it: then its secret is in the answer, once. Raises Invalid, ClientIdTaken."""
    given = _sound(changes)
    client = known(client_id, at=at)
    secret = ""
    if client is not None and client.operator_id != operator_id:
        raise ClientIdTaken
    new = client is None
    if client is None:
        client, secret = _register(operator_id, client_id, actor=actor, at=at)
    client = Client.objects.select_for_update(of=("self",), no_key=True).select_related("operator").get(pk=client.pk)
    for name, value in given.items():
        setattr(client, name, value)
    _settle_delivery(client, given)
    client.origins = _origins(client.launch_urls)
    if given or new:
        client._change_reason = str(actor)  # noqa: SLF001 - its documented hook
        client._history_date = at  # noqa: SLF001 - likewise
        client.save()
    return Registered(client, new, secret)


def register(operator_id: int, client_id: str, changes: ClientChanges, *, actor: Actor, at: datetime) -> Registered:
    """Register a new client; staff never change another one by it. Raises Invalid, ClientIdTaken."""
    with transaction.atomic():
        registered = put(operator_id, client_id, changes, actor=actor, at=at)
        if not registered.new:
            raise ClientIdTaken
        return registered


def change(client_pk: int, changes: ClientChanges, *, actor: Actor, at: datetime) -> Client:
    """Change a client that exists. Raises Invalid."""
    client = Client.objects.get(pk=client_pk)
    return put(client.operator_id, client.client_id, changes, actor=actor, at=at).client


def new_secret(client_pk: int, *, overlap_seconds: int, actor: Actor, at: datetime) -> Registered:
    """Give a client a new secret; those before it work for `overlap_seconds` more."""
    with transaction.atomic():
        client = Client.objects.select_for_update(of=("self",), no_key=True).get(pk=client_pk)
        live = Credential.objects.filter(
            kind=CredentialKind.MATCH_CLIENT, ref=client.client_id, operator_id=client.operator_id, revoked_at=None
        )
        old = [one for one in live.order_by("pk") if one.is_live(at)]
        if not old:
            issued = _issue(client.operator_id, client.client_id, actor=actor, at=at)
        for one in old:
            issued = credentials.rotate(
                one.pk, operator_id=client.operator_id, overlap_seconds=overlap_seconds, actor=actor, at=at
            )
            if one is not old[-1]:
                credentials.revoke(issued.credential.pk, operator_id=client.operator_id, actor=actor, at=at)
        return Registered(client, False, issued.key)


def _register(operator_id: int, client_id: str, *, actor: Actor, at: datetime) -> tuple[Client, str]:
    if not re.fullmatch(CLIENT_ID, client_id):
        raise Invalid("No client id.", fields={"clientId": ["Letters, digits, . _ - only, 64 at most."]})
    # An operator's slug is the id of its first client; nobody else may take it.
    if Operator.objects.filter(slug=client_id).exclude(pk=operator_id).exists():
        raise ClientIdTaken
    client, new = Client.objects.get_or_create(
        client_id=client_id, defaults={"operator_id": operator_id, "created_at": at}
    )
    if not new:
        raise ClientIdTaken
    return client, _issue(operator_id, client_id, actor=actor, at=at).key


def _issue(operator_id: int, client_id: str, *, actor: Actor, at: datetime) -> credentials.Issued:
    return credentials.issue(
        operator_id=operator_id,
        kind=CredentialKind.MATCH_CLIENT,
        name=f"Match client {client_id}",
        ref=client_id,
        actor=actor,
        at=at,
    )


def _settle_delivery(client: Client, given: Mapping[str, Any]) -> None:
    if "delivery" not in given and "webhook_url" in given:
        client.delivery = Delivery.PUSH if given["webhook_url"] else Delivery.POLL
    if client.delivery == Delivery.PUSH and not client.webhook_url:
        raise Invalid("Push needs an address.", fields={"webhookUrl": ["Needed unless the game polls."]})


def _sound(changes: ClientChanges) -> dict[str, Any]:
    """Return what is to change. Raises Invalid, naming every field that is wrong."""
    given, wrong = changes.given(), {}
    limits = {
        "fee_bps": (0, 10_000),
        "hold_minutes": (0, MAX_MINUTES),
        "confirm_hours": (1, MAX_HOURS),
        "result_hours": (1, MAX_HOURS),
        "gone_minutes": (1, MAX_MINUTES),
    }
    for name, (least, most) in limits.items():
        if name in given and not least <= given[name] <= most:
            wrong[_camel(name)] = [f"A whole number from {least} to {most}."]
    if given.get("webhook_url"):
        try:
            egress.examine(given["webhook_url"])
        except egress.Refused as problem:
            wrong["webhookUrl"] = [str(problem)]
    for platform, template in given.get("launch_urls", {}).items():
        if platform not in PLATFORMS:
            wrong["launchUrls"] = [f"Platforms are {', '.join(PLATFORMS)}."]
        elif not LAUNCH_URL.fullmatch(template) or template.lower().startswith(NEVER):
            wrong["launchUrls"] = [f"{platform}: an address such as https://game.example/play?token={PLACEHOLDER}"]
    if wrong:
        raise Invalid("These settings don't work.", fields=wrong)
    return given


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)


def _is_web(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and len(address) <= MAX_URL
    except ValueError:
        return False


def _origins(launch_urls: Mapping[str, str]) -> list[str]:
    page = launch_urls.get("browser", "")
    if not _is_web(page):
        return []
    parts = urlsplit(page)
    return [f"{parts.scheme}://{parts.netloc}".lower()]
