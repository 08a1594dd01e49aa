"""Match clients: registered here, their configuration shown and downloaded once."""

import base64
import json
from dataclasses import dataclass
from datetime import datetime

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from apps.core.actors import Actor
from apps.core.admin import Operation, TenantAdmin, display, formats
from apps.matches.admin.forms import ClientForm, NewClientForm, NewSecretForm
from apps.matches.models import Client, Delivery
from apps.matches.services import clients
from apps.matches.services.clients import ClientChanges, Registered
from apps.operators.models import Operator


@dataclass(frozen=True, slots=True, repr=False)
class Shown:
    """A client's configuration, shown once. No repr: no log line shows it."""

    client: Client
    text: str

    @property
    def address(self) -> str:
        """The file itself, so that saving it asks nothing of the server, which no longer has the secret."""
        return f"data:application/json;base64,{base64.b64encode(self.text.encode()).decode()}"


def _shown(registered: Registered) -> Shown:
    client = registered.client
    text = json.dumps(clients.developer_config(client.client_id, registered.secret), indent=2)
    return Shown(client, f"{text}\n")


def register(*, operator: Operator, client_id: str, changes: ClientChanges, actor: Actor, at: datetime) -> Shown:
    """Register a client."""
    return _shown(clients.register(operator.pk, client_id, changes, actor=actor, at=at))


def new_secret(client_pk: int, *, overlap_seconds: int, actor: Actor, at: datetime) -> Shown:
    """Give a client a new secret."""
    return _shown(clients.new_secret(client_pk, overlap_seconds=overlap_seconds, actor=actor, at=at))


@admin.register(Client)
class ClientAdmin(TenantAdmin):
    """Game back-ends that run matches."""

    indexed = None
    creation = Operation(
        name="register",
        label="Register client",
        icon="hub",
        run=register,
        form=NewClientForm,
        permission="matches.register_client",
        reveal="podium/match_client.html",
        explain="Its developer-config.json, with its secret, is shown once.",
    )
    operations = (
        Operation(
            name="edit",
            label="Edit",
            submit="Save",
            icon="edit",
            run=clients.change,
            form=ClientForm,
            permission="matches.register_client",
            explain="Matches that exist keep the settings they were made with.",
            done="Saved.",
        ),
        Operation(
            name="new-secret",
            label="New secret",
            icon="autorenew",
            run=new_secret,
            form=NewSecretForm,
            permission="matches.register_client",
            reveal="podium/match_client.html",
            explain="A new developer-config.json is shown once. Its key and address stay as they are.",
        ),
    )
    list_display = ("client_id", "name", "operator", "mode", "hears", "fee", "shown_order")
    list_select_related = ("operator",)
    search_fields = ("client_id",)
    search_help_text = "Client id or name"
    fieldsets = (
        (None, {"fields": (("client_id", "name"), ("operator", "mode"), ("hears", "webhook_url"), "launch")}),
        ("Matches", {"fields": (("fee", "hold_minutes"), ("shown_order", "tie_policy"))}),
        ("Webhook", {"fields": (("strict_200", "aborts_on_first_failure"), "send_delete")}),
        ("Deadlines", {"fields": (("confirm_hours", "result_hours"), "gone_minutes")}),
        ("Configuration", {"fields": ("token_url", "public_key_url")}),
    )

    def created(self, answer: Shown) -> Client:
        """Return the row."""
        return answer.client

    def find(self, request: HttpRequest, rows: QuerySet[Client], term: str) -> QuerySet[Client]:
        """By id or name; there are few."""
        return rows.filter(Q(client_id__icontains=term) | Q(name__icontains=term))

    @display(description="hears by")
    def hears(self, row: Client) -> str:
        """Push or poll."""
        return formats.badge(row.get_delivery_display(), "blue" if row.delivery == Delivery.PUSH else "grey")

    @display(description="fee")
    def fee(self, row: Client) -> str:
        """Of the pot."""
        return f"{row.fee_bps / 100:g} %"

    @display(description="scores")
    def shown_order(self, row: Client) -> str:
        """Which wins."""
        return row.get_score_order_display()

    @display(description="launch URLs")
    def launch(self, row: Client) -> str:
        """By platform."""
        return formats.lines([f"{platform}: {url}" for platform, url in row.launch_urls.items()])

    @display(description="token URL")
    def token_url(self, row: Client) -> str:
        """Where it gets its access tokens."""
        return formats.code(f"{clients.realm_url(row.client_id)}/protocol/openid-connect/token")

    @display(description="public key URL")
    def public_key_url(self, row: Client) -> str:
        """Where it gets the key that checks our calls."""
        return formats.code(clients.realm_url(row.client_id))
