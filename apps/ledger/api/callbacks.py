"""The keys that we send to an operator's payout and debit API (rounds.md 2)."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import clock
from apps.ledger.models import CallbackKind
from apps.ledger.services import calling
from apps.operators.api.access import OperatorView, actor_of, credential_of
from apps.operators.scopes import Scope

KINDS = tuple(kind.value.lower() for kind in CallbackKind)


class CallbackKeyIn(serializers.Serializer[Any]):
    """A key to send; left out, a fresh one is made."""

    kind = serializers.ChoiceField(KINDS)
    key = serializers.CharField(max_length=calling.MAX_KEY, required=False, allow_null=True)


class CallbackKeyOut(serializers.Serializer[Any]):
    """The key that goes with every call of a kind from now on, as `X-API-Key`; shown once."""

    kind = serializers.ChoiceField(KINDS)
    key = serializers.CharField()


class CallbackKeysView(OperatorView):
    """The keys of our calls."""

    scopes = {"put": Scope.SETTINGS_WRITE}
    # The answer holds the key.
    seals_answers = True

    @extend_schema(
        operation_id="set_callback_key",
        summary="Set the key that we send with payouts or debits",
        tags=["settings"],
        request=CallbackKeyIn,
        responses={200: CallbackKeyOut},
    )
    def put(self, request: Request) -> Response:
        """Set the key of one kind of call and show it once; the one before stops being sent."""
        form = CallbackKeyIn(data=request.data)
        form.is_valid(raise_exception=True)
        said = form.validated_data
        key = calling.put_key(
            credential_of(request).operator_id,
            kind=CallbackKind(said["kind"].upper()),
            key=said.get("key") or "",
            actor=actor_of(request),
            at=clock.now(),
        )
        return Response({"kind": said["kind"], "key": key})
