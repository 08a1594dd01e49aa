"""Exchange rates, as finance keeps them."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from apps.core.actors import Actor
from apps.core.admin import Operation, OperationForm, TenantAdmin, display, formats
from apps.ledger.models import ExchangeRate
from apps.ledger.services import rates
from apps.operators.models import Operator


class RateForm(OperationForm):
    """One rate, from a day on. The same pair and day again puts it right."""

    operator = forms.ModelChoiceField(Operator.objects.none())
    day = forms.DateField(
        label="Valid from", help_text="Midnight in UTC.", widget=forms.DateInput(attrs={"type": "date"})
    )
    base = forms.CharField(max_length=12, help_text="One unit of this currency …")
    rate = forms.DecimalField(max_digits=36, decimal_places=rates.PLACES, help_text="… is worth this many …")
    quote = forms.CharField(max_length=12, label="Currency", help_text="… units of this one.")


def put_rate(*, operator: Operator, day: Any, base: str, rate: Decimal, quote: str, actor: Actor, at: datetime) -> Any:
    """Keep one rate and return its row."""
    kept = rates.put_rates(
        operator.pk, base=base, valid_from=rates.start_of(day), rates={quote: rate}, actor=actor, at=at
    )
    return ExchangeRate.objects.get(operator=operator, base=kept.base, quote=quote.upper(), valid_from=kept.valid_from)


@admin.register(ExchangeRate)
class ExchangeRateAdmin(TenantAdmin):
    """What one currency is worth in another, from a moment on."""

    creation = Operation(
        name="add", label="Set a rate", icon="add", run=put_rate, form=RateForm, permission="ledger.add_exchangerate"
    )
    list_display = ("pair", "worth", "since", "operator", "source")
    list_select_related = ("operator",)
    search_fields = ("base", "quote")
    search_help_text = "Currency, or a pair such as EUR/SEK"
    fieldsets = ((None, {"fields": (("base", "quote"), ("worth", "since"), ("source", "operator"), "put_right")}),)

    def find(self, request: HttpRequest, rows: QuerySet[ExchangeRate], term: str) -> QuerySet[ExchangeRate]:
        """By either currency, or by both."""
        base, slash, quote = term.upper().partition("/")
        if slash:
            return rows.filter(base=base.strip(), quote=quote.strip())
        return rows.filter(Q(base=base) | Q(quote=base))

    @display(description="pair", ordering="base")
    def pair(self, row: ExchangeRate) -> str:
        """Base and currency."""
        return f"{row.base}/{row.quote}"

    @display(description="rate")
    def worth(self, row: ExchangeRate) -> str:
        """Units for one of the base."""
        return f"{row.rate.normalize():f}"

    @display(description="valid from", ordering="valid_from")
    def since(self, row: ExchangeRate) -> str:
        """From when."""
        return formats.moment(row.valid_from)

    @display(description="last changed")
    def put_right(self, row: ExchangeRate) -> str:
        """When it was put, or put right."""
        return formats.moment(row.changed_at, seconds=True)
