"""Where facts go over HTTP, each fact's way to each endpoint, and every try."""

import uuid

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q

from apps.core import ids
from apps.core.lifecycle import edges_trigger
from apps.events.lifecycle import EDGES, DeliveryLifecycle, DeliveryStatus
from apps.events.models.facts import Fact
from apps.operators.models import Operator
from apps.operators.models.history import ChangesOnly
from apps.operators.models.tenants import OwnedQuerySet


def new_endpoint_id() -> str:
    """Return an endpoint's public id."""
    return ids.public_id("ep")


class Format(models.TextChoices):
    """How a fact is written down and signed; `apps.events.formats` has a module for each."""

    STANDARD = "STANDARD"
    CASINO = "CASINO"
    PLATFORM = "PLATFORM"
    RUMBLE = "RUMBLE"


# Endpoints that belong to something else than the operator's own list, which makes and changes them: the settings' game
# platform, a rumble application.
OWNED = (Format.PLATFORM, Format.RUMBLE)


class Endpoint(models.Model):
    """A receiver of an operator's facts.

    `secret`, `previous_secret` and `token` are encrypted. Until `previous_secret_until` both secrets sign. An endpoint
    that is removed keeps its row, so that what was sent stays on record; it takes no facts, and nobody sees it.
    """

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="endpoints")
    public_id = models.CharField(max_length=32, unique=True, default=new_endpoint_id, editable=False)
    url = models.CharField(max_length=2000)
    description = models.CharField(max_length=200, blank=True)
    events = ArrayField(models.CharField(max_length=60), help_text="Names, prefixes such as tournament.*, or *")
    holds = models.JSONField(
        null=True, blank=True, editable=False, help_text="Only facts whose payload contains this; empty: all of them."
    )
    format = models.CharField(max_length=10, choices=Format.choices, default=Format.STANDARD)
    ordered = models.BooleanField(
        default=False, help_text="Strictly one at a time, by sequence: a delivery that fails holds back what follows."
    )
    enabled = models.BooleanField(default=True)
    secret = models.TextField(blank=True, editable=False)
    previous_secret = models.TextField(blank=True, editable=False)
    previous_secret_until = models.DateTimeField(null=True, blank=True)
    token = models.TextField(blank=True, editable=False, help_text="Sent as Authorization: Bearer, when set.")
    created_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    # Its health, as the relay found it. Written without history.
    failing_since = models.DateTimeField(null=True, blank=True, help_text="Nothing but failures since then.")
    last_success_at = models.DateTimeField(null=True, blank=True)
    last_failure_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_reason = models.CharField(max_length=300, blank=True)

    objects = OwnedQuerySet.as_manager()
    history = ChangesOnly(
        excluded_fields=["secret", "previous_secret", "token", "failing_since", "last_success_at", "last_failure_at",
                         "last_error"]
    )  # fmt: skip

    class Meta:
        constraints = (
            models.CheckConstraint(name="events_endpoint_format_known", condition=Q(format__in=Format.values)),
            models.CheckConstraint(
                name="events_removed_endpoint_is_off", condition=Q(removed_at=None) | Q(enabled=False)
            ),
            models.CheckConstraint(
                name="events_previous_secret_ends",
                condition=Q(previous_secret="") | Q(previous_secret_until__isnull=False),
            ),
            # The game platform's notices: one endpoint per operator (operators.md 11.7).
            models.UniqueConstraint(
                name="events_one_platform_each",
                fields=["operator"],
                condition=Q(format=Format.PLATFORM, removed_at=None),
            ),
        )
        indexes = (
            # What the sequencer asks for every batch of facts.
            models.Index(name="events_endpoints_on", fields=["operator"], condition=Q(enabled=True)),
        )

    def __str__(self) -> str:
        return self.description or self.public_id

    @property
    def subject(self) -> str:
        """The subject of the facts about this endpoint."""
        return f"endpoint:{self.pk}"


