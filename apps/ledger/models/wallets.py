"""Money at the edge of a wallet: deposits, withdrawals and holds."""

from django.db import models
from django.db.models import Q

from apps.ledger.lifecycle import HoldLifecycle, HoldStatus, hold_triggers
from apps.ledger.models.books import Asset, Journal
from apps.operators.models import Operator, Player
from apps.operators.models.tenants import OwnedQuerySet


class Direction(models.TextChoices):
    """Which way a transfer moves."""

    DEPOSIT = "DEPOSIT"
    WITHDRAWAL = "WITHDRAWAL"


class Transfer(models.Model):
    """A deposit or withdrawal between a player and the operator's clearing account; `reference` makes it repeatable."""

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="transfers", db_index=False)
    player = models.ForeignKey(Player, on_delete=models.PROTECT, related_name="transfers")
    direction = models.CharField(max_length=10, choices=Direction.choices)
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="+")
    units = models.DecimalField(max_digits=38, decimal_places=0)
    reference = models.CharField(max_length=120)
    journal = models.OneToOneField(Journal, on_delete=models.PROTECT, related_name="transfer")
    balance_after = models.DecimalField(max_digits=38, decimal_places=0)
    created_at = models.DateTimeField()

    objects = OwnedQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(name="ledger_transfer_reference_once", fields=["operator", "reference"]),
            models.CheckConstraint(name="ledger_transfer_positive", condition=Q(units__gt=0)),
        )

    def __str__(self) -> str:
        return self.reference


class Hold(HoldLifecycle):
    """A player's units set aside for one purpose: captured (they move on) or released (they come back), once."""

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="holds", db_index=False)
    player = models.ForeignKey(Player, on_delete=models.PROTECT, related_name="holds")
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="+")
    units = models.DecimalField(max_digits=38, decimal_places=0)
    key = models.CharField(max_length=120)
    subject = models.CharField(max_length=64, blank=True)
    placed_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(name="ledger_hold_once", fields=["operator", "key"]),
            models.CheckConstraint(name="ledger_hold_positive", condition=Q(units__gt=0)),
            models.CheckConstraint(
                name="ledger_ended_hold_has_time", condition=Q(status=HoldStatus.ACTIVE) | Q(ended_at__isnull=False)
            ),
        )
        triggers = hold_triggers()

    def __str__(self) -> str:
        return self.key
