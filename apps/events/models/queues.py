"""Queues of the SQS kind: those we tell facts to, and those game platforms put events on (operators.md 6)."""

from django.core.validators import MaxLengthValidator, RegexValidator
from django.db import models
from django.db.models import Q

from apps.core import clock
from apps.events.models.facts import Fact
from apps.operators.models import Operator
from apps.operators.models.history import ChangesOnly
from apps.operators.models.tenants import OwnedQuerySet

# Groups that wait for a message of theirs to get through may hold back this many facts; then the queue waits with them.
HELD_MOST = 500


def every_type() -> list[str]:
    """Return the pattern that every fact fits."""
    return ["*"]


class Connection(models.Model):
    """How to reach a queue. The secret key is sealed (`apps.core.crypto`) and never shown.

    `after_failures` counts failures in a row; zero means that the last thing tried went well.
    """

    name = models.CharField(max_length=80)
    url = models.CharField("queue URL", max_length=500, blank=True, help_text="Empty until the queue has been created.")
    region = models.CharField(
        max_length=40,
        default="eu-central-1",
        validators=[RegexValidator(r"^[a-z]{2}(-[a-z]+)+-[0-9]{1,2}$", "A region such as eu-central-1.")],
    )
    endpoint_url = models.CharField(
        "endpoint", max_length=500, blank=True, help_text="Of an SQS-compatible server. Empty: AWS in that region."
    )
    access_key_id = models.CharField(max_length=128, blank=True)
    sealed_secret = models.TextField(blank=True, editable=False)
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    created_by = models.CharField(max_length=80, blank=True, editable=False)
    # Health, written by whoever carries.
    failures = models.PositiveIntegerField(default=0, editable=False)
    last_success_at = models.DateTimeField(null=True, editable=False)
    last_error = models.CharField(max_length=300, blank=True, editable=False)
    last_error_at = models.DateTimeField(null=True, editable=False)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name


class Queue(Connection):
    """A FIFO queue that an operator's facts are told to, in the order of their numbers.

    Everything up to `after_sequence` has been taken by the queue, is among the `held` numbers (ascending; of groups
    that wait for an earlier message of theirs), is a `Refusal`, or was not wanted. Facts up to `from_sequence` are
    older than the queue.
    """

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="queues")
    events = models.JSONField(default=every_type, help_text="Types, or beginnings such as tournament.*")
    from_sequence = models.BigIntegerField(default=0, editable=False)
    after_sequence = models.BigIntegerField(default=0, editable=False)
    held = models.JSONField(default=list, editable=False, validators=[MaxLengthValidator(HELD_MOST)])
    sent = models.BigIntegerField(default=0, editable=False)
    # One sender at a time: whoever holds the lease renews it with every batch; it runs out when they die.
    lease = models.CharField(max_length=20, blank=True, editable=False)
    leased_until = models.DateTimeField(null=True, editable=False)
    next_try_at = models.DateTimeField(default=clock.now, editable=False)
    # Held facts are tried again on their own, so that other groups do not wait for them.
    held_tries = models.PositiveIntegerField(default=0, editable=False)
    held_try_at = models.DateTimeField(null=True, editable=False)

    history = ChangesOnly(
        excluded_fields=[
            "sealed_secret", "failures", "last_success_at", "last_error", "last_error_at", "from_sequence",
            "after_sequence", "held", "held_tries", "held_try_at", "sent", "lease", "leased_until", "next_try_at",
            "created_at", "created_by",
        ]
    )  # fmt: skip

    class Meta:
        constraints = (
            models.UniqueConstraint(name="events_queue_name_once", fields=["operator", "name"]),
            models.CheckConstraint(
                name="events_queue_cursor_after_its_start", condition=Q(after_sequence__gte=models.F("from_sequence"))
            ),
        )
        permissions = (
            ("test_queue", "Can send a test message to a queue"),
            ("create_queue", "Can create a queue and its dead-letter queue at the provider"),
        )

    def wants(self, type: str) -> bool:
        """Tell whether facts of a type go to this queue."""
        return any(
            pattern in ("*", type) or (pattern.endswith(".*") and type.startswith(pattern.removesuffix("*")))
            for pattern in self.events
        )


class Refusal(models.Model):
    """A fact that a queue will never take, because of what it is (its size, its characters)."""

    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="refusals")
    fact = models.ForeignKey(Fact, on_delete=models.PROTECT, related_name="refusals")
    error = models.CharField(max_length=300)
    refused_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(name="events_refused_once", fields=["queue", "fact"]),)

    def __str__(self) -> str:
        return f"fact {self.fact_id} refused by queue {self.queue_id}"


class InboundQueue(Connection):
    """A queue that a game platform puts events on. Without an operator it is the platform's own and reaches them all.

    `taken` and `malformed` count messages; a message that is not well formed is left to the dead-letter queue.
    """

    operator = models.ForeignKey(
        Operator, on_delete=models.PROTECT, related_name="inbound_queues", null=True, blank=True
    )
    taken = models.BigIntegerField(default=0, editable=False)
    malformed = models.BigIntegerField(default=0, editable=False)

    history = ChangesOnly(
        excluded_fields=[
            "sealed_secret", "failures", "last_success_at", "last_error", "last_error_at", "taken", "malformed",
            "created_at", "created_by",
        ]
    )  # fmt: skip

    class Meta:
        verbose_name = "incoming queue"
        constraints = (
            models.UniqueConstraint(
                name="events_inbound_queue_name_once", fields=["operator", "name"], nulls_distinct=False
            ),
        )

    def __str__(self) -> str:
        return self.name
