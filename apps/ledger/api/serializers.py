"""Bodies of the wallet endpoints. Amounts are decimal strings in major units."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from apps.core.api.camel import CamelSerializer
from apps.core.clock import iso
from apps.ledger.models import Posting, Transfer
from apps.ledger.money import written
from apps.ledger.services.reports import Wallet
from apps.ledger.services.transfers import MAX_REFERENCE


@extend_schema_field(OpenApiTypes.DECIMAL)
class AmountField(serializers.Field[Any, Any, Any, Any]):
    """A JSON string or number; what it may be is the ledger's to say (`apps.ledger.money`)."""

    def to_internal_value(self, data: Any) -> Any:
        """Pass it on: the service refuses what is no amount."""
        return data

    def to_representation(self, value: Any) -> str:
        """Decimal text."""
        return str(value)


@extend_schema_serializer(component_name="TransferToMake")
class TransferIn(CamelSerializer):
    """A deposit or withdrawal; `reference` is unique per operator and makes it repeatable."""

    asset = serializers.CharField(max_length=12)
    amount = AmountField()
    reference = serializers.CharField(max_length=MAX_REFERENCE)


@extend_schema_serializer(component_name="Transfer")
class TransferOut(CamelSerializer):
    """What a transfer did."""

    journal_id = serializers.CharField()
    asset = serializers.CharField()
    balance = serializers.CharField(help_text="All of the player's units afterwards, what is held included.")


@extend_schema_serializer(component_name="Wallet")
class WalletOut(CamelSerializer):
    """A player's money in one asset; available plus held is the balance."""

    asset = serializers.CharField()
    balance = serializers.CharField()
    held = serializers.CharField()
    available = serializers.CharField()


@extend_schema_serializer(component_name="Posting")
class PostingOut(CamelSerializer):
    """One leg of a journal on one of the player's accounts."""

    journal_id = serializers.CharField()
    kind = serializers.CharField()
    account = serializers.ChoiceField(choices=["wallet", "held"])
    asset = serializers.CharField()
    amount = serializers.CharField(help_text="Positive: onto the account.")
    subject = serializers.CharField(allow_blank=True)
    memo = serializers.CharField(allow_blank=True)
    occurred_at = serializers.DateTimeField()


def wallet_json(wallet: Wallet) -> dict[str, Any]:
    """Write a wallet."""
    return {
        "asset": wallet.asset,
        "balance": written(wallet.available + wallet.held, wallet.scale),
        "held": written(wallet.held, wallet.scale),
        "available": written(wallet.available, wallet.scale),
    }


def transfer_json(transfer: Transfer) -> dict[str, Any]:
    """Write the answer to a transfer, the same for every repeat."""
    return {
        "journalId": str(transfer.journal_id),
        "asset": transfer.asset.code,
        "balance": written(transfer.balance_after, transfer.asset.scale),
    }


def posting_json(posting: Posting) -> dict[str, Any]:
    """Write a posting, its journal, account and asset loaded."""
    account = posting.account
    return {
        "journalId": str(posting.journal_id),
        "kind": posting.journal.kind,
        "account": "wallet" if account.kind == "PLAYER" else "held",
        "asset": account.asset.code,
        "amount": written(posting.units, account.asset.scale),
        "subject": posting.journal.subject,
        "memo": posting.journal.memo,
        "occurredAt": iso(posting.journal.occurred_at),
    }
