"""What is owed: frozen plans and their payouts."""

import pgtrigger
from django.db import models
from django.db.models import Q

from apps.ledger.lifecycle import PayoutLifecycle, PayoutStatus, payout_triggers
from apps.ledger.models import triggers
from apps.ledger.models.books import Account, Asset, Journal
from apps.operators.models import Operator, Player
from apps.operators.models.tenants import OwnedQuerySet


class PlanKind(models.TextChoices):
    """What a plan ends."""

    SETTLEMENT = "SETTLEMENT", "Prizes and fees"
    REFUND = "REFUND", "Refunds"


class Rail(models.TextChoices):
    """How a payout really moves."""

    WALLET = "WALLET", "Player wallet"
    CLEARING = "CLEARING", "Back to the operator, who credits the player"
    OPERATOR = "OPERATOR", "The operator's payout API"
    CHAIN = "CHAIN", "One transaction on the chain"


class Purpose(models.TextChoices):
    """What a payout is for."""

    PRIZE = "PRIZE"
    REFUND = "REFUND"
    FEE = "FEE"
    RETURN = "RETURN", "Unclaimed, back to the operator"


class SettlementPlan(models.Model):
    """The payouts of one competition, computed once. `digest` is the SHA-256 of its lines; retries never recompute."""

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="plans", db_index=False)
    subject = models.CharField(max_length=64)
    kind = models.CharField(max_length=10, choices=PlanKind.choices)
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="+")
    lines = models.PositiveIntegerField()
    total_units = models.DecimalField(max_digits=38, decimal_places=0)
    digest = models.CharField(max_length=64)
    frozen_at = models.DateTimeField()
    frozen_by = models.CharField(max_length=80)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(name="ledger_plan_once", fields=["operator", "subject", "kind"]),)
        triggers = (pgtrigger.Protect(name="plan_is_frozen", operation=pgtrigger.Update | pgtrigger.Delete),)

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"


class Payout(PayoutLifecycle):
    """One amount owed to one party by one plan. `key` is also the key of the journal that pays it.

    No index covers a column that paying changes, and the pages have room (migration 0002), so that paying rewrites a
    row in its place. What has not ended is found by way of `OpenPayout`.
    """

    operator = models.ForeignKey(
        Operator, on_delete=models.PROTECT, related_name="payouts", db_constraint=False, db_index=False
    )
    plan = models.ForeignKey(SettlementPlan, on_delete=models.PROTECT, related_name="payouts", db_index=False)
    subject = models.CharField(max_length=64)
    key = models.CharField(max_length=120)
    purpose = models.CharField(max_length=8, choices=Purpose.choices)
    rail = models.CharField(max_length=10, choices=Rail.choices)
    player = models.ForeignKey(
        Player, on_delete=models.PROTECT, null=True, blank=True, related_name="payouts", db_constraint=False
    )
    entry_ref = models.BigIntegerField(null=True, blank=True, help_text="The entry in its competition.")
    position = models.PositiveIntegerField(null=True, blank=True)
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    units = models.DecimalField(max_digits=38, decimal_places=0)
    award = models.TextField(
        blank=True, default="", db_default="", help_text="What is given where it is not money, as JSON: free rounds."
    )
    source = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    target = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    paid_at = models.DateTimeField(null=True, blank=True)
    journal = models.ForeignKey(
        Journal,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    error = models.CharField(max_length=300, blank=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(name="ledger_payout_once", fields=["operator", "key"]),
            models.CheckConstraint(name="ledger_payout_positive", condition=Q(units__gt=0)),
            models.CheckConstraint(name="ledger_payout_status_known", condition=Q(status__in=PayoutStatus.values)),
            models.CheckConstraint(
                name="ledger_paid_has_time", condition=~Q(status=PayoutStatus.PAID) | Q(paid_at__isnull=False)
            ),
        )
        indexes = (models.Index(name="ledger_payout_by_plan", fields=["plan", "position", "id"]),)
        permissions = (
            ("approve_payout", "Can approve or reject payouts"),
            ("retry_payout", "Can retry payouts and settle them outside"),
        )
        triggers = (
            *payout_triggers(),
            pgtrigger.ReadOnly(
                name="payout_amount_is_frozen",
                when=pgtrigger.After,  # as `edges_trigger` has it for rows that change in bulk
                fields=[
                    "operator",
                    "plan",
                    "subject",
                    "key",
                    "purpose",
                    "rail",
                    "player",
                    "entry_ref",
                    "position",
                    "asset",
                    "units",
                    "award",
                    "source",
                    "target",
                ],
            ),
            pgtrigger.Protect(name="payout_stays", operation=pgtrigger.Delete),
            *triggers.open_payouts_follow(),
        )

    def __str__(self) -> str:
        return self.key


class OpenPayout(models.Model):
    """A payout that has not ended: the queue of what is to be paid, and the list of what needs a person.

    Kept by triggers on the payouts, whoever changes them; a row goes when its payout is PAID or NOT_ELIGIBLE.
    """

    pk = models.CompositePrimaryKey("plan_id", "payout_id")
    plan = models.ForeignKey(
        SettlementPlan, on_delete=models.PROTECT, related_name="open_payouts", db_constraint=False, db_index=False
    )
    payout = models.OneToOneField(Payout, on_delete=models.PROTECT, related_name="open", db_constraint=False)
    status = models.CharField(max_length=16, choices=PayoutStatus.choices)
    due_at = models.DateTimeField(null=True)
    rail = models.CharField(max_length=10, blank=True, db_default="", help_text="Empty: one of the books' own rails.")

    class Meta:
        indexes = (
            models.Index(name="ledger_open_by_status", fields=["status", "payout"]),
            # What is waiting to be sent outside; nothing for the rails that only write in the books.
            models.Index(name="ledger_open_outside", fields=["rail", "due_at"], condition=~Q(rail="")),
        )
        triggers = (triggers.only_by_triggers(name="open_payouts_follow_payouts"),)

    def __str__(self) -> str:
        return f"payout {self.payout_id}"
