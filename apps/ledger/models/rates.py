"""What one currency is worth in another, from a moment on."""

import pgtrigger
from django.db import models
from django.db.models import F, Q

from apps.operators.models import Operator
from apps.operators.models.tenants import OwnedQuerySet


class ExchangeRate(models.Model):
    """`rate` units of `quote` for one of `base`, from `valid_from` until a later row of the same pair.

    Codes are upper case. A rate may be put right; whoever paid by it keeps the rate that was used.
    """

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="exchange_rates", db_index=False)
    base = models.CharField(max_length=12)
    quote = models.CharField(max_length=12)
    rate = models.DecimalField(max_digits=36, decimal_places=18)
    valid_from = models.DateTimeField()
    source = models.CharField(max_length=80, help_text="Who said so.")
    changed_at = models.DateTimeField()

    objects = OwnedQuerySet.as_manager()

    class Meta:
        constraints = (
            # Its index also finds the newest rate of a pair before a moment.
            models.UniqueConstraint(name="ledger_rate_once", fields=["operator", "base", "quote", "valid_from"]),
            models.CheckConstraint(name="ledger_rate_positive", condition=Q(rate__gt=0)),
            models.CheckConstraint(name="ledger_rate_of_two", condition=~Q(base=F("quote"))),
        )
        triggers = (pgtrigger.Protect(name="rate_stays", operation=pgtrigger.Delete),)

    def __str__(self) -> str:
        return f"{self.base}/{self.quote} {self.rate.normalize():f}"
