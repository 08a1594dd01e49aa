"""Who may enter, and whose fee the operator is being asked for."""

import uuid

import pgtrigger
from django.db import models
from django.db.models import Q

from apps.core.lifecycle import edges_trigger
from apps.operators.models import Operator, Player
from apps.operators.models.tenants import OwnedQuerySet
from apps.tournaments.lifecycle import BUY_IN_EDGES, UNDECIDED, BuyInLifecycle, BuyInStatus
from apps.tournaments.models.entries import Entry
from apps.tournaments.models.tournament import Tournament


class BuyIn(BuyInLifecycle):
    """One debit that the operator is asked for, and a seat that is kept meanwhile (rounds.md 3.6).

    `ref` is the `debitRef`, the same for every try; a player who was refused asks again with a new one. `units` is the
    fee in the tournament's asset, `amount` (exact decimal text) the same in `currency` at `rate`, fixed when the player
    asked. `body` is what is sent, byte for byte.
    """

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="+", db_index=False)
    tournament = models.ForeignKey(Tournament, on_delete=models.PROTECT, related_name="buy_ins", db_index=False)
    player = models.ForeignKey(Player, on_delete=models.PROTECT, related_name="+")
    ref = models.UUIDField("debit reference", unique=True, default=uuid.uuid4, editable=False)
    display_name = models.CharField(max_length=64)
    payment_id = models.CharField(max_length=128, blank=True)
    units = models.DecimalField(max_digits=38, decimal_places=0)
    amount = models.CharField(max_length=120)
    currency = models.CharField(max_length=12)
    rate = models.CharField(max_length=60)
    body = models.TextField()
    attempts = models.PositiveSmallIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0, help_text="Since it was last asked for.")
    next_try_at = models.DateTimeField(null=True)
    transaction_id = models.CharField(max_length=200, blank=True)
    error = models.CharField(max_length=300, blank=True)
    note = models.CharField(max_length=300, blank=True, help_text="What a person has said about it.")
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, null=True, related_name="buy_in")
    asked_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        verbose_name = "buy-in"
        constraints = (
            models.UniqueConstraint(
                name="tournaments_one_open_buy_in",
                fields=["tournament", "player"],
                condition=Q(status__in=UNDECIDED),
            ),
            models.CheckConstraint(name="tournaments_buy_in_positive", condition=Q(units__gt=0)),
            models.CheckConstraint(name="tournaments_buy_in_status_known", condition=Q(status__in=BuyInStatus.values)),
            models.CheckConstraint(
                name="tournaments_joined_has_entry", condition=~Q(status="JOINED") | Q(entry__isnull=False)
            ),
        )
        indexes = (
            models.Index(name="tournaments_buy_in_due", fields=["next_try_at"], condition=Q(status="PENDING")),
            models.Index(name="tournaments_buy_in_open", fields=["operator", "id"], condition=Q(status__in=UNDECIDED)),
            models.Index(name="tournaments_buy_in_newest", fields=["operator", "-id"]),
        )
        permissions = (("decide_buyin", "Can decide what became of a buy-in"),)
        triggers = (
            edges_trigger("buy_in_status_edges", BUY_IN_EDGES),
            pgtrigger.ReadOnly(
                name="buy_in_is_frozen",
                fields=["operator", "tournament", "player", "ref", "units", "amount", "currency", "rate", "body"],
            ),
            pgtrigger.Protect(name="buy_in_stays", operation=pgtrigger.Delete),
        )

    def __str__(self) -> str:
        return str(self.ref)

    @property
    def subject(self) -> str:
        """How the ledger names the refund of one that came too late."""
        return f"buyin:{self.pk}"


class Invitation(models.Model):
    """A player who may enter a tournament of invited players: the brand's and the operator's own ids (rounds.md 5.3).

    Not a key of a player: people are invited before they have ever played.
    """

    tournament = models.ForeignKey(Tournament, on_delete=models.PROTECT, related_name="invitations", db_index=False)
    brand_ref = models.CharField("brand", max_length=100)
    player_ref = models.CharField("user id", max_length=128)

    class Meta:
        constraints = (
            models.UniqueConstraint(name="tournaments_invited_once", fields=["tournament", "brand_ref", "player_ref"]),
        )

    def __str__(self) -> str:
        return f"{self.brand_ref} {self.player_ref}"
