"""Wallets of players: balances, deposits, withdrawals, statement."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import clock
from apps.core.api.paging import whole
from apps.ledger.api.serializers import (
    PostingOut,
    TransferIn,
    TransferOut,
    WalletOut,
    posting_json,
    transfer_json,
    wallet_json,
)
from apps.ledger.models import Posting
from apps.ledger.services import accounts, reports, transfers
from apps.operators.api.access import OperatorView, actor_of, credential_of
from apps.operators.models import Player
from apps.operators.scopes import Scope
from apps.operators.services import players

BIGGEST_ID = 2**63 - 1

WalletsOut = inline_serializer("Wallets", {"wallets": WalletOut(many=True)})
LedgerOut = inline_serializer(
    "PlayerLedger", {"postings": PostingOut(many=True), "nextCursor": serializers.CharField(allow_null=True)}
)


def _player(request: Request, user_id: str) -> Player:
    return players.resolve_player(credential_of(request).operator_id, user_id)


@extend_schema(tags=["Wallets"])
class WalletsView(OperatorView):
    """What a player has."""

    scopes = {"get": Scope.WALLETS_READ}

    @extend_schema(operation_id="wallets_list", responses={200: WalletsOut})
    def get(self, request: Request, user_id: str) -> Response:
        """List the player's wallets, one per asset."""
        player = _player(request, user_id)
        found = reports.wallets(player.operator_id, player.pk)
        return Response({"wallets": [wallet_json(wallet) for wallet in found]})


class _TransferView(OperatorView):
    scopes = {"post": Scope.WALLETS_WRITE}

    def _do(self, request: Request, user_id: str, verb: Callable[..., transfers.Moved]) -> Response:
        body: dict[str, Any] = TransferIn.read(request)
        moved = verb(
            _player(request, user_id).pk,
            asset_code=body["asset"],
            amount=body["amount"],
            reference=body["reference"],
            actor=actor_of(request),
            at=clock.now(),
        )
        return Response(transfer_json(moved.transfer), status=201 if moved.new else 200)


@extend_schema(tags=["Wallets"])
class DepositsView(_TransferView):
    """Money into a wallet."""

    @extend_schema(operation_id="wallets_deposit", request=TransferIn, responses={200: TransferOut, 201: TransferOut})
    def post(self, request: Request, user_id: str) -> Response:
        """Deposit. The same reference again: 200 with the first answer; with anything else: 409 REFERENCE_REUSED."""
        return self._do(request, user_id, transfers.deposit)


@extend_schema(tags=["Wallets"])
class WithdrawalsView(_TransferView):
    """Money out of a wallet."""

    @extend_schema(operation_id="wallets_withdraw", request=TransferIn, responses={200: TransferOut, 201: TransferOut})
    def post(self, request: Request, user_id: str) -> Response:
        """Withdraw; more than is available: 409 INSUFFICIENT_BALANCE."""
        return self._do(request, user_id, transfers.withdraw)


@extend_schema(tags=["Wallets"])
class LedgerView(OperatorView):
    """A player's statement."""

    scopes = {"get": Scope.WALLETS_READ}

    @extend_schema(
        operation_id="wallets_ledger",
        parameters=[
            OpenApiParameter("cursor", str, description="`nextCursor` of the page before."),
            OpenApiParameter("limit", int, description="1 to 200, 50 by default."),
        ],
        responses={200: LedgerOut},
    )
    def get(self, request: Request, user_id: str) -> Response:
        """List the postings on the player's accounts, newest first."""
        limit = whole(request.query_params, "limit", default=50, least=1, most=200)
        before = whole(request.query_params, "cursor", default=BIGGEST_ID, least=1, most=BIGGEST_ID)
        player = _player(request, user_id)
        found = list(
            Posting.objects.filter(account_id__in=accounts.ids_of_player(player.pk, player.operator_id), pk__lt=before)
            .select_related("journal", "account__asset")
            .order_by("-pk")[: limit + 1]
        )
        more = len(found) > limit
        return Response(
            {
                "postings": [posting_json(posting) for posting in found[:limit]],
                "nextCursor": str(found[limit - 1].pk) if more else None,
            }
        )