class Delivery(DeliveryLifecycle):
    """One fact on its way to one endpoint; the row is the queue.

    `attempts` counts every try ever, `tries` those since it was queued last: that is its place in the retry schedule.
    While one is being made, it is nobody else's until `leased_until`, and due again then. Without a fact it is a test:
    `sequence` 0, sent once, on no record but this one.
    """

    operator = models.ForeignKey(
        Operator, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="deliveries", db_index=False)
    # No foreign key in the database: facts can't be deleted, and checking each would write to each of their rows.
    fact = models.ForeignKey(
        Fact, on_delete=models.PROTECT, null=True, related_name="deliveries", db_constraint=False, db_index=False
    )
    subject = models.CharField(max_length=64)
    sequence = models.BigIntegerField()
    attempts = models.PositiveIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    last_status = models.PositiveSmallIntegerField(null=True)
    last_error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = (
            # The fact first: its page asks where it went.
            models.UniqueConstraint(name="events_delivered_once", fields=["fact", "endpoint"]),
            models.CheckConstraint(name="events_delivery_status_known", condition=Q(status__in=DeliveryStatus.values)),
            models.CheckConstraint(
                name="events_pending_has_next_try",
                condition=Q(status=DeliveryStatus.PENDING, next_attempt_at__isnull=False, finished_at=None)
                | Q(
                    status__in=(DeliveryStatus.DELIVERED, DeliveryStatus.EXHAUSTED),
                    next_attempt_at=None,
                    leased_until=None,
                    finished_at__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="events_test_has_no_number",
                condition=Q(fact=None, sequence=0) | Q(fact__isnull=False, sequence__gt=0),
            ),
        )
        indexes = (
            # The queue, endpoint by endpoint: what is due first …
            models.Index(
                name="events_due",
                fields=["endpoint", "next_attempt_at", "sequence"],
                condition=Q(status=DeliveryStatus.PENDING),
            ),
            # … the head of an ordered endpoint's line …
            models.Index(
                name="events_line", fields=["endpoint", "sequence"], condition=Q(status=DeliveryStatus.PENDING)
            ),
            # … and what is being sent at this moment.
            models.Index(name="events_leased", fields=["endpoint"], condition=Q(leased_until__isnull=False)),
            # Lists, newest first: all, and the dead letters.
            models.Index(name="events_sent_to", fields=["endpoint", "-id"]),
            models.Index(
                name="events_dead_letters", fields=["endpoint", "-id"], condition=Q(status=DeliveryStatus.EXHAUSTED)
            ),
            # The admin's log: of one operator, and by day. A block range costs a writer nothing.
            models.Index(name="events_deliveries_newest", fields=["operator", "-id"]),
            BrinIndex(name="events_deliveries_by_time", fields=["created_at"]),
            # What the purge looks for.
            models.Index(name="events_over", fields=["finished_at"], condition=Q(finished_at__isnull=False)),
        )
        triggers = (edges_trigger("delivery_status_edges", EDGES, in_bulk=True),)

    def __str__(self) -> str:
        return f"delivery {self.pk}"


class Attempt(models.Model):
    """One try: what was sent, when, how long it took, and what came back. Append-only; the purge removes old ones.

    `status` is null when nothing came back; `error` then says why. Headers that carry a secret are not kept.
    """

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="tried", db_index=False)
    number = models.PositiveIntegerField()
    uuid = models.UUIDField(default=uuid.uuid4)
    started_at = models.DateTimeField()
    milliseconds = models.PositiveIntegerField()
    request_headers = models.JSONField(default=dict)
    body_digest = models.CharField(max_length=64, help_text="SHA-256 of the body, in hex.")
    body_bytes = models.PositiveIntegerField(default=0)
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.TextField(blank=True, help_text="The beginning of what came back.")
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(name="events_attempt_once", fields=["delivery", "number", "uuid"]),)
        triggers = (pgtrigger.Protect(name="attempt_is_final", operation=pgtrigger.Update),)

    def __str__(self) -> str:
        return f"attempt {self.number}"
