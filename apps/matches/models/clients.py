"""A game back-end that runs matches, and how it wants them."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from apps.operators.models import Operator
from apps.operators.models.history import ChangesOnly
from apps.operators.models.tenants import OwnedQuerySet

CLIENT_ID = r"^[A-Za-z0-9][A-Za-z0-9._\-]{0,63}$"


class Mode(models.TextChoices):
    """How a game reports: once for the whole match, or once per player (matches.md 3.8, 3.9)."""

    SYNC = "SYNC", "One result per match"
    ASYNC = "ASYNC", "One score per player"


class Delivery(models.TextChoices):
    """How a game hears of its matches; one way at a time (matches.md 3.5)."""

    PUSH = "PUSH", "Webhook"
    POLL = "POLL", "The game asks"


class ScoreOrder(models.TextChoices):
    """Which score wins where the platform ranks."""

    HIGHER = "HIGHER", "Higher wins"
    LOWER = "LOWER", "Lower wins"


class TiePolicy(models.TextChoices):
    """What a shared first place means (matches.md 4.3 and 7, extension 5)."""

    REFUND = "REFUND", "Stakes go back; three teams or more: the leaders split"
    SPLIT = "SPLIT", "The leaders split the pot"
    REMATCH = "REMATCH", "Stakes go back and a rematch is offered"
    EARLIEST = "EARLIEST", "Whoever's score came first wins"


class Client(models.Model):
    """The settings of one match client. Its secret is a credential whose `ref` is the client's id."""

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="match_clients")
    client_id = models.CharField(
        "client id", max_length=64, unique=True, validators=[RegexValidator(CLIENT_ID, "Letters, digits, . _ - only.")]
    )
    name = models.CharField(max_length=120, blank=True)
    mode = models.CharField(max_length=5, choices=Mode.choices, default=Mode.SYNC)
    delivery = models.CharField(max_length=4, choices=Delivery.choices, default=Delivery.POLL)
    webhook_url = models.CharField("webhook URL", max_length=500, blank=True)
    launch_urls = models.JSONField(
        "launch URLs",
        default=dict,
        blank=True,
        help_text="By platform: browser, android, ios, steam. {match-token} is filled in.",
    )
    # Where the game's pages are served from: scheme and host of the browser's launch URL, for CORS.
    origins = ArrayField(models.CharField(max_length=255), default=list, blank=True, editable=False)
    fee_bps = models.PositiveIntegerField("fee, basis points", default=0)
    score_order = models.CharField(max_length=6, choices=ScoreOrder.choices, default=ScoreOrder.HIGHER)
    tie_policy = models.CharField(max_length=8, choices=TiePolicy.choices, default=TiePolicy.REFUND)
    strict_200 = models.BooleanField(
        "only 200 counts", default=True, help_text="Off: any 2xx answer to the webhook makes the match live."
    )
    send_delete = models.BooleanField(
        "send DELETE", default=False, help_text="Tell the game's webhook when a match it knows is aborted."
    )
    aborts_on_first_failure = models.BooleanField(default=False, help_text="No retries: the first failure aborts.")
    hold_minutes = models.PositiveIntegerField(
        default=0, help_text="A result waits this long before it is paid, and can be disputed meanwhile."
    )
    confirm_hours = models.PositiveIntegerField(default=24, help_text="Not everybody confirmed by then: cancelled.")
    result_hours = models.PositiveIntegerField(default=24, help_text="No result by then: aborted, or forfeited.")
    gone_minutes = models.PositiveIntegerField(default=10, help_text="A game server that is gone this long aborts.")
    created_at = models.DateTimeField()

    objects = OwnedQuerySet.as_manager()
    history = ChangesOnly()

    class Meta:
        verbose_name = "match client"
        constraints = (
            models.CheckConstraint(name="matches_fee_leaves_a_prize", condition=Q(fee_bps__lte=10_000)),
            models.CheckConstraint(
                name="matches_push_has_an_address", condition=~Q(delivery="PUSH") | ~Q(webhook_url="")
            ),
            models.CheckConstraint(
                name="matches_client_deadlines_are_deadlines",
                condition=Q(confirm_hours__gt=0, result_hours__gt=0, gone_minutes__gt=0),
            ),
        )
        indexes = (GinIndex(name="matches_client_by_origin", fields=["origins"]),)
        permissions = (("register_client", "Can register match clients and change how they work"),)

    def __str__(self) -> str:
        return self.client_id
