"""Where rounds come from besides our own HTTP interface, and how much came from where (rounds.md 4)."""

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from apps.core import clock
from apps.operators.models import Operator
from apps.operators.models.history import ChangesOnly
from apps.operators.models.tenants import OwnedQuerySet


class ChannelKind(models.TextChoices):
    """How a channel is spoken to."""

    RABBITMQ = "RABBITMQ", "RabbitMQ"
    KAFKA = "KAFKA", "Kafka"
    PULL = "PULL", "HTTP pull"


class Channel(models.Model):
    """A broker's queue or topic, or a client's HTTP interface, that rounds of one integration are read from.

    `configuration` holds the fields of the kind (`services.channels.SETUPS`), `mapping` where each of our nine fields
    stands in the client's own message (empty: it sends ours), `transactions` how bets and wins that come apart are
    known (`services.channels.Transactions`; none: each message is a whole round). The password or key is sealed
    (`apps.core.crypto`) and never shown. `cursor` is how far a pull has come; it moves only after what lies before it
    is stored. `changed_at` tells readers to begin anew.
    """

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="round_channels")
    integration = models.CharField(max_length=120)
    name = models.CharField(
        max_length=80,
        unique=True,
        validators=[RegexValidator(r"^[a-z0-9][a-z0-9._-]*$", "Small letters, digits, dots, - and _.")],
    )
    kind = models.CharField(max_length=10, choices=ChannelKind.choices)
    configuration = models.JSONField(default=dict)
    mapping = models.JSONField(default=dict, blank=True)
    transactions = models.JSONField(null=True, blank=True)
    sealed_secret = models.TextField(blank=True, editable=False)
    enabled = models.BooleanField(default=True)
    cursor = models.TextField(blank=True, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    created_by = models.CharField(max_length=80, blank=True, editable=False)
    changed_at = models.DateTimeField(default=clock.now, editable=False)
    # Health, written by whoever reads it: failures in a row, rounds taken (repetitions too), messages refused.
    failures = models.PositiveIntegerField(default=0, editable=False)
    last_seen_at = models.DateTimeField("last message", null=True, editable=False)
    last_success_at = models.DateTimeField(null=True, editable=False)
    last_error = models.CharField(max_length=300, blank=True, editable=False)
    last_error_at = models.DateTimeField(null=True, editable=False)
    taken = models.BigIntegerField(default=0, editable=False)
    refused = models.BigIntegerField(default=0, editable=False)

    objects = OwnedQuerySet.as_manager()
    history = ChangesOnly(
        excluded_fields=[
            "sealed_secret", "failures", "last_seen_at", "last_success_at", "last_error", "last_error_at", "taken",
            "refused", "cursor", "created_at", "created_by", "changed_at",
        ]
    )  # fmt: skip

    class Meta:
        verbose_name = "round channel"
        permissions = (("rewind_channel", "Can set how far a pulled channel has come"),)
        constraints = (
            models.CheckConstraint(name="rounds_channel_kind_known", condition=Q(kind__in=ChannelKind.values)),
            models.CheckConstraint(
                name="rounds_only_pulls_have_a_cursor", condition=Q(cursor="") | Q(kind=ChannelKind.PULL)
            ),
        )

    def __str__(self) -> str:
        return self.name


class RefusedItem(models.Model):
    """A round of a pulled page that can't be read. Brokers have dead-letter queues for these; here they stay."""

    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="refused_items")
    body = models.TextField()
    error = models.CharField(max_length=300)
    refused_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"refused by {self.channel_id}: {self.error}"


class IntakeMinute(models.Model):
    """What came in from one integration within one minute, over every channel: written by `services.counting`.

    `calls` are requests and messages; `rounds` what they held and was well formed; `fresh` were new; `queued` counted
    for a tournament. `refused` calls were not well formed; `shed` calls were told to come back. Without constraints on
    others, because nothing may keep a count from being written.
    """

    operator = models.ForeignKey(
        Operator, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    integration = models.CharField(max_length=120)
    minute = models.DateTimeField()
    calls = models.BigIntegerField(default=0)
    rounds = models.BigIntegerField(default=0)
    fresh = models.BigIntegerField(default=0)
    queued = models.BigIntegerField(default=0)
    refused = models.BigIntegerField(default=0)
    shed = models.BigIntegerField(default=0)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        verbose_name = "intake"
        verbose_name_plural = "intake health"
        constraints = (
            models.UniqueConstraint(name="rounds_intake_minute_once", fields=["minute", "operator", "integration"]),
        )

    def __str__(self) -> str:
        return f"{self.integration} {self.minute:%H:%M}"
