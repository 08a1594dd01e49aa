"""Calls to the operator's own server about money: what is asked of it, with which key, and what every try came to."""

import uuid

import pgtrigger
from django.db import models
from django.db.models import Q

from apps.ledger.models.payouts import Payout
from apps.operators.models import Operator
from apps.operators.models.tenants import OwnedQuerySet


class CallbackKind(models.TextChoices):
    """What the operator's server is asked to do."""

    PAYOUT = "PAYOUT", "Payout"
    DEBIT = "DEBIT", "Debit"


class OutboundKey(models.Model):
    """The `X-API-Key` that we send with one kind of call. Encrypted: it must be read back to be sent."""

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="outbound_keys", db_index=False)
    kind = models.CharField(max_length=6, choices=CallbackKind.choices)
    sealed_key = models.TextField(editable=False)
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=80)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(name="ledger_outbound_key_once", fields=["operator", "kind"]),)

    def __str__(self) -> str:
        return f"{self.kind} key of operator {self.operator_id}"


class Remittance(models.Model):
    """What the operator is told about one payout on its rail (rounds.md 3.5): frozen with the plan, sent byte for byte.

    `url` is the competition's own address; empty means the operator's. `tries` counts since it was queued last, and
    `automatic` says whether a try that fails for now is repeated without a person.
    """

    payout = models.OneToOneField(
        Payout, on_delete=models.PROTECT, primary_key=True, related_name="remittance", serialize=False
    )
    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="+", db_index=False)
    ref = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    url = models.CharField(max_length=500, blank=True)
    body = models.TextField()
    automatic = models.BooleanField()
    tries = models.PositiveSmallIntegerField(default=0, db_default=0)
    transaction_id = models.CharField(max_length=200, blank=True, default="", db_default="")

    objects = OwnedQuerySet.as_manager()

    class Meta:
        triggers = (
            pgtrigger.ReadOnly(name="remittance_is_frozen", fields=["payout", "operator", "ref", "body", "automatic"]),
            pgtrigger.Protect(name="remittance_stays", operation=pgtrigger.Delete),
        )

    def __str__(self) -> str:
        return str(self.ref)


class CallbackAttempt(models.Model):
    """One try of a call. Written before it is made; a try without an end was cut off, and nobody knows if it arrived.

    `ref` is the `payoutRef` or `debitRef`: the same for all tries of one payout or debit. `answer` holds the first
    kilobytes of what came back.
    """

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=6, choices=CallbackKind.choices)
    ref = models.UUIDField()
    number = models.PositiveSmallIntegerField()
    url = models.CharField(max_length=500)
    body = models.TextField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    milliseconds = models.PositiveIntegerField(null=True)
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.TextField(blank=True)
    error = models.CharField(max_length=300, blank=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(name="ledger_attempt_once", fields=["ref", "number"]),
            models.CheckConstraint(
                name="ledger_answered_attempt_has_end", condition=Q(status=None) | Q(ended_at__isnull=False)
            ),
        )
        indexes = (models.Index(name="ledger_attempt_newest", fields=["operator", "-id"]),)
        triggers = (pgtrigger.Protect(name="attempt_stays", operation=pgtrigger.Delete),)

    def __str__(self) -> str:
        return f"{self.kind} {self.ref}, try {self.number}"
