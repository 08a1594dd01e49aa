"""Transfers on a chain, and the simulated chain's own tables (rumble.md 6; `apps.ledger.chain` says how they work)."""

import uuid
from typing import Self

import pgtrigger
from django.db import models
from django.db.models import Q

from apps.ledger.lifecycle import ChainLifecycle, ChainStatus, chain_triggers
from apps.ledger.models.books import Account, Asset
from apps.ledger.models.payouts import Payout, SettlementPlan
from apps.ledger.models.wallets import Hold
from apps.operators.models import Operator, Player
from apps.operators.models.tenants import OwnedQuerySet


class ChainDirection(models.TextChoices):
    """Whether a transaction fills an escrow or empties it."""

    INTO = "INTO", "Into escrow"
    OUT = "OUT", "From escrow"


class ChainQuerySet(OwnedQuerySet):
    """Transactions of a chain."""

    def unsigned(self) -> Self:
        """Narrow to those that wait for their player."""
        return self.filter(status=ChainStatus.REQUESTED)

    def in_flight(self) -> Self:
        """Narrow to those that are signed and not yet final or failed: their money is neither here nor there."""
        return self.filter(status__in=(ChainStatus.SIGNED, ChainStatus.SUBMITTED))


class ChainTransaction(ChainLifecycle):
    """Transfers that happen together or not at all. `public_id` is what clients know it by; `reference` is the chain's.

    `key` names the business act and makes asking twice asking once. `purpose` says what it is for in the area that
    asked (`area`), which is told of each change. `subject` is the competition whose escrow is meant. `due_at` is the
    one moment at which something has to be done next: let an unsigned request lapse, submit, look. `plan` is the
    settlement whose payouts it pays, `hold` what is set aside of its `player` from their signature until its end.
    """

    operator = models.ForeignKey(
        Operator, on_delete=models.PROTECT, related_name="chain_transactions", db_constraint=False, db_index=False
    )
    public_id = models.UUIDField("transaction id", unique=True, default=uuid.uuid4, editable=False)
    direction = models.CharField(max_length=4, choices=ChainDirection.choices)
    area = models.CharField(max_length=20)
    purpose = models.CharField(max_length=20)
    subject = models.CharField(max_length=64)
    key = models.CharField(max_length=120)
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="+", db_index=False)
    units = models.DecimalField(max_digits=38, decimal_places=0, help_text="The sum of its transfers.")
    player = models.ForeignKey(
        Player, on_delete=models.PROTECT, null=True, blank=True, related_name="chain_transactions"
    )
    hold = models.OneToOneField(Hold, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    plan = models.ForeignKey(SettlementPlan, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    due_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    reference = models.CharField("chain reference", max_length=128, blank=True)
    confirmations = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    signed_at = models.DateTimeField(null=True, blank=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = ChainQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(name="ledger_chain_once", fields=["operator", "key"]),
            models.UniqueConstraint(
                name="ledger_chain_reference_once", fields=["reference"], condition=~Q(reference="")
            ),
            models.CheckConstraint(name="ledger_chain_status_known", condition=Q(status__in=ChainStatus.values)),
            models.CheckConstraint(name="ledger_chain_positive", condition=Q(units__gt=0)),
            models.CheckConstraint(
                name="ledger_chain_open_is_due",
                condition=Q(status__in=("REQUESTED", "SIGNED", "SUBMITTED"), due_at__isnull=False, ended_at=None)
                | Q(
                    status__in=("FINAL", "FAILED", "REJECTED", "EXPIRED", "WITHDRAWN"),
                    due_at=None,
                    ended_at__isnull=False,
                ),
            ),
        )
        indexes = (
            models.Index(name="ledger_chain_due", fields=["due_at"], condition=Q(due_at__isnull=False)),
            models.Index(name="ledger_chain_by_subject", fields=["operator", "subject", "id"]),
            models.Index(name="ledger_chain_newest", fields=["operator", "-id"]),
        )
        permissions = (("settle_chaintransaction", "Can retry what failed on the chain"),)
        triggers = (
            *chain_triggers(),
            pgtrigger.ReadOnly(
                name="chain_terms_are_fixed",
                fields=[
                    "operator",
                    "public_id",
                    "direction",
                    "area",
                    "purpose",
                    "subject",
                    "key",
                    "asset",
                    "units",
                    "player",
                    "plan",
                    "created_at",
                ],
            ),
            pgtrigger.Protect(name="chain_transaction_stays", operation=pgtrigger.Delete),
        )

    def __str__(self) -> str:
        return str(self.public_id)


class ChainTransfer(models.Model):
    """One transfer of a transaction, fixed when it was made: from which of our accounts to which, and whose they are.

    `address` is the party's name on the chain (an EOS id). `payout` is the settlement's line that it pays.
    """

    transaction = models.ForeignKey(
        ChainTransaction, on_delete=models.PROTECT, related_name="transfers", db_index=False
    )
    number = models.PositiveIntegerField()
    source = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    target = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    units = models.DecimalField(max_digits=38, decimal_places=0)
    address = models.CharField(max_length=64, blank=True)
    payout = models.ForeignKey(Payout, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(name="ledger_chain_transfer_once", fields=["transaction", "number"]),
            models.CheckConstraint(name="ledger_chain_transfer_positive", condition=Q(units__gt=0)),
        )
        triggers = (pgtrigger.Protect(name="chain_transfer_is_fixed", operation=pgtrigger.Update | pgtrigger.Delete),)

    def __str__(self) -> str:
        return f"transfer {self.number} of transaction {self.transaction_id}"


class ChainControl(models.Model):
    """How the simulated chain behaves for one operator (podium.md 5). No row: as the settings say."""

    operator = models.OneToOneField(Operator, on_delete=models.PROTECT, primary_key=True, related_name="+")
    finality_seconds = models.FloatField(null=True, blank=True)
    fail_next = models.PositiveIntegerField(default=0, help_text="So many of the next transactions will fail.")
    hold = models.BooleanField(default=False, help_text="Nothing becomes final or fails while this is set.")

    def __str__(self) -> str:
        return f"chain of operator {self.operator_id}"


class SimulatedTransaction(models.Model):
    """What the simulated chain remembers. Nobody but `apps.ledger.chain.simulated` reads or writes it."""

    submission = models.UUIDField(unique=True)
    reference = models.CharField(max_length=128, unique=True)
    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="+", db_index=False)
    doomed = models.BooleanField(help_text="It will fail.")
    submitted_at = models.DateTimeField()
    settles_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.reference
