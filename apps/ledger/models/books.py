"""The books: assets, accounts, balances, journals, postings, and the triggers that keep them true.

A journal's postings arrive in one statement. A statement-level trigger refuses the statement unless they sum to zero
per journal and asset and stay inside one operator, then moves the balances. Nothing in Python can write a posting that
does not balance or a balance that no posting explains.
"""

import pgtrigger
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q

from apps.ledger.models import triggers
from apps.operators.models import Operator
from apps.operators.models.tenants import OwnedQuerySet


class Asset(models.Model):
    """A currency or token of one operator. Amounts are whole base units; `scale` digits stand behind the point."""

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="assets", db_index=False)
    code = models.CharField(max_length=12)
    name = models.CharField(max_length=60, blank=True)
    scale = models.PositiveSmallIntegerField()
    enabled = models.BooleanField(default=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(name="ledger_asset_once", fields=["operator", "code"]),
            models.CheckConstraint(name="ledger_asset_scale_in_range", condition=Q(scale__lte=18)),
        )
        triggers = (
            pgtrigger.ReadOnly(name="asset_scale_is_fixed", fields=["operator", "code", "scale"]),
            pgtrigger.Protect(name="asset_stays", operation=pgtrigger.Delete),
        )

    def __str__(self) -> str:
        return self.code


class AccountKind(models.TextChoices):
    """Whose money an account is. The first three are bounded: they can't go below zero."""

    PLAYER = "PLAYER", "Player wallet"
    HELD = "HELD", "Player's held funds"
    ESCROW = "ESCROW", "Escrow of a competition"
    CLEARING = "CLEARING", "Operator clearing"
    REVENUE = "REVENUE", "Operator revenue"
    PLATFORM = "PLATFORM", "Platform fees"


BOUNDED = (AccountKind.PLAYER, AccountKind.HELD, AccountKind.ESCROW)
# A hot account spreads its balance over slots, one per database connection most of the time, so that ten thousand
# players who pay into one escrow do not queue on one row. A wallet has one slot: it is one player's.
HOT_SLOTS = 16


class Account(models.Model):
    """Where units can be: (operator, kind, subject, asset). `subject` names the owner, as `player:803` does."""

    operator = models.ForeignKey(
        Operator, on_delete=models.PROTECT, related_name="accounts", db_constraint=False, db_index=False
    )
    kind = models.CharField(max_length=10, choices=AccountKind.choices)
    subject = models.CharField(max_length=64, blank=True)
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="accounts", db_constraint=False)
    bounded = models.BooleanField()
    slots = models.PositiveSmallIntegerField()

    objects = OwnedQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(name="ledger_account_once", fields=["operator", "kind", "subject", "asset"]),
            models.CheckConstraint(
                name="ledger_players_and_escrows_are_bounded", condition=Q(bounded=True) | ~Q(kind__in=BOUNDED)
            ),
        )
        indexes = (models.Index(name="ledger_account_by_subject", fields=["operator", "subject"]),)
        triggers = (
            pgtrigger.Protect(name="account_stays", operation=pgtrigger.Update | pgtrigger.Delete),
            triggers.slots_are_born(name="account_slots_are_born"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}".strip()


class Balance(models.Model):
    """A share of an account's units. The account's balance is the sum of its slots. Written by the trigger only."""

    pk = models.CompositePrimaryKey("account_id", "slot")
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="balances", db_constraint=False, db_index=False
    )
    slot = models.PositiveSmallIntegerField()
    bounded = models.BooleanField()
    units = models.DecimalField(max_digits=38, decimal_places=0)

    class Meta:
        constraints = (
            models.CheckConstraint(name="ledger_balance_not_negative", condition=Q(bounded=False) | Q(units__gte=0)),
        )
        triggers = (triggers.only_by_triggers(name="balance_moves_by_postings"),)

    def __str__(self) -> str:
        return f"account {self.account_id}, slot {self.slot}"


class Journal(models.Model):
    """One balanced movement of money. Never edited, never deleted: a correction names the journal it reverses.

    `key` names the business act (`tournament:17:payout:99`), so posting twice is posting once.
    """

    operator = models.ForeignKey(
        Operator, on_delete=models.PROTECT, related_name="journals", db_constraint=False, db_index=False
    )
    kind = models.CharField(max_length=32)
    key = models.CharField(max_length=160)
    subject = models.CharField(max_length=64, blank=True)
    legs = models.PositiveSmallIntegerField(help_text="How many postings it has. None can be added later.")
    occurred_at = models.DateTimeField()
    actor = models.CharField(max_length=80)
    request_id = models.CharField(max_length=64, blank=True)
    memo = models.CharField(max_length=200, blank=True)
    # Indexed where it is set, by the constraint below; a plain one-to-one would index millions of nulls.
    reverses = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="reversals",
        db_constraint=False,
        db_index=False,
    )

    objects = OwnedQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(name="ledger_journal_once", fields=["operator", "key"]),
            models.UniqueConstraint(
                name="ledger_reversed_once", fields=["reverses"], condition=Q(reverses__isnull=False)
            ),
            models.CheckConstraint(name="ledger_journal_has_legs", condition=Q(legs__gte=2)),
        )
        indexes = (
            models.Index(name="ledger_journal_by_subject", fields=["operator", "subject", "id"]),
            # For the admin's days. Costs a writer nothing: one entry for every 128 pages.
            BrinIndex(name="ledger_journal_by_time", fields=["occurred_at"]),
        )
        triggers = (pgtrigger.Protect(name="journal_append_only", operation=pgtrigger.Update | pgtrigger.Delete),)

    def __str__(self) -> str:
        return self.key


class Posting(models.Model):
    """One leg of a journal: units onto (positive) or off (negative) an account.

    Its foreign keys are checked by the balancing trigger, set by set; row-by-row constraint checks would lock the
    rows of hot accounts and cost a look-up per leg. The legs of a journal are numbered from 0 and all of its
    numbers are taken by the statement that writes it, so no later one can add to it.
    """

    journal = models.ForeignKey(
        Journal, on_delete=models.PROTECT, related_name="postings", db_constraint=False, db_index=False
    )
    leg = models.PositiveSmallIntegerField()
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="postings", db_constraint=False, db_index=False
    )
    units = models.DecimalField(max_digits=38, decimal_places=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(name="ledger_leg_once", fields=["journal", "leg"]),
            models.CheckConstraint(name="ledger_posting_nonzero", condition=~Q(units=0)),
        )
        indexes = (models.Index(name="ledger_posting_by_account", fields=["account", "id"]),)
        triggers = (
            pgtrigger.Protect(name="posting_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            triggers.journals_balance(name="journals_balance"),
        )

    def __str__(self) -> str:
        return f"journal {self.journal_id}, account {self.account_id}"
