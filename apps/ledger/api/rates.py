"""`/api/exchange-rates` (podium.md 3)."""

from datetime import date, datetime
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import clock
from apps.core.api.camel import CamelSerializer
from apps.core.clock import iso
from apps.core.errors import Invalid
from apps.ledger.api.serializers import AmountField
from apps.ledger.services import rates
from apps.operators.api.access import OperatorView, actor_of, credential_of
from apps.operators.scopes import Scope


def moment(text: str, where: str) -> datetime:
    """Read a day, from its midnight in UTC on, or a moment. Raises Invalid."""
    try:
        found: datetime | date | None = parse_date(text) or parse_datetime(text)
    except ValueError:
        found = None
    if isinstance(found, datetime):
        if found.tzinfo is not None:
            return found
    elif found is not None:
        return rates.start_of(found)
    raise Invalid("A day or a moment.", fields={where: ["ISO 8601: 2026-11-20, or 2026-11-20T14:00:00Z."]})


@extend_schema_serializer(component_name="ExchangeRatesToPut")
class RatesIn(CamelSerializer):
    """What one unit of `base` is worth."""

    base = serializers.CharField(max_length=12)
    date = serializers.CharField(
        max_length=40, help_text="From when the rates hold: a day (its midnight in UTC) or a moment, ISO 8601."
    )
    rates = serializers.DictField(
        child=AmountField(), help_text='By currency: `{"SEK": 11.2}`; numbers or decimal text.'
    )


@extend_schema_serializer(component_name="ExchangeRatesPut")
class RatesPut(CamelSerializer):
    """What was kept."""

    base = serializers.CharField()
    valid_from = serializers.DateTimeField()
    changed = serializers.ListField(
        child=serializers.CharField(), help_text="The currencies whose rate is new or another than before."
    )


@extend_schema_serializer(component_name="ExchangeRate")
class RateOut(CamelSerializer):
    """One rate."""

    rate = serializers.CharField(help_text="Units for one of the base, decimal text.")
    valid_from = serializers.DateTimeField()


@extend_schema_serializer(component_name="ExchangeRates")
class RatesOut(CamelSerializer):
    """The rates of one base that hold at a moment."""

    base = serializers.CharField()
    at = serializers.DateTimeField()
    rates = serializers.DictField(child=RateOut())


@extend_schema(tags=["Exchange rates"])
class ExchangeRatesView(OperatorView):
    """Dated exchange rates."""

    scopes = {"get": Scope.WALLETS_READ, "put": Scope.WALLETS_WRITE}

    @extend_schema(operation_id="exchange_rates_put", request=RatesIn, responses={200: RatesPut})
    def put(self, request: Request) -> Response:
        """Keep dated rates: all of them or none. The same again changes nothing; another rate replaces the old one."""
        body: dict[str, Any] = RatesIn.read(request)
        kept = rates.put_rates(
            credential_of(request).operator_id,
            base=body["base"],
            valid_from=moment(body["date"], "date"),
            rates=body["rates"],
            actor=actor_of(request),
            at=clock.now(),
        )
        return Response({"base": kept.base, "validFrom": iso(kept.valid_from), "changed": list(kept.changed)})

    @extend_schema(
        operation_id="exchange_rates_get",
        parameters=[
            OpenApiParameter("base", str, description="The operator's currency by default."),
            OpenApiParameter("at", OpenApiTypes.DATETIME, description="Now by default."),
        ],
        responses={200: RatesOut},
    )
    def get(self, request: Request) -> Response:
        """Return the rates of a base that hold at a moment."""
        operator = credential_of(request).operator
        base = request.query_params.get("base", operator.currency).upper()
        asked = request.query_params.get("at")
        at = clock.now() if asked is None else moment(asked, "at")
        held = rates.rates_at(operator.pk, base=base, at=at)
        shown = {row.quote: {"rate": f"{row.rate.normalize():f}", "validFrom": iso(row.valid_from)} for row in held}
        return Response({"base": base, "at": iso(at), "rates": shown})
