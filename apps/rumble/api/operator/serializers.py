"""Bodies of the operator's calls."""

from decimal import Decimal
from typing import Any

from django.conf import settings
from rest_framework import serializers

from apps.core.api.camel import CamelSerializer
from apps.core.clock import iso
from apps.core.numbers import number
from apps.ledger.models import ChainControl, ChainTransaction
from apps.rumble import words
from apps.rumble.models import Application, Connection, Deposit, Signing
from apps.rumble.services.applications import LONGEST_LIFE_HOURS, MOST_PLATFORM_PERCENT

CHAIN_WORDS = ["requested", "signed", "submitted", "final", "failed", "rejected", "expired", "withdrawn"]


class ApplicationIn(CamelSerializer):
    """How an application works; what is left out stays as it is."""

    name = serializers.CharField(max_length=120, required=False)
    description = serializers.CharField(max_length=1000, required=False, allow_blank=True)
    logo_url = serializers.CharField(max_length=500, required=False, allow_blank=True)
    developer_eos_id = serializers.CharField(
        max_length=64, required=False, allow_blank=True, help_text="Who gets the developer's fee."
    )
    webhook_url = serializers.CharField(
        max_length=2000, required=False, allow_blank=True, allow_null=True, help_text="Null or empty: no webhooks."
    )
    webhook_token = serializers.CharField(
        max_length=500,
        required=False,
        allow_blank=True,
        allow_null=True,
        help_text="Sent as Authorization: Bearer with each webhook; never shown again.",
    )
    signing = serializers.ChoiceField(Signing.values, required=False)
    expiration_hours = serializers.IntegerField(min_value=1, max_value=LONGEST_LIFE_HOURS, required=False)
    platform_fee_percentage = serializers.DecimalField(
        max_digits=4, decimal_places=2, min_value=Decimal(0), max_value=MOST_PLATFORM_PERCENT, required=False
    )


class ApplicationOut(CamelSerializer):
    """An application."""

    app_id = serializers.IntegerField()
    name = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    logo_url = serializers.CharField(allow_blank=True)
    developer_eos_id = serializers.CharField(allow_blank=True)
    webhook_url = serializers.CharField(allow_null=True)
    has_webhook_token = serializers.BooleanField()
    signing = serializers.ChoiceField(Signing.values)
    expiration_hours = serializers.IntegerField()
    platform_fee_percentage = serializers.FloatField()
    active = serializers.BooleanField()
    created_at = serializers.DateTimeField()


def application_json(application: Application) -> dict[str, Any]:
    """Write an application."""
    endpoint = application.endpoint
    told = endpoint if endpoint is not None and endpoint.enabled else None
    return {
        "appId": application.app_id,
        "name": application.name,
        "description": application.description,
        "logoUrl": application.logo_url,
        "developerEosId": application.developer_eos_id,
        "webhookUrl": told.url if told else None,
        "hasWebhookToken": bool(told and told.token),
        "signing": application.signing,
        "expirationHours": application.expiration_hours,
        "platformFeePercentage": number(words.percentage(application.platform_bps)),
        "active": application.inactivated_at is None,
        "createdAt": iso(application.created_at),
    }


class CodeIn(CamelSerializer):
    """What the player entered."""

    code = serializers.CharField(max_length=40)


class ConnectionOut(CamelSerializer):
    """An application that may act for a player."""

    app_id = serializers.IntegerField()
    name = serializers.CharField()
    user_id = serializers.UUIDField(help_text="The id that the application knows the player by.")
    eos_id = serializers.CharField()
    connected_at = serializers.DateTimeField()


def connection_json(connection: Connection, *, eos_id: str) -> dict[str, Any]:
    """Write a connection."""
    return {
        "appId": connection.application.app_id,
        "name": connection.application.name,
        "userId": words.user_id(connection.player_id),
        "eosId": eos_id,
        "connectedAt": iso(connection.connected_at),
    }


class PaymentOut(CamelSerializer):
    """A payment that waits for the player's word."""

    transaction_id = serializers.UUIDField()
    app_id = serializers.IntegerField()
    application = serializers.CharField()
    container_id = serializers.IntegerField()
    tournament_id = serializers.UUIDField(allow_null=True)
    tournament = serializers.CharField(allow_null=True)
    upx = serializers.IntegerField()
    expires_at = serializers.DateTimeField(allow_null=True)


def payment_json(deposit: Deposit) -> dict[str, Any]:
    """Write a payment that waits."""
    container = deposit.container
    rumble = getattr(container, "rumble", None)
    return {
        "transactionId": str(deposit.transaction.public_id),
        "appId": container.application.app_id,
        "application": container.application.name,
        "containerId": container.pk,
        "tournamentId": rumble.public_id if rumble else None,
        "tournament": rumble.tournament.name if rumble else None,
        "upx": int(deposit.units),
        "expiresAt": iso(deposit.transaction.due_at),
    }


class TransactionOut(CamelSerializer):
    """Where a transaction stands."""

    transaction_id = serializers.UUIDField()
    status = serializers.ChoiceField(CHAIN_WORDS)
    upx = serializers.IntegerField()


def transaction_json(transaction: ChainTransaction) -> dict[str, Any]:
    """Write a transaction."""
    return {
        "transactionId": str(transaction.public_id),
        "status": transaction.status.lower(),
        "upx": int(transaction.units),
    }


class LinkOut(CamelSerializer):
    """A link that signs a player in."""

    url = serializers.CharField()
    expires_at = serializers.DateTimeField()


class ChainIn(CamelSerializer):
    """How the simulated chain behaves; what is left out stays as it is."""

    finality_seconds = serializers.FloatField(min_value=0, max_value=604_800, required=False, allow_null=True)
    fail_next = serializers.IntegerField(min_value=0, max_value=1_000_000, required=False, allow_null=True)
    hold = serializers.BooleanField(required=False, allow_null=True)


class ChainOut(CamelSerializer):
    """How it behaves now."""

    finality_seconds = serializers.FloatField()
    fail_next = serializers.IntegerField()
    hold = serializers.BooleanField()


def chain_json(control: ChainControl) -> dict[str, Any]:
    """Write how the chain behaves."""
    seconds = control.finality_seconds
    return {
        "finalitySeconds": settings.CHAIN_FINALITY_SECONDS if seconds is None else seconds,
        "failNext": control.fail_next,
        "hold": control.hold,
    }
