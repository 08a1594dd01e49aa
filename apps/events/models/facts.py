"""The outbox and the stream's counter."""

import pgtrigger
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q

from apps.core.exact import ExactDecoder, ExactEncoder
from apps.events.querysets import FactQuerySet
from apps.operators.models import Operator


class Fact(models.Model):
    """Something that happened. Append-only; only the sequencer adds its number, once.

    `public_id` is the id that every transport carries. `sequence` is null until the fact is numbered. Amounts in `data`
    are exact: what was written as a Decimal comes back as the same Decimal.
    """

    # No foreign key in the database: every fact of an operator would lock that operator's row for the check.
    operator = models.ForeignKey(
        Operator, on_delete=models.PROTECT, related_name="facts", db_constraint=False, db_index=False
    )
    public_id = models.CharField(max_length=40)
    sequence = models.BigIntegerField(null=True)
    type = models.CharField(max_length=60)
    subject = models.CharField(max_length=64)
    data = models.JSONField(encoder=ExactEncoder, decoder=ExactDecoder)
    actor = models.CharField(max_length=80)
    request_id = models.CharField(max_length=64, blank=True)
    occurred_at = models.DateTimeField()

    objects = FactQuerySet.as_manager()

    class Meta:
        constraints = (
            # Said here and not as unique=True, which would cost every fact a second index for LIKE.
            models.UniqueConstraint(name="events_fact_id_once", fields=["public_id"]),
            models.UniqueConstraint(
                name="events_sequence_once", fields=["operator", "sequence"], condition=Q(sequence__isnull=False)
            ),
        )
        indexes = (
            models.Index(name="events_unnumbered", fields=["operator", "id"], condition=Q(sequence=None)),
            models.Index(name="events_by_subject", fields=["operator", "subject", "id"]),
            # For the admin's days and hours. Costs a writer nothing: one entry for every 128 pages.
            BrinIndex(name="events_by_time", fields=["occurred_at"]),
        )
        triggers = (
            pgtrigger.ReadOnly(
                name="fact_is_frozen",
                fields=["operator", "public_id", "type", "subject", "data", "actor", "request_id", "occurred_at"],
            ),
            pgtrigger.Protect(
                name="fact_number_is_final",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__sequence__isnull=False),
            ),
            pgtrigger.Protect(name="fact_stays", operation=pgtrigger.Delete),
        )

    def __str__(self) -> str:
        return f"{self.type} {self.public_id}"


class Stream(models.Model):
    """How far an operator's facts are numbered. Locked by the sequencer only, never by a writer of facts."""

    operator = models.OneToOneField(Operator, on_delete=models.PROTECT, primary_key=True, related_name="stream")
    last_sequence = models.BigIntegerField(default=0)

    class Meta:
        triggers = (
            pgtrigger.Protect(
                name="stream_only_grows",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(new__last_sequence__lt=pgtrigger.F("old__last_sequence")),
            ),
            pgtrigger.Protect(name="stream_stays", operation=pgtrigger.Delete),
        )

    def __str__(self) -> str:
        return f"stream of operator {self.operator_id}"
